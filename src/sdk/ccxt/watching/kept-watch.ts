import { KeptRows } from '../../shared/streams/kept-rows.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import { type CcxtReads, type CcxtRow, type RowMethod, watchedRows } from './watched-rows.js';

/** What a quiet market is given to tell something by itself, before what was missed is read. */
const LOOK_AFTER_MS = 1_000;
const MOST_BETWEEN_MS = 60_000;
/** How late what has happened may show in the lists. */
const LAG_MS = 2_000;

/** One `watch*` method of rows with certain symbols, such as `watchTrades('BTC/USDT')`, however often it is called. */
export interface KeptWatchParts {
  readonly sdk: CcxtReads;
  readonly method: RowMethod;
  readonly recovery: StreamRecovery;
  /** The symbols that it is about as far as that is known. */
  readonly symbols: () => Iterable<string>;
}

/**
 * Rows that ccxt.pro tells call by call: what was missed while a connection was lost comes first. Calls that wait at the same time
 * get the same rows, as ccxt gives them.
 */
export class KeptWatch {
  readonly #parts: KeptWatchParts;
  readonly #bySymbol = new Map<string, KeptRows<CcxtRow>>();
  readonly #start: number;
  #ready: CcxtRow[] = [];
  #wake = (): void => {};
  /** Of ccxt, for the next update; outlives a call that was given what was read meanwhile. */
  #live: Promise<readonly CcxtRow[]> | undefined;
  #next: Promise<readonly CcxtRow[]> | undefined;
  /** Whether the stream has told something since the last connection was lost. */
  #isConfirmed = true;
  /** How often it was read in vain since; undefined: not before there is a connection again. */
  #looks: number | undefined;

  constructor(parts: KeptWatchParts) {
    this.#parts = parts;
    this.#start = parts.recovery.clock.now();
  }

  /** The next rows. @param watch - ccxt's own, made again until it tells something */
  next(watch: () => Promise<readonly CcxtRow[]>): Promise<readonly CcxtRow[]> {
    this.#next ??= this.#rows(watch).finally(() => (this.#next = undefined));
    return this.#next;
  }

  /** A connection of the exchange is lost, this one's perhaps. */
  dropped(): void {
    this.#isConfirmed = false;
    this.#looks = undefined;
    for (const symbol of this.#parts.symbols()) this.#rowsOf(symbol);
    for (const rows of this.#bySymbol.values()) rows.interrupt();
    this.#wake();
  }

  /** A connection of the exchange is there, this one's perhaps. */
  connected(): void {
    this.#lookFrom(0);
  }

  async #rows(watch: () => Promise<readonly CcxtRow[]>): Promise<readonly CcxtRow[]> {
    while (this.#ready.length === 0) {
      const update = await this.#update((this.#live ??= watch()));
      if (update !== undefined) await this.#take(update);
    }
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** What ccxt tells; undefined where something else is to be looked at first. */
  async #update(live: Promise<readonly CcxtRow[]>): Promise<readonly CcxtRow[] | undefined> {
    const woken = new Promise<undefined>((resolve) => {
      this.#wake = () => resolve(undefined);
    });
    const looks = this.#isConfirmed ? undefined : this.#looks;
    const timer =
      looks === undefined
        ? undefined
        : this.#parts.recovery.clock.schedule(Math.min(LOOK_AFTER_MS * 2 ** looks, MOST_BETWEEN_MS), () => void this.#look(looks), true);
    try {
      const update = await Promise.race([live, woken]);
      if (update !== undefined) this.#live = undefined;
      return update;
    } catch (error) {
      this.#live = undefined;
      throw error;
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  // Nothing may come for long, and a fill must be heard of.
  async #look(looks: number): Promise<void> {
    this.#looks = undefined;
    const whole = await Promise.all([...this.#bySymbol.values()].map((rows) => rows.resume()));
    if (!whole.every(Boolean)) this.#lookFrom(looks + 1);
  }

  #lookFrom(looks: number): void {
    if (this.#isConfirmed || this.#parts.recovery.closing.aborted) return;
    this.#looks = looks;
    this.#wake();
  }

  async #take(update: readonly CcxtRow[]): Promise<void> {
    const isFirst = !this.#isConfirmed;
    this.#isConfirmed = true;
    if (isFirst) for (const rows of this.#bySymbol.values()) rows.interrupt();
    for (const row of update) this.#rowsOf(row.symbol).take(row);
    if (isFirst) await Promise.all([...this.#bySymbol.values()].map((rows) => rows.resume()));
  }

  #rowsOf(symbol: string): KeptRows<CcxtRow> {
    let rows = this.#bySymbol.get(symbol);
    if (rows === undefined) {
      const { sdk, method, recovery } = this.#parts;
      const { order, list, noted } = watchedRows(method, sdk, symbol, recovery.clock);
      const tell = (row: CcxtRow, isRecovered: boolean): void => {
        noted(row);
        this.#ready.push(isRecovered ? ({ ...row, recovered: true } as CcxtRow) : row);
        this.#wake();
      };
      rows = new KeptRows({ order, list, recovery, channel: method, symbol, lagMs: LAG_MS, tell }, order.isDense ? undefined : this.#start);
      this.#bySymbol.set(symbol, rows);
    }
    return rows;
  }
}
