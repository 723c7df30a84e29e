import { abortable } from '../../../core/abort.js';
import { asError, VenueKitError } from '../../../core/errors.js';
import { missedRows, type RowList } from './missed-rows.js';
import type { StreamRecovery } from './stream-recovery.js';
import { type RowOrder, ToldRows } from './told-rows.js';

/** Longer than this no row is held back for what is still to be read before it. */
const WAIT_MS = 10_000;
/** Of a list that does not show yet what the stream has told. */
const FIRST_PAUSE_MS = 250;

/** One stream of rows, such as the trades of a symbol. */
export interface KeptRowsParts<R> {
  readonly order: RowOrder<R>;
  readonly list: RowList<R>;
  readonly recovery: StreamRecovery;
  /** What a recovery is told under. */
  readonly channel: string;
  readonly symbol: string;
  /** How late what has happened may show in the list, ms. */
  readonly lagMs: number;
  /** Hands a row to the bot. @param isRecovered - it was read, and not told by the stream */
  readonly tell: (row: R, isRecovered: boolean) => void;
}

/**
 * A stream of rows that tells each once, and after an interruption first what it has missed: read from a list, in its order, while
 * what the stream itself tells meanwhile waits behind it.
 */
export class KeptRows<R> {
  readonly #parts: KeptRowsParts<R>;
  readonly #told: ToldRows<R>;
  /** Told by the stream since it was interrupted last. */
  #held: R[] = [];
  /** Told between interruptions. */
  #stale: R[] = [];
  #isHolding = false;
  /** Which interruption this is; a recovery of an earlier one ends. */
  #interruptions = 0;
  /** Rows read since the last one began. */
  #count = 0;

  /** @param start - the place from which on rows are the bot's; undefined: with the first that it is told. */
  constructor(parts: KeptRowsParts<R>, start: number | undefined) {
    this.#parts = parts;
    this.#told = new ToldRows(parts.order, start);
  }

  get isInterrupted(): boolean {
    return this.#isHolding;
  }

  /** A row as the stream tells it. */
  take(row: R): void {
    if (this.#isHolding) {
      this.#held.push(row);
      // More than would be read is more than is held.
      if (this.#held.length + this.#stale.length > this.#parts.recovery.bounds.maxRows) this.#end(false);
      return;
    }
    if (!this.#told.isNews(row)) return;
    if (this.#told.follows(row)) {
      this.#tell(row, false);
      return;
    }
    this.interrupt();
    this.#held.push(row);
    void this.resume();
  }

  /** Nothing is told from here on, until what is missed has been read. */
  interrupt(): void {
    this.#isHolding = true;
    this.#stale = this.#allHeld();
    this.#held = [];
    this.#interruptions++;
  }

  /** The stream is there again. Resolves when it is told what was missed, with whether nothing was left out. */
  async resume(): Promise<boolean> {
    const { recovery, order, list, lagMs, channel, symbol } = this.#parts;
    const { clock, bounds, closing } = recovery;
    const interruption = ++this.#interruptions;
    const resumedAt = clock.monotonic();
    const giveUp = new AbortController();
    const patience = clock.schedule(WAIT_MS, () =>
      giveUp.abort(new VenueKitError('TIMEOUT', `what was missed could not be read within ${WAIT_MS} ms`)),
    );
    let isWhole = true;
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
        const askedAt = clock.monotonic();
        const missed = await abortable(missedRows(this.#told, list, order, bounds, clock.now()), giveUp.signal);
        if (interruption !== this.#interruptions) return true;
        isWhole &&= missed.isWhole;
        const isUpToDate = this.#tellRead(missed.rows);
        if (order.isDense ? this.#isWithoutHole() : isUpToDate || askedAt - resumedAt >= lagMs) break;
        await clock.sleep(order.isDense ? pauseMs : lagMs, AbortSignal.any([giveUp.signal, closing]));
        if (interruption !== this.#interruptions) return true;
      }
    } catch (error) {
      if (interruption !== this.#interruptions) return true;
      if (!closing.aborted) recovery.failed(channel, symbol, asError(error));
      isWhole = false;
    } finally {
      patience[Symbol.dispose]();
    }
    return this.#end(isWhole);
  }

  #isWithoutHole(): boolean {
    let next = this.#told.from;
    for (const place of this.#allHeld()
      .map(this.#parts.order.placeOf)
      .sort((a, b) => a - b)) {
      if (next !== undefined && place > next) return false;
      next = Math.max(next ?? place, place + 1);
    }
    return true;
  }

  /** @returns whether the list shows what the stream has told since it is there again: then it is up to date. */
  #tellRead(rows: readonly R[]): boolean {
    const { keyOf } = this.#parts.order;
    const read = new Set(rows.map(keyOf));
    const isRead = (row: R): boolean => read.has(keyOf(row));
    const isUpToDate = this.#held.some(isRead);
    // In the stream's own words where it has told it, too.
    const held = new Map(this.#allHeld().map((row) => [keyOf(row), row]));
    for (const row of rows) {
      if (!this.#told.isNews(row)) continue;
      const live = held.get(keyOf(row));
      this.#tellLater(live ?? row, live === undefined);
      if (live === undefined) this.#count++;
    }
    // What is told is held no more: it may be over before what was told of late is forgotten.
    this.#stale = this.#stale.filter((row) => !isRead(row));
    this.#held = this.#held.filter((row) => !isRead(row));
    return isUpToDate;
  }

  #allHeld(): R[] {
    return [...this.#stale, ...this.#held];
  }

  #end(isWhole: boolean): boolean {
    const { order, recovery, channel, symbol } = this.#parts;
    this.#interruptions++;
    this.#isHolding = false;
    const held = this.#allHeld();
    this.#held = [];
    this.#stale = [];
    if (order.isDense) held.sort((a, b) => order.placeOf(a) - order.placeOf(b));
    let hasHole = false;
    for (const row of held) {
      if (!this.#told.isNews(row)) continue;
      hasHole ||= !this.#told.follows(row);
      this.#tellLater(row, false);
    }
    const rows = this.#count;
    this.#count = 0;
    const recovered = { channel, symbol, rows, isWhole: isWhole && !hasHole };
    recovery.done(recovered);
    return recovered.isWhole;
  }

  // A listener of the bot that throws ends what it ends with the raw SDK, and not what is still to be told.
  #tellLater(row: R, isRecovered: boolean): void {
    try {
      this.#tell(row, isRecovered);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #tell(row: R, isRecovered: boolean): void {
    this.#told.note(row);
    this.#parts.tell(row, isRecovered);
  }
}
