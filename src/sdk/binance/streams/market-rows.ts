import { type Json, listOf, objectOf } from '../../shared/json.js';
import type { RowList } from '../../shared/streams/missed-rows.js';
import { numberedRows } from '../../shared/streams/numbered-rows.js';
import type { RowOrder } from '../../shared/streams/told-rows.js';
import type { Params } from '../wire.js';

/** JSON of a public GET, behind limits and retries. */
export type MarketRead = (path: string, params: Params) => Promise<unknown>;

/** An event of a market stream, in the venue's own names, and what the SDK goes on with; undefined where it was read. */
export interface MarketRow<M> {
  readonly event: Json;
  readonly message: M | undefined;
}

/** How the rows of a stream are told apart and where they are read again. */
export interface MarketRows {
  readonly order: RowOrder<MarketRow<never>>;
  readonly list: RowList<MarketRow<never>>;
}

const PAGE = 1_000;

function numbered(member: 't' | 'a'): RowOrder<MarketRow<never>> {
  const numberOf = ({ event }: MarketRow<never>): number => Number(event[member]);
  return { keyOf: ({ event }) => String(event[member]), placeOf: numberOf, timeOf: ({ event }) => Number(event.T), overlap: 0, isDense: true };
}

/** Trades have numbers without holes, and aggregates of them have their own. Source: binance-spot-api-docs, rest-api.md. */
const ORDERS: Readonly<Record<'trade' | 'aggTrade', RowOrder<MarketRow<never>>>> = { trade: numbered('t'), aggTrade: numbered('a') };

/** The trades of a stream `<symbol>@trade` or `@aggTrade`. @param hasKey - without, no more than the newest thousand trades can be read */
export function tradeRows(kind: keyof typeof ORDERS, symbol: string, read: MarketRead, hasKey: boolean): MarketRows {
  const order = ORDERS[kind];
  const name = kind === 'aggTrade' ? 'aggTrades' : hasKey ? 'historicalTrades' : 'trades';
  const eventOf = kind === 'aggTrade' ? aggTradeOf : tradeOf;
  const page = async (fromId: number | undefined, limit: number): Promise<MarketRow<never>[]> => {
    const rows = listOf(await read(`/api/v3/${name}`, { symbol, limit, ...(name === 'trades' ? {} : { fromId }) }), name);
    return rows.map((row) => ({ event: eventOf(objectOf(row, name), symbol), message: undefined }));
  };
  return { order, list: { read: (from, most) => numberedRows(page, order.placeOf, from, most) } };
}

function tradeOf(row: Json, symbol: string): Json {
  const { id, price, qty, time, isBuyerMaker, isBestMatch } = row;
  return { e: 'trade', E: time, s: symbol, t: id, p: price, q: qty, T: time, m: isBuyerMaker, M: isBestMatch };
}

function aggTradeOf(row: Json, symbol: string): Json {
  return { e: 'aggTrade', E: row.T, s: symbol, ...row };
}

/** Candles of a stream `<symbol>@kline_<interval>` that are over. @param until - when one begins that is not */
export function candleRows(symbol: string, interval: string, read: MarketRead, until: () => number): MarketRows {
  const beganAt = ({ event }: MarketRow<never>): number => Number((event.k as Json).t);
  return {
    order: { keyOf: (row) => String(beganAt(row)), placeOf: beganAt, timeOf: beganAt, overlap: 0, isDense: false },
    list: {
      async read(from, most) {
        const rows: MarketRow<never>[] = [];
        for (let startTime = from; rows.length < most; ) {
          const page = listOf(await read('/api/v3/klines', { symbol, interval, startTime, limit: PAGE }), 'klines');
          for (const row of page) rows.push({ event: candleOf(row as readonly unknown[], symbol, interval), message: undefined });
          const last = rows.at(-1);
          if (page.length < PAGE || last === undefined) break;
          startTime = beganAt(last) + 1;
        }
        return rows.filter((row) => beganAt(row) < until());
      },
    },
  };
}

// The list does not say which trades were the first and the last: -1, as Binance has it for none.
function candleOf(row: readonly unknown[], symbol: string, interval: string): Json {
  const [t, o, h, l, c, v, T, q, n, V, Q, B] = row;
  return { e: 'kline', E: T, s: symbol, k: { t, T, s: symbol, i: interval, f: -1, L: -1, o, c, h, l, v, n, x: true, q, V, Q, B } };
}
