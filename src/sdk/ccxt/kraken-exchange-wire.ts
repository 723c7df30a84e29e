import type { Clock } from '../../core/clock.js';
import type { KrakenWire, WireOutcome, WireRequest } from '../kraken/wire.js';
import { type CallWatcher, watcherOf } from './call-record.js';
import type { CcxtKraken } from './exchange.js';
import { laneOf, raiseNonces } from './private-lane.js';
import { ONE_TRY, recordedCall } from './recorded-call.js';

/** Requests through a ccxt kraken instance, which signs them. */
export class KrakenExchangeWire implements KrakenWire, Disposable {
  readonly #sdk: CcxtKraken;
  readonly #watcher: CallWatcher<CcxtKraken>;
  readonly #clock: Clock;
  readonly #nonces: Disposable;
  readonly #bodies = new WeakMap<object, string>();

  constructor(sdk: CcxtKraken, clock: Clock) {
    this.#sdk = sdk;
    this.#watcher = watcherOf(sdk);
    this.#clock = clock;
    this.#nonces = raiseNonces(sdk);
  }

  /** Leaves the nonces to the SDK again. */
  [Symbol.dispose](): void {
    this.#nonces[Symbol.dispose]();
  }

  send({ api, method, params }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const verb = api === 'public' ? 'GET' : 'POST';
    return this.run(api, (sdk) => sdk.fetch2(method, api, verb, { ...params, ...ONE_TRY }), signal);
  }

  /** Makes one call of the SDK, with its record. The limits of public calls are ccxt's own limiter's. */
  run(api: WireRequest['api'], work: (sdk: CcxtKraken) => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    if (api === 'public') return this.#call(false, work, signal);
    return laneOf(this.#sdk).run(() => this.#call(true, work, signal), signal, this.#clock);
  }

  /** The answer that an error was made of. */
  bodyOf(error: unknown): string | undefined {
    return typeof error === 'object' && error !== null ? this.#bodies.get(error) : undefined;
  }

  async #call(areLimitsKept: boolean, work: (sdk: CcxtKraken) => Promise<unknown>, signal: AbortSignal): Promise<WireOutcome> {
    const outcome = await recordedCall(this.#watcher, areLimitsKept, work, signal);
    if ('error' in outcome) {
      const { error, facts } = outcome;
      if (typeof error === 'object' && error !== null && facts.body !== undefined) this.#bodies.set(error, facts.body);
      return outcome;
    }
    const native = outcome.result;
    return { result: { json: typeof native === 'object' && native !== null ? (native as { result?: unknown }).result : undefined, native } };
  }
}
