import type { StreamUpdate } from '../../../contracts/market-data.js';
import type { Clock } from '../../../core/clock.js';
import { type BookChange, type BookSnapshot, LocalBook } from './local-book.js';

/** What a {@link BookFollower} works with. */
export interface BookFollowerParts {
  readonly symbol: string;
  /** Levels of a side in what is sent on. */
  readonly depth: number;
  readonly clock: Clock;
  /** Reads the whole book over REST. */
  readonly snapshot: () => Promise<BookSnapshot>;
  readonly emit: (update: StreamUpdate<'book'>) => void;
}

/** Changes kept while a snapshot is on its way; more than this and it is too old anyway. */
const MOST_KEPT = 5_000;
const RETRY_BASE_MS = 250;
const RETRY_CAP_MS = 8_000;

/**
 * Keeps one symbol's book whole: changes are joined to a snapshot, and where one is missing the gap is
 * told at once and another snapshot read. What comes twice or late changes nothing.
 */
export class BookFollower {
  readonly #parts: BookFollowerParts;
  #book: LocalBook | undefined;
  #kept: BookChange[] = [];
  #isReading = false;
  #isStopped = false;
  #failures = 0;
  #timer: Disposable | undefined;

  constructor(parts: BookFollowerParts) {
    this.#parts = parts;
  }

  take(change: BookChange): void {
    if (this.#isStopped) return;
    const book = this.#book;
    if (book === undefined) {
      this.#kept.push(change);
      if (this.#kept.length > MOST_KEPT) this.#kept.splice(0, this.#kept.length - MOST_KEPT);
      this.#read();
      return;
    }
    const previousSeq = book.lastId;
    const step = book.apply(change);
    if (step === 'applied') this.#send(book, previousSeq);
    else if (step === 'gap') this.#restart([change]);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  #send(book: LocalBook, previousSeq?: number): void {
    const value = book.view(this.#parts.depth);
    const { eventTime } = value;
    this.#parts.emit({
      kind: 'book',
      symbol: this.#parts.symbol,
      value,
      seq: book.lastId,
      ...(previousSeq !== undefined && { previousSeq }),
      ...(eventTime !== undefined && { eventTime }),
    });
  }

  #restart(kept: BookChange[]): void {
    this.#book = undefined;
    this.#kept = kept;
    this.#parts.emit({ kind: 'book', symbol: this.#parts.symbol, gap: true });
    this.#read();
  }

  #read(): void {
    if (this.#isReading || this.#timer !== undefined || this.#isStopped) return;
    this.#isReading = true;
    this.#parts.snapshot().then(
      (snapshot) => {
        this.#isReading = false;
        if (!this.#isStopped) this.#join(snapshot);
      },
      () => {
        this.#isReading = false;
        this.#readLater();
      },
    );
  }

  #join(snapshot: BookSnapshot): void {
    const book = new LocalBook(this.#parts.symbol, snapshot);
    const kept = this.#kept;
    for (const [i, change] of kept.entries()) {
      if (book.apply(change) !== 'gap') continue;
      // Older than what has been kept: another one will reach further. Or the kept ones have a hole of their own.
      this.#kept = kept.slice(i);
      this.#readLater();
      return;
    }
    this.#kept = [];
    this.#failures = 0;
    this.#book = book;
    this.#send(book);
  }

  #readLater(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = this.#parts.clock.schedule(Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** this.#failures++), () => {
      this.#timer = undefined;
      this.#read();
    });
  }
}
