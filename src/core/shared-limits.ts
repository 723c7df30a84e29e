import type { Limit, LimitObservation } from './limits.js';

/** What a call costs of one limit, and up to where somebody of its priority may fill it. */
export interface SharedCost {
  readonly limit: string;
  readonly units: number;
  readonly ceiling: number;
}

/** A call that wants to be sent. */
export interface SharedRequest {
  readonly costs: readonly SharedCost[];
  /** What limits by symbol are counted by. */
  readonly symbol?: string | undefined;
  /** Lower goes first among the requests of this process that wait together. */
  readonly rank: number;
}

/**
 * Limits that are counted for several processes together. Units are set aside by {@link reserve} and
 * do not age until they are told as {@link sent}, or given back by {@link release}.
 */
export interface SharedLimits extends AsyncDisposable {
  /** What processes may spend together of each limit: a part of it is set aside for those that are cut off. */
  readonly limits: readonly Limit[];
  /** What this process may spend of each limit while it is cut off, for sure within what was set aside; limits with no such share are absent. */
  readonly alone: readonly Limit[];
  /** False while the shared count can't be asked. */
  readonly isUp: boolean;
  /** @returns 0 where the units are set aside; else the milliseconds until it is worth asking again. @throws where the count can't be asked; then nothing is set aside. */
  reserve(request: SharedRequest): Promise<number>;
  sent(costs: readonly SharedCost[], symbol?: string): void;
  release(costs: readonly SharedCost[], symbol?: string): void;
  /** What an answer of the venue said. */
  observe(seen: LimitObservation, symbol?: string): void;
  /** The venue has banned all. @param forMs - from now. */
  ban(forMs: number): void;
  /** Hears of blocks and bans that another process was told of; without a limit it is a ban. */
  onBlocked(listener: (limit: string | undefined, forMs: number) => void): Disposable;
  /** Hears when {@link isUp} changes to true. */
  onUp(listener: () => void): Disposable;
}
