import type { Clock } from '../../../core/clock.js';
import type { RowList } from '../../shared/streams/missed-rows.js';
import { numberedRows } from '../../shared/streams/numbered-rows.js';
import type { RowOrder } from '../../shared/streams/told-rows.js';
import type { CcxtExchange } from '../exchange.js';

/** A trade or an order as ccxt unifies it, as far as it is used. */
export interface CcxtRow {
  readonly id?: string;
  readonly symbol: string;
  readonly timestamp?: number;
  readonly lastUpdateTimestamp?: number;
  readonly status?: string;
  readonly filled?: number;
  readonly price?: number;
  readonly amount?: number;
  readonly info?: unknown;
}

type Read = (symbol: string, since?: number, limit?: number, params?: object) => Promise<readonly CcxtRow[]>;

/** The reads that tell again what a `watch*` method tells. */
export interface CcxtReads extends CcxtExchange {
  readonly fetchTrades: Read;
  readonly fetchMyTrades: Read;
  readonly fetchOrders: Read;
  fetchOrder(id: string, symbol: string): Promise<CcxtRow>;
}

/** How the rows of one `watch*` method, of one symbol, are told apart and read again. */
export interface WatchedRows {
  readonly order: RowOrder<CcxtRow>;
  readonly list: RowList<CcxtRow>;
  /** Hears of every row that was told. */
  noted(row: CcxtRow): void;
}

export type RowMethod = 'watchTrades' | 'watchTradesForSymbols' | 'watchMyTrades' | 'watchOrders';

/** How late a row may be told, behind others that happened after it. */
const LATE_MS = 5_000;
/** Of the account's own, which are few. */
const OWN_LATE_MS = 60_000;
/** Rows of a page, at most of Binance. */
const PAGE = 1_000;

const timeOf = ({ timestamp }: CcxtRow): number => timestamp ?? Number.NaN;
const nothing = (): void => {};

export function watchedRows(method: RowMethod, sdk: CcxtReads, symbol: string, clock: Clock): WatchedRows {
  switch (method) {
    case 'watchTrades':
    case 'watchTradesForSymbols':
      return sdk.id === 'binance' ? binanceTrades(sdk, symbol) : tradesByTime(sdk, symbol);
    case 'watchMyTrades':
      return {
        order: { keyOf: ({ id }) => String(id), placeOf: timeOf, timeOf, overlap: OWN_LATE_MS, isDense: false },
        list: { read: (from) => everyPage((since) => sdk.fetchMyTrades(symbol, since, PAGE), from) },
        noted: nothing,
      };
    case 'watchOrders':
      return ownOrders(sdk, symbol, clock);
  }
}

function tradesByTime(sdk: CcxtReads, symbol: string): WatchedRows {
  const keyOf = ({ id, timestamp, price, amount }: CcxtRow): string => id ?? `${timestamp} ${price} ${amount}`;
  return {
    order: { keyOf, placeOf: timeOf, timeOf, overlap: LATE_MS, isDense: false },
    list: { read: (from) => everyPage((since) => sdk.fetchTrades(symbol, since, PAGE), from) },
    noted: nothing,
  };
}

/** Binance numbers the trades of a symbol without holes, and aggregates apart. Source: binance-spot-api-docs, rest-api.md. */
function binanceTrades(sdk: CcxtReads, symbol: string): WatchedRows {
  const numberOf = ({ id }: CcxtRow): number => Number(id);
  let isAggregate = false;
  const page = (fromId: number | undefined, limit: number): Promise<readonly CcxtRow[]> => {
    const mayLookUp = isAggregate || (sdk.apiKey !== undefined && sdk.apiKey !== '');
    const fetchTradesMethod = isAggregate ? 'publicGetAggTrades' : mayLookUp ? 'publicGetHistoricalTrades' : 'publicGetTrades';
    return sdk.fetchTrades(symbol, undefined, limit, { fetchTradesMethod, ...(fromId === undefined || !mayLookUp ? {} : { fromId }) });
  };
  return {
    order: { keyOf: ({ id }) => String(id), placeOf: numberOf, timeOf, overlap: 0, isDense: true },
    list: { read: (from, most) => numberedRows(page, numberOf, from, most) },
    noted: ({ info }) => {
      isAggregate = (info as { readonly e?: unknown } | undefined)?.e === 'aggTrade';
    },
  };
}

/** All rows since a time, of a list that gives the first of them, oldest first. */
async function everyPage(page: (since: number) => Promise<readonly CcxtRow[]>, from: number): Promise<readonly CcxtRow[]> {
  const rows = new Map<string, CcxtRow>();
  for (let since = from; ; ) {
    const more = await page(since);
    for (const row of more) rows.set(`${row.id} ${row.timestamp}`, row);
    const next = more.at(-1)?.timestamp ?? since;
    // A page that ends where it began has no next one.
    if (more.length < PAGE || next <= since) return [...rows.values()];
    since = next;
  }
}

// Orders are listed by when they were made: what was open is asked for one by one.
function ownOrders(sdk: CcxtReads, symbol: string, clock: Clock): WatchedRows {
  const open = new Set<string>();
  const changedAt = ({ lastUpdateTimestamp, timestamp }: CcxtRow): number => lastUpdateTimestamp ?? timestamp ?? clock.now();
  return {
    order: {
      keyOf: ({ id, status, filled, price, amount }) => `${id} ${status} ${filled} ${price} ${amount}`,
      placeOf: changedAt,
      timeOf: changedAt,
      overlap: OWN_LATE_MS,
      isDense: false,
    },
    list: {
      async read(from) {
        const rows = [...(await everyPage((since) => sdk.fetchOrders(symbol, since, PAGE), from))];
        const listed = new Set(rows.map(({ id }) => id));
        for (const id of open) if (!listed.has(id)) rows.push(await sdk.fetchOrder(id, symbol));
        return rows.sort((a, b) => changedAt(a) - changedAt(b));
      },
    },
    noted: ({ id, status }) => {
      if (status === 'open') open.add(String(id));
      else open.delete(String(id));
    },
  };
}
