import { onAbort } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import type { VenueOperation } from '../faults.js';
import type { VenueCore } from '../venue/venue-core.js';

const STALL_MS = 10_000;
const REORDER_PATIENCE_MS = 100;
/** As venues do with a reader that is too slow. */
const MOST_UNREAD = 100_000;

/**
 * One open stream: keeps order, delays by the venue's latency, and is where stream faults strike.
 * What is pushed comes out of the iteration; the end is an error, or the signal's reason.
 */
export class StreamLine<T> {
  readonly #core: VenueCore;
  readonly #operation: VenueOperation;
  readonly #unread: T[] = [];
  readonly #onEnd: () => void;
  #read = 0;
  #held: T | undefined;
  #stalledUntil = -Infinity;
  #lastDueAt = -Infinity;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param onEnd - stops whatever feeds it; called once. */
  constructor(core: VenueCore, operation: 'events' | 'stream', signal: AbortSignal, onEnd: () => void) {
    this.#core = core;
    this.#operation = operation;
    const subscription = onAbort(signal, (reason) => this.#fail(reason));
    this.#onEnd = () => {
      subscription[Symbol.dispose]();
      onEnd();
    };
    if (this.#failure !== undefined) onEnd();
  }

  /** Sends what no fault strikes: the greeting of the connection. */
  open(greeting: T): void {
    this.#send(greeting);
  }

  /** Sends one event, or does to it what a fault says. */
  push(event: T): void {
    if (this.#failure !== undefined) return;
    const struck = this.#core.faults.strike(this.#operation);
    let copies = 1;
    let isHeldBack = false;
    for (const fault of struck) {
      this.#core.log.append(this.#core.venueClock.engineNow(), 'fault', { operation: this.#operation, kind: fault.kind, when: fault.when });
      if (fault.kind === 'stream_drop') {
        this.#fail(new VenueKitError('STREAM_LOST', 'The stream was cut.'));
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
    for (let copy = 0; copy < copies; copy++) this.#send(event);
    this.#letGo();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        while (this.#read < this.#unread.length) yield this.#take();
        if (this.#failure !== undefined) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#fail(new VenueKitError('CLOSED', 'The stream was left.'));
    }
  }

  #take(): T {
    const event = this.#unread[this.#read++] as T;
    if (this.#read === this.#unread.length || this.#read > 1_024) {
      this.#unread.splice(0, this.#read);
      this.#read = 0;
    }
    return event;
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#send(held);
  }

  #send(event: T): void {
    const { clock, latency } = this.#core;
    const now = clock.monotonic();
    const dueAt = Math.max(this.#lastDueAt, this.#stalledUntil, now + (latency?.draw() ?? 0) / 2);
    this.#lastDueAt = dueAt;
    if (dueAt <= now) this.#arrive(event);
    else clock.schedule(dueAt - now, () => this.#arrive(event));
  }

  #arrive(event: T): void {
    if (this.#failure !== undefined) return;
    this.#unread.push(event);
    if (this.#unread.length - this.#read > MOST_UNREAD) this.#fail(new VenueKitError('STREAM_LOST', `The reader was ${MOST_UNREAD} events behind.`));
    this.#wake?.();
  }

  #fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#onEnd?.();
    this.#wake?.();
  }
}
