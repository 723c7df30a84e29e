import type { WireOutcome } from '../shared/wire-outcome.js';

export type { WireAnswer, WireOutcome } from '../shared/wire-outcome.js';

/** Parameters of a request, as an SDK or a bot made them. */
export type Params = Readonly<Record<string, unknown>>;

/** A request of our own. */
export interface WireRequest {
  readonly api: 'public' | 'private';
  /** Such as `AddOrder`. */
  readonly method: string;
  readonly params: Params;
}

/** How requests of our own go out through the caller's SDK object: its credentials, its host, its transport. */
export interface KrakenWire {
  /** Makes one request, once. Never rejects. An attempt whose signal has aborted is waited for no longer. */
  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome>;
}
