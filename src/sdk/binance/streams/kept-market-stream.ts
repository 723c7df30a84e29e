import type { Json } from '../../shared/json.js';
import { KeptRows, type KeptRowsParts } from '../../shared/streams/kept-rows.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import { candleRows, type MarketRead, type MarketRow, type MarketRows, tradeRows } from './market-rows.js';

/** What market streams of an SDK are kept with. */
export interface MarketKeeping {
  readonly recovery: StreamRecovery;
  readonly read: MarketRead;
  /** Whether requests carry an API key. */
  readonly hasKey: boolean;
}

/** How messages of one stream are handed to the SDK. */
export interface MarketTelling<M> {
  readonly tell: (message: M) => void;
  /** One that was read, in the venue's own names, with `recovered: true`. */
  readonly tellRecovered: (event: Json) => void;
}

/** A stream of market data that misses nothing, or says so. */
export interface KeptMarketStream<M> {
  /** An event as it came, and what the SDK goes on with. */
  take(event: Json, message: M): void;
  /** The connection is lost. */
  interrupt(): void;
  /** Whether {@link resume} finds out what a silent stream should have told. */
  readonly canTell: boolean;
  /** There is one again. Resolves with whether the stream had something that was not told. */
  resume(): Promise<boolean>;
}

/** Binance lists what it streams at once, give or take. */
const LAG_MS = 1_000;

/** By the name of a stream, such as `btcusdt@trade`; undefined where the next message is the newest truth. */
export function keptMarketStream<M>(name: string, keeping: MarketKeeping, telling: MarketTelling<M>): KeptMarketStream<M> | undefined {
  const [id = '', kind = ''] = name.split('@');
  const symbol = id.toUpperCase();
  if (kind === 'trade' || kind === 'aggTrade') return new KeptTrades(keeping, telling, kind, symbol);
  if (kind.startsWith('kline_')) return new KeptCandles(keeping, telling, kind.slice('kline_'.length), symbol);
  return kind === 'depth' ? new WatchedDepth(keeping, telling, symbol) : undefined;
}

function rowsOf<M>(
  { recovery }: MarketKeeping,
  { tell, tellRecovered }: MarketTelling<M>,
  { order, list }: MarketRows,
  of: Pick<KeptRowsParts<MarketRow<M>>, 'channel' | 'symbol' | 'lagMs'>,
  start?: number,
): { readonly rows: KeptRows<MarketRow<M>>; readonly told: () => number } {
  let told = 0;
  const parts: KeptRowsParts<MarketRow<M>> = {
    order: order as KeptRowsParts<MarketRow<M>>['order'],
    list,
    recovery,
    ...of,
    tell: ({ event, message }) => {
      if (message !== undefined) tell(message);
      else {
        told++;
        tellRecovered({ ...event, recovered: true });
      }
    },
  };
  return { rows: new KeptRows(parts, start), told: () => told };
}

class KeptTrades<M> implements KeptMarketStream<M> {
  readonly canTell = true;
  readonly #rows: KeptRows<MarketRow<M>>;
  readonly #told: () => number;

  constructor(keeping: MarketKeeping, telling: MarketTelling<M>, kind: 'trade' | 'aggTrade', symbol: string) {
    const { rows, told } = rowsOf(keeping, telling, tradeRows(kind, symbol, keeping.read, keeping.hasKey), {
      channel: kind,
      symbol,
      lagMs: LAG_MS,
    });
    this.#rows = rows;
    this.#told = told;
  }

  take(event: Json, message: M): void {
    this.#rows.take({ event, message });
  }

  interrupt(): void {
    this.#rows.interrupt();
  }

  async resume(): Promise<boolean> {
    const before = this.#told();
    await this.#rows.resume();
    return this.#told() > before;
  }
}

/** Candles: each final one is told once; those that are forming are told as they come, except while final ones are read. */
class KeptCandles<M> implements KeptMarketStream<M> {
  readonly canTell = false;
  readonly #parts: readonly [keeping: MarketKeeping, telling: MarketTelling<M>, interval: string, symbol: string];
  #rows: KeptRows<MarketRow<M>> | undefined;
  #last: { readonly t: number; readonly T: number; readonly x: boolean } | undefined;

  constructor(...parts: [keeping: MarketKeeping, telling: MarketTelling<M>, interval: string, symbol: string]) {
    this.#parts = parts;
  }

  take(event: Json, message: M): void {
    const candle = event.k as { readonly t: number; readonly T: number; readonly x: boolean };
    const rows = (this.#rows ??= this.#newRows(candle.t));
    const before = this.#last;
    // A late one tells nothing that is not known.
    if (before === undefined || candle.t >= before.t) this.#last = candle;
    const hasHole = before !== undefined && candle.t > before.t && (!before.x || candle.t > before.T + 1);
    if (hasHole) rows.interrupt();
    if (candle.x) rows.take({ event, message });
    else if (!rows.isInterrupted) this.#parts[1].tell(message);
    if (hasHole) void rows.resume();
  }

  // What is missing shows with the next candle, which comes every other second.
  interrupt(): void {}

  resume(): Promise<boolean> {
    return Promise.resolve(false);
  }

  #newRows(start: number): KeptRows<MarketRow<M>> {
    const [keeping, telling, interval, symbol] = this.#parts;
    const until = (): number => this.#last?.t ?? start;
    const of = { channel: `kline_${interval}`, symbol, lagMs: 0 };
    return rowsOf(keeping, telling, candleRows(symbol, interval, keeping.read, until), of, start).rows;
  }
}

/** Changes of a book: what is missing can't be read again, and a book that is built of them must begin anew. So that is said. */
class WatchedDepth<M> implements KeptMarketStream<M> {
  readonly canTell = false;
  readonly #keeping: MarketKeeping;
  readonly #telling: MarketTelling<M>;
  readonly #symbol: string;
  #last: number | undefined;

  constructor(keeping: MarketKeeping, telling: MarketTelling<M>, symbol: string) {
    this.#keeping = keeping;
    this.#telling = telling;
    this.#symbol = symbol;
  }

  take({ U, u }: Json, message: M): void {
    const last = this.#last;
    this.#last = Number(u);
    if (last !== undefined && Number(U) > last + 1) {
      const { recovery } = this.#keeping;
      recovery.say('gap');
      recovery.done({ channel: 'depth', symbol: this.#symbol, rows: 0, isWhole: false });
    }
    this.#telling.tell(message);
  }

  interrupt(): void {}

  resume(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
