import { dayOf } from '../market/day-statistics.js';
import type { Market } from '../market/market.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Desk } from '../venue/desk.js';
import { assetAltname, assetId, pairId } from './asset-codes.js';
import { deskOf, type Endpoint, numberIn, type Request } from './endpoint.js';
import { pairJson, priceText, seconds, volume } from './wire-format.js';
import { invalid, result, UNKNOWN_PAIR } from './wire-reply.js';

const MINUTE_MS = 60_000;
/** Source: docs.kraken.com, Get OHLC data. */
const INTERVALS = [1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600];
const MOST_BARS = 720;
const MOST_TRADES = 1_000;
const MOST_LEVELS = 500;

const open = (operation: Endpoint['operation'], run: Endpoint['run']): Endpoint => ({ operation, isPrivate: false, counts: 0, run });

/** The public part of the wire contract. Its limits go by IP and pair, without a number that is told: none is kept. */
export const marketEndpoints: Readonly<Record<string, Endpoint>> = {
  '/0/public/Time': open('serverTime', time),
  '/0/public/SystemStatus': open('ping', status),
  '/0/public/Assets': open('instrument', assets),
  '/0/public/AssetPairs': open('instrument', (request) => ofPairs(request, ({ symbol }) => pairJson(symbol))),
  '/0/public/Ticker': open('quote', (request) => ofPairs(request, (market) => tickerOf(market, request.core.agenda.now))),
  '/0/public/Depth': open('book', (request) => ofPair(request, depth)),
  '/0/public/OHLC': open('bars', (request) => ofPair(request, bars)),
  '/0/public/Trades': open('trades', (request) => ofPair(request, trades)),
};

// In whole seconds, as Kraken tells it.
function time({ core }: Request): WireReply {
  const now = core.venueClock.venueNow();
  return result({ unixtime: Math.floor(now / 1_000), rfc1123: new Date(now).toUTCString() });
}

function status({ core }: Request): WireReply {
  return result({ status: 'online', timestamp: new Date(core.venueClock.venueNow()).toISOString() });
}

function assets({ core }: Request): WireReply {
  const names = new Set(core.symbols.flatMap(({ base, quote }) => [base, quote]));
  const row = (name: string): readonly [string, object] => [
    assetId(name),
    { aclass: 'currency', altname: assetAltname(name), decimals: 10, display_decimals: 8, status: 'enabled' },
  ];
  return result(Object.fromEntries([...names].map(row)));
}

/** By id: of the pairs that are asked for, or of all. */
function ofPairs({ core, params }: Request, row: (market: Market) => unknown): WireReply {
  const asked = params.get('pair');
  const desks = asked === null || asked === '' ? [...core.desks.values()] : asked.split(',').map((pair) => deskOf(core, pair));
  if (desks.includes(undefined)) return UNKNOWN_PAIR;
  return result(Object.fromEntries((desks as Desk[]).map(({ market }) => [pairId(market.symbol), row(market)])));
}

function ofPair(request: Request, answer: (request: Request, market: Market, id: string) => WireReply): WireReply {
  const desk = deskOf(request.core, request.params.get('pair') ?? '');
  return desk === undefined ? UNKNOWN_PAIR : answer(request, desk.market, pairId(desk.market.symbol));
}

function tickerOf(market: Market, at: number): unknown {
  const { symbol } = market;
  const { bid, ask, bidSize = 0, askSize = 0 } = market.quote(at);
  const day = dayOf(market, at);
  const price = (value: number): string => priceText(symbol, value);
  const middle = (day.open + day.last) / 2;
  return {
    a: [price(ask), String(Math.ceil(askSize)), askSize.toFixed(3)],
    b: [price(bid), String(Math.ceil(bidSize)), bidSize.toFixed(3)],
    c: [price(day.last), volume(bidSize)],
    v: [volume(day.volume), volume(day.volume)],
    p: [price(middle), price(middle)],
    t: [86_400, 86_400],
    l: [price(day.low), price(day.low)],
    h: [price(day.high), price(day.high)],
    o: price(day.open),
  };
}

function depth({ core, params }: Request, market: Market, id: string): WireReply {
  const at = core.agenda.now;
  const count = Math.min(numberIn(params, 'count') ?? 100, MOST_LEVELS);
  const book = market.book(at, count);
  const stamp = Math.floor(core.venueClock.venueNow(at) / 1_000);
  const rows = (side: typeof book.bids): unknown[] => side.map(([price, size]) => [priceText(market.symbol, price), size.toFixed(3), stamp]);
  return result({ [id]: { asks: rows(book.asks), bids: rows(book.bids) } });
}

function bars({ core, params }: Request, market: Market, id: string): WireReply {
  const interval = numberIn(params, 'interval') ?? 1;
  if (!INTERVALS.includes(interval)) return invalid('interval');
  const since = numberIn(params, 'since');
  const every = interval * MINUTE_MS;
  const from = since === undefined ? undefined : (since + 1) * 1_000;
  const found = market.bars(core.agenda.now, `${interval}m`, every, from, MOST_BARS);
  const price = (value: number | undefined): string => priceText(market.symbol, value ?? 0);
  const rows = Array.from(found.t, (t, i) => [
    seconds(t),
    price(found.open[i]),
    price(found.high[i]),
    price(found.low[i]),
    price(found.close[i]),
    price((found.open[i]! + found.close[i]!) / 2),
    volume(found.volume[i] ?? 0),
    Math.ceil(every / 1_000),
  ]);
  return result({ [id]: rows, last: seconds(found.t.at(-2) ?? 0) });
}

function trades({ core, params }: Request, market: Market, id: string): WireReply {
  const count = Math.min(numberIn(params, 'count') ?? MOST_TRADES, MOST_TRADES);
  const tape = market.trades(core.agenda.now, count);
  const rows = tape.map(({ price, size, side, eventTime, id: tradeId }) => [
    priceText(market.symbol, price),
    volume(size),
    seconds(eventTime),
    side === 'sell' ? 's' : 'b',
    'l',
    '',
    Number(tradeId),
  ]);
  return result({ [id]: rows, last: String((tape.at(-1)?.eventTime ?? 0) * 1_000_000) });
}
