import { asError } from '../../../core/errors.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import { KeptWatch } from './kept-watch.js';
import type { CcxtReads, CcxtRow, RowMethod } from './watched-rows.js';

/** As ccxt gives it: time of its beginning, open, high, low, close, volume. */
export type Candle = readonly number[];

interface CandleReads extends CcxtReads {
  /** Unless it is switched off, calls tell what is new, and not all that is held. */
  readonly newUpdates?: boolean;
  fetchOHLCV(symbol: string, timeframe: string, since: number, limit: number): Promise<readonly Candle[]>;
}

interface KeptCandles {
  last: number;
  isStale: boolean;
}

/** Of a page, at most of Binance. */
const CANDLES = 1_000;

/** What an exchange's `watch*` methods have told, by method and symbols. */
export class KeptWatches {
  readonly #sdk: CandleReads;
  readonly #recovery: StreamRecovery;
  readonly #watches = new Map<string, KeptWatch>();
  readonly #candles = new Map<string, KeptCandles>();
  readonly #ordered = new Set<string>();

  constructor(sdk: CcxtReads, recovery: StreamRecovery) {
    this.#sdk = sdk as CandleReads;
    this.#recovery = recovery;
  }

  /** A connection of the exchange is lost. */
  dropped(): void {
    for (const watch of this.#watches.values()) watch.dropped();
    for (const candles of this.#candles.values()) candles.isStale = true;
  }

  /** There is a connection again. */
  connected(): void {
    for (const watch of this.#watches.values()) watch.connected();
  }

  /** The bot has ordered something. */
  ordered(symbol: unknown): void {
    if (typeof symbol === 'string') this.#ordered.add(symbol);
  }

  rows(method: RowMethod, args: readonly unknown[], watch: () => Promise<readonly CcxtRow[]>): Promise<readonly CcxtRow[]> {
    const [of, since, limit] = args;
    // Who asks for a part has holes of his own.
    if (limit !== undefined || since !== undefined || this.#sdk.newUpdates === false) return watch();
    const key = `${method} ${JSON.stringify(of)}`;
    let kept = this.#watches.get(key);
    if (kept === undefined) {
      const symbols = (): Iterable<string> => (Array.isArray(of) ? of.map(String) : typeof of === 'string' ? [of] : this.#ordered);
      kept = new KeptWatch({ sdk: this.#sdk, method, recovery: this.#recovery, symbols });
      this.#watches.set(key, kept);
    }
    return kept.next(watch);
  }

  /** Candles from the last that was told on, which was still forming then, before those that come after an interruption. */
  async candles(args: readonly unknown[], watch: () => Promise<readonly Candle[]>): Promise<readonly Candle[]> {
    const [symbol, timeframe = '1m', since, limit] = args;
    const update = await watch();
    if (limit !== undefined || since !== undefined || this.#sdk.newUpdates === false) return update;
    const key = `${String(symbol)} ${String(timeframe)}`;
    const held = this.#candles.get(key);
    const missed = held?.isStale === true ? await this.#missed(String(symbol), String(timeframe), held.last, update[0]?.[0] ?? 0) : [];
    const rows = [...missed, ...update];
    const last = rows.at(-1)?.[0];
    if (last !== undefined) this.#candles.set(key, { last, isStale: false });
    return missed.length > 0 ? rows : update;
  }

  async #missed(symbol: string, timeframe: string, from: number, until: number): Promise<readonly Candle[]> {
    const recovery = this.#recovery;
    const { maxAgeMs, maxRows } = recovery.bounds;
    const oldest = recovery.clock.now() - maxAgeMs;
    const most = Math.min(maxRows, CANDLES);
    let rows: readonly Candle[] = [];
    let isWhole = false;
    try {
      const read = await this.#sdk.fetchOHLCV(symbol, timeframe, Math.max(from, oldest), most);
      rows = read.filter(([at = 0]) => at >= from && at < until);
      isWhole = from >= oldest && (read.length < most || (read.at(-1)?.[0] ?? 0) >= until);
    } catch (error) {
      if (!recovery.closing.aborted) recovery.failed('watchOHLCV', symbol, asError(error));
    }
    recovery.done({ channel: 'watchOHLCV', symbol, rows: rows.length, isWhole });
    return rows;
  }
}
