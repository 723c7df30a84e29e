import type { Trade } from '../../contracts/market-data.js';
import { intervalMs } from '../market/bars.js';
import { dayOf } from '../market/day-statistics.js';
import { type Market, TRADE_EVERY_MS } from '../market/market.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { deskById, deskOf, type Endpoint, integer, isReply, type Request } from './endpoint.js';
import { eight, symbolJson } from './wire-format.js';
import { failure } from './wire-reply.js';

const DAY_MS = 86_400_000;

const oneOrAll =
  (one: number, all: number) =>
  (params: URLSearchParams): number =>
    params.has('symbol') ? one : all;

/** The public part of the wire contract: time, symbols, prices. */
export const marketEndpoints: Readonly<Record<string, Endpoint>> = {
  'GET /api/v3/ping': { operation: 'ping', signed: false, weight: 1, run: () => ok({}) },
  'GET /api/v3/time': { operation: 'serverTime', signed: false, weight: 1, run: ({ core }) => ok({ serverTime: core.venueClock.venueNow() }) },
  'GET /api/v3/exchangeInfo': { operation: 'instrument', signed: false, weight: 20, run: exchangeInfo },
  'GET /api/v3/ticker/24hr': { operation: 'quote', signed: false, weight: weightOf24hr, run: (request) => perSymbol(request, ticker24hr) },
  'GET /api/v3/ticker/price': { operation: 'quote', signed: false, weight: oneOrAll(2, 4), run: (request) => perSymbol(request, tickerPrice) },
  'GET /api/v3/ticker/bookTicker': { operation: 'quote', signed: false, weight: oneOrAll(2, 4), run: (request) => perSymbol(request, bookTicker) },
  'GET /api/v3/depth': { operation: 'book', signed: false, weight: weightOfDepth, run: depth },
  'GET /api/v3/klines': { operation: 'bars', signed: false, weight: 2, run: klines },
  'GET /api/v3/trades': { operation: 'trades', signed: false, weight: 25, run: (request) => trades(request, tradeRow) },
  'GET /api/v3/historicalTrades': { operation: 'trades', signed: false, needsKey: true, weight: 25, run: (request) => trades(request, tradeRow) },
  'GET /api/v3/aggTrades': { operation: 'trades', signed: false, weight: 4, run: (request) => trades(request, aggregateRow) },
  'GET /sapi/v1/margin/allPairs': { operation: 'instrument', signed: false, weight: 1, run: () => ok([]) },
  'GET /sapi/v1/margin/isolated/allPairs': { operation: 'instrument', signed: false, weight: 1, run: () => ok([]) },
};

function exchangeInfo({ core, params }: Request): WireReply {
  const ids = symbolIds(params);
  const listed = ids === undefined ? [...core.desks.values()] : ids.map((id) => deskById(core, id));
  if (listed.includes(undefined)) return failure(-1121, 'Invalid symbol.');
  return ok({
    timezone: 'UTC',
    serverTime: core.venueClock.venueNow(),
    rateLimits: core.meter.limits.flatMap((limit) =>
      limit.kind === 'window'
        ? [
            {
              rateLimitType: limit.scope === 'ip' ? 'REQUEST_WEIGHT' : 'ORDERS',
              interval: limit.perMs % 60_000 === 0 ? 'MINUTE' : 'SECOND',
              intervalNum: limit.perMs / (limit.perMs % 60_000 === 0 ? 60_000 : 1_000),
              limit: limit.units,
            },
          ]
        : [],
    ),
    exchangeFilters: [],
    symbols: listed.map((desk) => symbolJson(desk!.market.symbol)),
  });
}

type Row = (market: Market, at: number, venueNow: number) => unknown;

function perSymbol({ core, params }: Request, row: Row): WireReply {
  const at = core.agenda.now;
  const venueNow = core.venueClock.venueNow(at);
  const ids = symbolIds(params);
  const desks = ids === undefined ? [...core.desks.values()] : ids.map((id) => deskById(core, id));
  if (desks.includes(undefined)) return failure(-1121, 'Invalid symbol.');
  const rows = desks.map((desk) => row(desk!.market, at, venueNow));
  return ok(params.has('symbol') ? rows[0] : rows);
}

// `symbol`, a JSON list in `symbols`, or neither for all of them.
function symbolIds(params: URLSearchParams): readonly string[] | undefined {
  const symbol = params.get('symbol');
  if (symbol !== null) return [symbol];
  const symbols = params.get('symbols');
  return symbols === null ? undefined : [...symbols.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
}

function ticker24hr(market: Market, at: number, venueNow: number): unknown {
  const quote = market.quote(at);
  const day = dayOf(market, at);
  return {
    symbol: market.symbol.id,
    priceChange: eight(day.last - day.open),
    priceChangePercent: ((day.last / day.open - 1) * 100).toFixed(3),
    weightedAvgPrice: eight((day.open + day.last) / 2),
    prevClosePrice: eight(day.open),
    lastPrice: eight(day.last),
    lastQty: eight(quote.bidSize ?? 0),
    bidPrice: eight(quote.bid),
    bidQty: eight(quote.bidSize ?? 0),
    askPrice: eight(quote.ask),
    askQty: eight(quote.askSize ?? 0),
    openPrice: eight(day.open),
    highPrice: eight(day.high),
    lowPrice: eight(day.low),
    volume: eight(day.volume),
    quoteVolume: eight(day.volume * day.last),
    openTime: venueNow - DAY_MS,
    closeTime: venueNow,
    firstId: 0,
    lastId: Math.floor(at / 1_000),
    count: DAY_MS / 1_000,
  };
}

function tickerPrice(market: Market, at: number): unknown {
  return { symbol: market.symbol.id, price: eight(market.quote(at).last ?? 0) };
}

function bookTicker(market: Market, at: number): unknown {
  const { bid, ask, bidSize = 0, askSize = 0 } = market.quote(at);
  return { symbol: market.symbol.id, bidPrice: eight(bid), bidQty: eight(bidSize), askPrice: eight(ask), askQty: eight(askSize) };
}

function depth(request: Request): WireReply {
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const book = desk.market.book(request.core.agenda.now, integer(request.params, 'limit') ?? 100);
  const rows = (side: typeof book.bids): readonly (readonly [string, string])[] => side.map(([price, size]) => [eight(price), eight(size)]);
  return ok({ lastUpdateId: book.seq, bids: rows(book.bids), asks: rows(book.asks) });
}

function klines(request: Request): WireReply {
  const { core, params } = request;
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const interval = params.get('interval') ?? '';
  let every: number;
  try {
    every = intervalMs(interval);
  } catch {
    return failure(-1120, 'Invalid interval.');
  }
  const until = Math.min(core.agenda.now, integer(params, 'endTime') ?? Infinity);
  const bars = desk.market.bars(until, interval, every, integer(params, 'startTime'), Math.min(integer(params, 'limit') ?? 500, 1_000));
  return ok(
    Array.from(bars.t, (t, i) => [
      t,
      eight(bars.open[i]!),
      eight(bars.high[i]!),
      eight(bars.low[i]!),
      eight(bars.close[i]!),
      eight(bars.volume[i]!),
      t + every - 1,
      eight(bars.volume[i]! * bars.close[i]!),
      Math.ceil(every / 1_000),
      eight(bars.volume[i]! / 2),
      eight((bars.volume[i]! * bars.close[i]!) / 2),
      '0',
    ]),
  );
}

interface TapeRow {
  readonly id: number;
  readonly price: string;
  readonly qty: string;
  readonly time: number;
  readonly isSell: boolean;
}

function trades(request: Request, row: (trade: TapeRow) => unknown): WireReply {
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  return ok(
    tapeOf(desk.market, request).map(({ id, price, size, side, eventTime }) =>
      row({ id: Number(id), price: eight(price), qty: eight(size), time: eventTime, isSell: side === 'sell' }),
    ),
  );
}

// From where the caller asks to start, the first ones; else the newest ones. One trade is one aggregate, of the same number.
function tapeOf(market: Market, { core, params }: Request): readonly Trade[] {
  const limit = Math.min(integer(params, 'limit') ?? 500, 1_000);
  const { now } = core.agenda;
  const startTime = integer(params, 'startTime');
  const first = integer(params, 'fromId') ?? (startTime === undefined ? undefined : Math.ceil(startTime / TRADE_EVERY_MS));
  const last = Math.floor(Math.min(now, integer(params, 'endTime') ?? now) / TRADE_EVERY_MS);
  if (first === undefined) return market.trades(now, limit);
  const count = Math.max(0, Math.min(limit, last - first + 1));
  return market.trades((first + count - 1) * TRADE_EVERY_MS, count);
}

function tradeRow({ id, price, qty, time, isSell }: TapeRow): unknown {
  return { id, price, qty, quoteQty: eight(Number(price) * Number(qty)), time, isBuyerMaker: isSell, isBestMatch: true };
}

function aggregateRow({ id, price, qty, time, isSell }: TapeRow): unknown {
  return { a: id, p: price, q: qty, f: id, l: id, T: time, m: isSell, M: true };
}

function weightOf24hr(params: URLSearchParams): number {
  const count = symbolIds(params)?.length ?? Infinity;
  return count <= 20 ? 2 : count <= 100 ? 40 : 80;
}

function weightOfDepth(params: URLSearchParams): number {
  const limit = integer(params, 'limit') ?? 100;
  return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250;
}
