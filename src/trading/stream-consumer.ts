import type { BrokerAdapter, VenueEvent } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Backoff } from '../resilience/backoff.js';
import type { Evidence } from './evidence.js';
import type { StreamHealth } from './resolver.js';
import { MARGIN_MS } from './trading-defaults.js';
import { requireFillShape, requireOrderShape } from './venue-shapes.js';

/** `live`: nothing was missed. `gap`: something was, and is being read again. */
export type StreamState = 'down' | 'recovering' | 'gap' | 'live';

/**
 * Follows the venue's stream of own orders, for as long as the client is open. Whatever may have
 * been missed, by a gap in the numbers, the venue's own word or a broken connection, is read again
 * before the stream counts as whole.
 */
export class StreamConsumer implements StreamHealth {
  readonly #adapter: BrokerAdapter;
  readonly #evidence: Evidence;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #closing: AbortSignal;
  #state: StreamState = 'down';
  #lastSeq: number | undefined;
  #recovery: Promise<void> | undefined;
  #gaps = 0;
  #confirmation: Disposable | undefined;
  /** Reads everything again; resolves to whether it was read to its end. */
  recover: () => Promise<boolean> = async () => false;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly evidence: Evidence;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly logger: Logger;
    readonly backoff: Backoff;
    readonly closing: AbortSignal;
  }) {
    this.#adapter = parts.adapter;
    this.#evidence = parts.evidence;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
    this.#backoff = parts.backoff;
    this.#closing = parts.closing;
  }

  get state(): StreamState {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#state === 'live' || this.#state === 'gap';
  }

  get isWhole(): boolean {
    return this.#adapter.events === undefined || this.#state === 'live';
  }

  get gaps(): number {
    return this.#gaps;
  }

  start(): void {
    if (this.#adapter.events !== undefined) void this.#follow();
  }

  async #follow(): Promise<void> {
    let failures = 0;
    while (!this.#closing.aborted) {
      this.#lastSeq = undefined;
      try {
        for await (const event of this.#adapter.events!(this.#closing)) {
          if (this.#closing.aborted) return;
          failures = 0;
          await this.#take(event);
        }
      } catch (error) {
        if (!this.#closing.aborted) this.#logger.warn({ error }, 'the order stream broke; it is opened again');
      }
      if (this.#closing.aborted) return;
      this.#become('down');
      await this.#clock.sleep(this.#backoff(++failures), this.#closing).catch(() => {});
    }
  }

  async #take(event: VenueEvent): Promise<void> {
    switch (event.kind) {
      case 'synced':
        this.#lastSeq = undefined;
        return this.#reread('recovering');
      case 'gap':
        this.#gaps++;
        return this.#reread('gap');
      case 'order':
        this.#sequence(event.seq);
        await this.#evidence.order(requireOrderShape(event.order), 'stream');
        return;
      case 'fill':
        this.#sequence(event.seq);
        this.#evidence.fill(requireFillShape(event));
    }
  }

  // What comes late or twice is harmless; what is missing is not known to have come late until it comes.
  #sequence(seq: number | undefined): void {
    if (seq === undefined) return;
    const last = this.#lastSeq;
    if (last === undefined || seq > last) this.#lastSeq = seq;
    if (last === undefined || seq <= last + 1) return;
    this.#gaps++;
    this.#reread('gap');
  }

  /** Not awaited by the stream: events go on while the listings are read. */
  #reread(state: 'gap' | 'recovering'): void {
    this.#become(state);
    this.#recovery ??= this.#rereadUntilDone().finally(() => {
      this.#recovery = undefined;
    });
  }

  async #rereadUntilDone(): Promise<void> {
    for (let failures = 1; this.#isIncomplete(); failures++) {
      const gaps = this.#gaps;
      const isRead = await this.recover().catch(() => false);
      // A gap that opened meanwhile may hide what the listings could not show yet.
      if (isRead && gaps === this.#gaps && this.#isIncomplete()) {
        this.#confirmLater();
        return this.#become('live');
      }
      await this.#clock.sleep(this.#backoff(failures), this.#closing).catch(() => {});
    }
  }

  // What happened just before the listings were read may not have been visible in them yet.
  #confirmLater(): void {
    this.#confirmation?.[Symbol.dispose]();
    this.#confirmation = this.#clock.schedule(this.#adapter.capabilities.visibilityLagMs + MARGIN_MS, () => {
      this.#confirmation = undefined;
      if (this.#closing.aborted) return;
      this.recover().then(
        (isRead) => isRead || this.#confirmLater(),
        () => this.#confirmLater(),
      );
    });
  }

  #isIncomplete(): boolean {
    return !this.#closing.aborted && (this.#state === 'gap' || this.#state === 'recovering');
  }

  #become(state: StreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    if (this.#bus.has('stream.state')) this.#bus.emit('stream.state', { venue: this.#adapter.venue, state });
  }
}
