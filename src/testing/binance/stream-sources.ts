import { intervalMs } from '../market/bars.js';
import { bookTick, type Market } from '../market/market.js';
import { type FeedSource, type Produce, TICK_MS } from '../served/market-feeds.js';
import type { VenueCore } from '../venue/venue-core.js';
import { deskById } from './endpoint.js';
import {
  aggregatePayload,
  bookTickerPayload,
  depthPayload,
  klinePayload,
  miniTickerPayload,
  partialDepthPayload,
  tickerPayload,
  tradePayload,
} from './stream-payloads.js';

const SECOND_MS = 1_000;
const NONE: readonly object[] = [];

/** The stream of a name such as `btcusdt@trade`; undefined where there is none. */
export function sourceOf(core: VenueCore, name: string): FeedSource | undefined {
  if (name === '!miniTicker@arr') return ofAll(core, miniTickerPayload);
  if (name === '!ticker@arr') return ofAll(core, tickerPayload);
  const [id = '', kind = '', pace] = name.split('@');
  const market = id === id.toLowerCase() ? deskById(core, id.toUpperCase())?.market : undefined;
  if (market === undefined) return undefined;
  if (kind.startsWith('kline_')) return klines(market, kind.slice('kline_'.length));
  if (kind.startsWith('depth')) return depth(market, kind.slice('depth'.length), pace);
  switch (kind) {
    case 'trade':
      return { everyMs: SECOND_MS, produce: (from, at, now) => market.tradesSince(from, at).map((trade) => tradePayload(market, trade, now)) };
    case 'aggTrade':
      return { everyMs: SECOND_MS, produce: (from, at, now) => market.tradesSince(from, at).map((trade) => aggregatePayload(market, trade, now)) };
    case 'bookTicker':
      return { everyMs: TICK_MS, produce: bookTickers(market) };
    case 'miniTicker':
      return { everyMs: SECOND_MS, produce: (_, at, now) => [miniTickerPayload(market, at, now)] };
    case 'ticker':
      return { everyMs: SECOND_MS, produce: (_, at, now) => [tickerPayload(market, at, now)] };
    default:
      return undefined;
  }
}

function ofAll(core: VenueCore, payload: (market: Market, at: number, venueNow: number) => object): FeedSource {
  return { everyMs: SECOND_MS, produce: (_, at, now) => [[...core.desks.values()].map(({ market }) => payload(market, at, now))] };
}

function bookTickers(market: Market): Produce {
  let last = '';
  return (_, at) => {
    const payload = bookTickerPayload(market, at);
    const look = `${String(payload.b)} ${String(payload.B)} ${String(payload.a)} ${String(payload.A)}`;
    if (look === last) return NONE;
    last = look;
    return [payload];
  };
}

function depth(market: Market, levels: string, pace: string | undefined): FeedSource | undefined {
  if (pace !== undefined && pace !== '100ms' && pace !== '1000ms') return undefined;
  const everyMs = pace === '100ms' ? TICK_MS : SECOND_MS;
  if (levels === '') return { everyMs, produce: depthUpdates(market) };
  if (!['5', '10', '20'].includes(levels)) return undefined;
  return { everyMs, produce: (_, at) => [partialDepthPayload(market, at, Number(levels))] };
}

// Update ids go on from the last update that was sent, so that a quiet stretch leaves no hole.
function depthUpdates(market: Market): Produce {
  let sent: number | undefined;
  return (from, at, now) => {
    const to = bookTick(at);
    const payload = depthPayload(market, sent ?? bookTick(from), to, now);
    sent ??= bookTick(from);
    if (payload === undefined) return NONE;
    sent = to;
    return [payload];
  };
}

function klines(market: Market, interval: string): FeedSource | undefined {
  let everyMs: number;
  try {
    everyMs = intervalMs(interval);
  } catch {
    return undefined;
  }
  return {
    everyMs: SECOND_MS,
    produce: (from, at, now) => {
      // From the last millisecond of a bar on it is final; the one that has just begun comes after it.
      const bars = market.bars(at, interval, everyMs, Math.floor(from / everyMs) * everyMs, 1_000);
      return Array.from(bars.t, (t, i) => klinePayload(market, bars, i, everyMs, t + everyMs <= at, now));
    },
  };
}
