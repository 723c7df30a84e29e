import { VenueKitError } from '../../core/errors.js';
import type { VenueCore } from '../venue/venue-core.js';

const STALL_MS = 10_000;
const REORDER_PATIENCE_MS = 100;

/** Where a wire ends: what arrives there, and that nothing will any more. */
export interface WireEnd<T> {
  arrive(event: T): void;
  /** Called once, however the stream ended. */
  ended(reason: Error): void;
}

/**
 * The line that events travel on from the venue to one reader: keeps their order, delays by the
 * venue's latency, and is where stream faults strike.
 */
export class StreamWire<T> {
  readonly #core: VenueCore;
  readonly #end: WireEnd<T>;
  /** Sent and not arrived, in order of both. */
  readonly #onTheWay: { readonly event: T; readonly dueAt: number }[] = [];
  #held: T | undefined;
  #stalledUntil = -Infinity;
  #lastDueAt = -Infinity;
  #timer: Disposable | undefined;
  #hasEnded = false;

  constructor(core: VenueCore, end: WireEnd<T>) {
    this.#core = core;
    this.#end = end;
  }

  /** Sends what no fault strikes: the greeting of a connection, or an answer that belongs to it. */
  send(event: T): void {
    const { clock, latency } = this.#core;
    const now = clock.monotonic();
    const dueAt = Math.max(this.#lastDueAt, this.#stalledUntil, now + (latency?.draw() ?? 0) / 2);
    this.#lastDueAt = dueAt;
    if (dueAt <= now && this.#onTheWay.length === 0) {
      this.#arrive(event);
      return;
    }
    this.#onTheWay.push({ event, dueAt });
    this.#arm();
  }

  /** Sends one event, or does to it what a fault says. */
  push(event: T, operation: 'events' | 'stream'): void {
    if (this.#hasEnded) return;
    let copies = 1;
    let isHeldBack = false;
    for (const fault of this.#core.faults.strike(operation)) {
      this.#core.log.append(this.#core.venueClock.engineNow(), 'fault', { operation, kind: fault.kind, when: fault.when });
      if (fault.kind === 'stream_drop') {
        this.end(new VenueKitError('STREAM_LOST', 'The stream was cut.'));
        return;
      }
      if (fault.kind === 'stream_gap') copies = 0;
      else if (fault.kind === 'stream_duplicate') copies = 2;
      else if (fault.kind === 'stream_reorder') isHeldBack = true;
      else if (fault.kind === 'stream_stall') this.#stalledUntil = this.#core.clock.monotonic() + (fault.ms ?? STALL_MS);
    }
    if (copies === 0) return;
    if (isHeldBack && this.#held === undefined) {
      this.#held = event;
      this.#core.clock.schedule(REORDER_PATIENCE_MS, () => this.#letGo());
      return;
    }
    for (let copy = 0; copy < copies; copy++) this.send(event);
    this.#letGo();
  }

  end(reason: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#timer?.[Symbol.dispose]();
    this.#onTheWay.length = 0;
    this.#end.ended(reason);
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.send(held);
  }

  // One timer for all of them: two that are due at once would run in an order of their own.
  #arm(): void {
    const next = this.#onTheWay[0];
    if (next === undefined || this.#timer !== undefined) return;
    const { clock } = this.#core;
    this.#timer = clock.schedule(next.dueAt - clock.monotonic(), () => {
      this.#timer = undefined;
      const now = clock.monotonic();
      let arrived = 0;
      while (arrived < this.#onTheWay.length && this.#onTheWay[arrived]!.dueAt <= now) this.#arrive(this.#onTheWay[arrived++]!.event);
      this.#onTheWay.splice(0, arrived);
      this.#arm();
    });
  }

  #arrive(event: T): void {
    if (!this.#hasEnded) this.#end.arrive(event);
  }
}
