import type { Market } from '../market/market.js';
import { type FeedSource, type Produce, TICK_MS } from '../served/market-feeds.js';
import type { VenueCore } from '../venue/venue-core.js';
import { barPayloads, bookPayload, quotePayload, tradeJson } from './market-payloads.js';

/** What can be subscribed to; those that a simulated market has nothing to say on stay silent. */
export const CHANNELS = [
  'trades',
  'quotes',
  'bars',
  'updatedBars',
  'dailyBars',
  'statuses',
  'lulds',
  'imbalances',
  'orderbooks',
  'news',
  'corrections',
  'cancelErrors',
] as const;
export type Channel = (typeof CHANNELS)[number];

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const BOOK_DEPTH = 20;
const NONE: readonly object[] = [];

// Times stay dates here: JSON writes them as RFC-3339, MessagePack as its own extension type.
const asDate = (ms: number): Date => new Date(ms);

/** The stream of a channel and symbol such as `trades.AAPL`; undefined where there is none. */
export function sourceOf(core: VenueCore, name: string): FeedSource | undefined {
  const dot = name.indexOf('.');
  const market = core.desks.get(name.slice(dot + 1))?.market;
  if (market === undefined) return undefined;
  const S = market.symbol.name;
  switch (name.slice(0, dot) as Channel) {
    case 'trades':
      return {
        everyMs: SECOND_MS,
        produce: (from, at) => market.tradesSince(from, at).map((trade) => ({ T: 't', S, ...tradeJson(market, trade, asDate) })),
      };
    case 'quotes':
      return { everyMs: TICK_MS, produce: quotes(market) };
    case 'bars':
      return { everyMs: MINUTE_MS, produce: (_, at) => closed(market, at).map((bar) => ({ T: 'b', S, ...bar })) };
    case 'dailyBars':
      return {
        everyMs: MINUTE_MS,
        produce: (_, at) =>
          barPayloads(market, at, { interval: '1d', everyMs: DAY_MS, start: undefined, limit: 1 }, asDate).map((bar) => ({ T: 'd', S, ...bar })),
      };
    // Each message is a whole book, which `r` says.
    case 'orderbooks':
      return { everyMs: SECOND_MS, produce: (_, at) => [{ T: 'o', S, ...bookPayload(market, at, BOOK_DEPTH, asDate), r: true }] };
    default:
      return undefined;
  }
}

function quotes(market: Market): Produce {
  let last = '';
  return (_, at) => {
    const quote = quotePayload(market, at, asDate);
    const look = `${String(quote.bp)} ${String(quote.bs)} ${String(quote.ap)} ${String(quote.as)}`;
    if (look === last) return NONE;
    last = look;
    return [{ T: 'q', S: market.symbol.name, ...quote }];
  };
}

/** The minute that has just ended. */
function closed(market: Market, at: number): readonly Record<string, unknown>[] {
  const start = Math.floor(at / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  return barPayloads(market, start + MINUTE_MS - 1, { interval: '1m', everyMs: MINUTE_MS, start, limit: 1 }, asDate);
}
