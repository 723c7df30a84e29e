import type { Read } from '../contracts/cache-store.js';
import type { CoarseClock } from './coarse-clock.js';
import type { FastReads } from './fast-reads.js';

/** Before all monotonic time: nothing is held, or nothing has happened yet. */
export const NEVER = -1;

/** Of a row: until when, since when, what. */
const SLOTS = 3;

/**
 * What the commonest read of one kind needs, side by side: until when a key can be answered at once, what its age counts from, and
 * the value. Cells lie scattered among all else that is known of their keys, and a read of a cold key costs what it has to fetch from
 * memory.
 */
export class HotRows {
  // Of all rows one after the other: a row lies within one or two lines of the processor's cache. Whole milliseconds need no
  // object of their own there.
  readonly #slots: unknown[] = [];
  readonly #free: number[] = [];
  /** The rows of requests that name nothing but a symbol. */
  readonly #bySymbol = new Map<string, number>();
  readonly #counts: FastReads;

  /** @param counts - where reads of this kind are counted. */
  constructor(counts: FastReads) {
    this.#counts = counts;
  }

  /**
   * The read of whoever asks for `request` and nothing else, where it can be answered at once and there is nobody to tell of it. The
   * hot path: no key is built, and the cell stays untouched.
   */
  read(request: { readonly symbol: string }, clock: CoarseClock): Read<unknown> | undefined {
    const at = this.#find(request);
    if (at === NEVER) return undefined;
    const now = clock.read();
    const slots = this.#slots;
    if (!(now < (slots[at] as number))) return undefined;
    const ageMs = now - (slots[at + 1] as number);
    this.#count(ageMs);
    return { outcome: 'hit', value: slots[at + 2], ageMs };
  }

  /** {@link read} as a promise: made where the read is, so that the compiler knows that it is no thenable and looks for no `then`. */
  promise(request: { readonly symbol: string }, clock: CoarseClock): Promise<Read<unknown>> | undefined {
    const at = this.#find(request);
    if (at === NEVER) return undefined;
    const now = clock.read();
    const slots = this.#slots;
    if (!(now < (slots[at] as number))) return undefined;
    const ageMs = now - (slots[at + 1] as number);
    this.#count(ageMs);
    return Promise.resolve({ outcome: 'hit', value: slots[at + 2], ageMs });
  }

  #find(request: { readonly symbol: string }): number {
    for (const name in request) if (name !== 'symbol') return NEVER;
    const row = this.#bySymbol.get(request.symbol);
    return row === undefined ? NEVER : SLOTS * row;
  }

  #count(ageMs: number): void {
    const counts = this.#counts;
    counts.hits++;
    counts.hitAges?.add(ageMs);
  }

  /** Has plain requests for `symbol` find `row`. */
  name(symbol: string, row: number): void {
    this.#bySymbol.set(symbol, row);
  }

  /** Plain requests for `symbol` find nothing any more. */
  unname(symbol: string): void {
    this.#bySymbol.delete(symbol);
  }

  /** A row of its own for a new cell. */
  take(): number {
    return this.#free.pop() ?? (this.#slots.push(NEVER, NEVER, undefined) - SLOTS) / SLOTS;
  }

  /** The cell is gone. */
  give(row: number): void {
    this.set(row, NEVER, NEVER, undefined);
    this.#free.push(row);
  }

  /** @param until - until when a read may be answered by `value` without telling anybody; monotonic. */
  set(row: number, until: number, bornAt: number, value: unknown): void {
    const at = SLOTS * row;
    this.#slots[at] = until;
    this.#slots[at + 1] = bornAt;
    this.#slots[at + 2] = value;
  }
}
