import { onAbort } from '../../../core/abort.js';
import { VenueKitError } from '../../../core/errors.js';

/** A reader this far behind has lost the stream. */
const MOST_UNREAD = 100_000;

/** Between what pushes and who iterates: everything in order, then the failure. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #subscription: Disposable;
  #unread: T[] = [];
  #read = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#subscription = onAbort(signal, (reason) => this.fail(reason));
  }

  push(item: T): void {
    if (this.#failure !== undefined) return;
    this.#unread.push(item);
    if (this.#unread.length - this.#read > MOST_UNREAD) this.fail(new VenueKitError('STREAM_LOST', `The reader was ${MOST_UNREAD} events behind.`));
    this.#wake?.();
  }

  /** What was pushed before is read first. Only the first failure counts. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#subscription?.[Symbol.dispose]();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, never, undefined> {
    for (;;) {
      while (this.#read < this.#unread.length) {
        const item = this.#unread[this.#read++] as T;
        if (this.#read === this.#unread.length) {
          this.#unread = [];
          this.#read = 0;
        }
        yield item;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
