import type { Read } from '../contracts/cache-store.js';
import { SymbolState } from './cell.js';
import type { CoarseClock } from './coarse-clock.js';
import type { FastReads } from './fast-reads.js';

/** The symbols of one kind, and the commonest read: what is held of a symbol, for whoever asks for that and nothing else. */
export class SymbolTable {
  // An object instead of a Map: V8 looks up a string that it has met as a key before in less than half the time, by its address alone.
  // Without a prototype, so that every string is a key like any other, and never one of the few fixed shapes that V8 makes of objects.
  #states = Object.create(null) as Record<string, SymbolState>;
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
    const state = this.#plain(request);
    if (state === undefined) return undefined;
    const now = clock.read();
    if (!(now < state.until)) return undefined;
    const ageMs = now - state.bornAt;
    this.#count(ageMs);
    return { outcome: 'hit', value: state.value, ageMs };
  }

  /** {@link read} as a promise: made where the read is, so that the compiler knows that it is no thenable and looks for no `then`. */
  promise(request: { readonly symbol: string }, clock: CoarseClock): Promise<Read<unknown>> | undefined {
    const state = this.#plain(request);
    if (state === undefined) return undefined;
    const now = clock.read();
    if (!(now < state.until)) return undefined;
    const ageMs = now - state.bornAt;
    this.#count(ageMs);
    return Promise.resolve({ outcome: 'hit', value: state.value, ageMs });
  }

  get(symbol: string): SymbolState | undefined {
    return typeof symbol === 'string' ? this.#states[symbol] : undefined;
  }

  obtain(symbol: string): SymbolState {
    return (this.#states[symbol] ??= new SymbolState(symbol));
  }

  /** Lets go of `state`, unless another one has taken its place. */
  forget(state: SymbolState): void {
    if (this.#states[state.symbol] === state) Reflect.deleteProperty(this.#states, state.symbol);
  }

  values(): readonly SymbolState[] {
    return Object.values(this.#states);
  }

  clear(): void {
    this.#states = Object.create(null) as Record<string, SymbolState>;
  }

  #plain(request: { readonly symbol: string }): SymbolState | undefined {
    for (const name in request) if (name !== 'symbol') return undefined;
    // A caller without types may give nothing at all, which is refused where there is time for it.
    return this.get((request as typeof request | null | undefined)?.symbol as string);
  }

  #count(ageMs: number): void {
    const counts = this.#counts;
    counts.hits++;
    counts.hitAges?.add(ageMs);
  }
}
