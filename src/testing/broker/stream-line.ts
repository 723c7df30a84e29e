import { onAbort } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import type { VenueCore } from '../venue/venue-core.js';
import { StreamWire } from './stream-wire.js';

/** As venues do with a reader that is too slow. */
const MOST_UNREAD = 100_000;

/**
 * One open stream in memory. What is pushed comes out of the iteration; the end is an error, or the
 * signal's reason.
 */
export class StreamLine<T> {
  readonly #operation: 'events' | 'stream';
  readonly #wire: StreamWire<T>;
  readonly #unread: T[] = [];
  #subscription: Disposable | undefined;
  #read = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /** @param onEnd - stops whatever feeds it; called once. */
  constructor(core: VenueCore, operation: 'events' | 'stream', signal: AbortSignal, onEnd: () => void) {
    this.#operation = operation;
    this.#wire = new StreamWire(core, {
      arrive: (event) => this.#arrive(event),
      ended: (reason) => {
        this.#failure = reason;
        this.#subscription?.[Symbol.dispose]();
        onEnd();
        this.#wake?.();
      },
    });
    this.#subscription = onAbort(signal, (reason) => this.#wire.end(reason));
  }

  /** Sends what no fault strikes: the greeting of the connection. */
  open(greeting: T): void {
    this.#wire.send(greeting);
  }

  /** Sends one event, or does to it what a fault says. */
  push(event: T): void {
    this.#wire.push(event, this.#operation);
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
      this.#wire.end(new VenueKitError('CLOSED', 'The stream was left.'));
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

  #arrive(event: T): void {
    this.#unread.push(event);
    if (this.#unread.length - this.#read > MOST_UNREAD)
      this.#wire.end(new VenueKitError('STREAM_LOST', `The reader was ${MOST_UNREAD} events behind.`));
    this.#wake?.();
  }
}
