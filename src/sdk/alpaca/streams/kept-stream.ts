import { systemRandom } from '../../../core/random.js';
import { type Backoff, fullJitter } from '../../../resilience/backoff.js';
import { type Json, objectOf } from '../../shared/json.js';
import type { SdkSession } from '../../shared/sdk-session.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import type { MarketSource } from '../market-source.js';
import type { WireRequest } from '../wire.js';
import { TradeUpdateKeeper } from './trade-update-keeper.js';

const BACKOFF = { baseMs: 100, capMs: 5_000 };

/** How long between attempts at a connection. */
export function streamBackoff(): Backoff {
  return fullJitter({ ...BACKOFF, random: systemRandom });
}

/** What the streams of one SDK object share. */
export interface StreamParts {
  readonly session: SdkSession;
  /** JSON of the Trading API, behind limits and retries. */
  readonly read: (request: WireRequest) => Promise<unknown>;
  readonly closing: AbortSignal;
  /** Of market data. */
  readonly recovery: StreamRecovery;
  /** Market data of the past, behind limits and retries. @param loc - where crypto is traded */
  readonly history: (loc: string) => MarketSource;
}

/** One connection's worth of trade updates after the other, without holes: what a frame of the trading stream goes through. */
export class KeptTradeUpdates {
  readonly #parts: StreamParts;
  readonly #keeper: TradeUpdateKeeper;
  readonly #deliver: (frame: Json) => void;
  readonly #pause = streamBackoff();
  #connections = 0;
  #recovering: Promise<void> | undefined;

  /** @param deliver - what the SDK does with a frame of the stream */
  constructor(parts: StreamParts, deliver: (frame: Json) => void) {
    this.#parts = parts;
    this.#deliver = deliver;
    const { clock } = parts.session;
    this.#keeper = new TradeUpdateKeeper({
      read: parts.read,
      deliver: (update) => deliver({ stream: 'trade_updates', data: update }),
      now: () => clock.now(),
      sleep: (ms) => clock.sleep(ms, parts.closing),
    });
  }

  /** Whether the stream has been listening once. */
  get isReturning(): boolean {
    return this.#connections > 0;
  }

  /** A frame as it came. */
  take(frame: Json): void {
    if (frame.stream === 'trade_updates') {
      let isNews = true;
      try {
        isNews = this.#keeper.take(objectOf(frame.data, 'update'));
      } catch {
        // What can't be read is the SDK's to complain of.
      }
      if (isNews) this.#deliver(frame);
      return;
    }
    this.#deliver(frame);
    const streams = (frame.data as { readonly streams?: unknown } | undefined)?.streams;
    if (frame.stream !== 'listening' || !Array.isArray(streams) || !streams.includes('trade_updates')) return;
    if (++this.#connections === 1) this.#parts.recovery.say('live');
    else this.#recovering ??= this.#recover().finally(() => (this.#recovering = undefined));
  }

  down(): void {
    if (this.#connections > 0) this.#parts.recovery.say('down');
  }

  async #recover(): Promise<void> {
    const { session, closing } = this.#parts;
    this.#parts.recovery.say('recovering');
    for (let failures = 1; !closing.aborted; failures++) {
      try {
        await this.#keeper.recover();
        return this.#parts.recovery.say('live');
      } catch (error) {
        if (closing.aborted) return;
        session.logger.warn({ error, failures }, 'what a stream has missed could not be read; it is tried again');
        await session.clock.sleep(this.#pause(failures), closing).catch(() => {});
      }
    }
  }
}
