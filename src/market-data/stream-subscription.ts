import type { MarketDataAdapter, MarketKind, StreamUpdate } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { asError, VenueKitError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** Of the pause that is drawn, at least this much. */
const BACKOFF_FLOOR = 0.2;

export interface StreamSubscriptionOptions {
  readonly stream: NonNullable<MarketDataAdapter['stream']>;
  readonly kind: MarketKind;
  readonly symbols: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A stream that says nothing for this long is taken for dead. */
  readonly silenceMs: number;
  readonly onUpdate: (update: StreamUpdate) => void;
  readonly onState: (state: 'live' | 'recovering' | 'down') => void;
  /** The connection has ended, however it did. */
  readonly onDisconnected: () => void;
}

/** Keeps a stream open: again after it ended, failed or fell silent, with growing pauses, until it is disposed. */
export class StreamSubscription implements Disposable {
  readonly #options: StreamSubscriptionOptions;
  #controller = new AbortController();
  #timer: Disposable | undefined;
  #failures = 0;
  #isDisposed = false;
  #heardAt = 0;

  constructor(options: StreamSubscriptionOptions) {
    this.#options = options;
    void this.#connect();
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#controller.abort(new VenueKitError('UNSUBSCRIBED', 'The subscription was disposed.'));
  }

  async #connect(): Promise<void> {
    const { onState, onDisconnected, logger, kind } = this.#options;
    this.#controller = new AbortController();
    try {
      await this.#read(this.#controller.signal);
    } catch (error) {
      if (!this.#isDisposed) logger.warn({ kind, error: asError(error) }, 'a market-data stream failed; reconnecting');
    }
    this.#timer?.[Symbol.dispose]();
    onDisconnected();
    onState('down');
    if (!this.#isDisposed) this.#reconnectLater();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { stream, kind, symbols, onUpdate, onState, clock } = this.#options;
    const iterator = stream(kind, symbols, signal)[Symbol.asyncIterator]();
    let leave!: (reason: unknown) => void;
    // An iterator that ignores its signal must not hold the subscription.
    const aborted = new Promise<never>((_, reject) => {
      leave = reject;
    });
    aborted.catch(() => {});
    signal.addEventListener('abort', () => leave(signal.reason), { once: true });
    this.#heardAt = clock.monotonic();
    this.#watchSilence();
    let isLive = false;
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), aborted]);
        if (next.done === true) return;
        this.#heardAt = clock.monotonic();
        if (!isLive) {
          isLive = true;
          this.#failures = 0;
          onState('live');
        }
        onUpdate(next.value);
      }
    } finally {
      // Not awaited: it may wait for a message that never comes.
      iterator.return?.()?.catch(() => {});
    }
  }

  #watchSilence(): void {
    const { clock, silenceMs } = this.#options;
    const check = (): void => {
      const leftMs = this.#heardAt + silenceMs - clock.monotonic();
      if (leftMs > 0) this.#timer = clock.schedule(leftMs, check);
      else this.#controller.abort(new VenueKitError('STREAM_SILENT', `The stream said nothing for ${silenceMs} ms.`));
    };
    this.#timer = clock.schedule(silenceMs, check);
  }

  // Full jitter with a floor: many clients that lost one venue must not come back together, nor at once.
  #reconnectLater(): void {
    const { clock, random, onState } = this.#options;
    const most = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failures++, 16));
    this.#timer = clock.schedule(most * (BACKOFF_FLOOR + (1 - BACKOFF_FLOOR) * random()), () => {
      onState('recovering');
      void this.#connect();
    });
  }
}
