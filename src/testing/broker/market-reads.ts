import type { Bars, Instrument, MarketKind, MarketKinds, OrderBook, Quote, StreamUpdate, Trade } from '../../contracts/market-data.js';
import { requireOneOf } from '../../core/options.js';
import { intervalMs } from '../market/bars.js';
import { type Answer, done, refuse } from '../venue/answers.js';
import type { VenueCore } from '../venue/venue-core.js';
import { StreamLine } from './stream-line.js';

const UPDATE_EVERY_MS = 1_000;
const MOST = 1_000;

type Value = Quote | OrderBook | readonly Trade[] | Bars | Instrument;

/** What the venue answers to one request of market data at `at` (engine time); event times are the venue's. */
export function readMarket<K extends MarketKind>(
  core: VenueCore,
  kind: K,
  request: MarketKinds[K]['request'],
  at: number,
): Answer<MarketKinds[K]['value']> {
  return read(core, kind, request, at);
}

function read(core: VenueCore, kind: MarketKind, request: MarketKinds[MarketKind]['request'], at: number): Answer<Value> {
  const market = core.desks.get(request.symbol)?.market;
  if (market === undefined) return refuse('unknown_symbol', `Unknown symbol: ${String(request.symbol)}`);
  const { limit, depth, interval, since } = request as { limit?: number; depth?: number; interval?: string; since?: number };
  const stamp = core.venueClock.venueNow(at);
  switch (kind) {
    case 'quote':
      return done({ ...market.quote(at), eventTime: stamp });
    case 'book':
      return done({ ...market.book(at, depth ?? 20), eventTime: stamp });
    case 'trades':
      return done(market.trades(at, Math.min(limit ?? 50, MOST)));
    case 'instrument': {
      const { name, priceStep, qtyStep, minNotional } = market.symbol;
      return done({ symbol: name, priceStep, qtyStep, ...(minNotional !== undefined && { minNotional }) });
    }
    default:
      try {
        return done(market.bars(at, interval as string, intervalMs(interval as string), since, Math.min(limit ?? 500, MOST)));
      } catch (error) {
        return refuse('bad_parameter', (error as Error).message);
      }
  }
}

/** Quotes, books or new trades of `symbols`, looked at once a second; a symbol that stands still sends a heartbeat. */
export function marketStream(core: VenueCore, kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncIterable<StreamUpdate> {
  requireOneOf('kind', kind, ['quote', 'book', 'trades']);
  for (const symbol of symbols) requireOneOf('symbol', symbol, [...core.desks.keys()]);
  return {
    [Symbol.asyncIterator]: () => {
      const sent = symbols.map((symbol): Sent => ({ symbol, seq: 0, last: '', lookedAt: core.agenda.now }));
      let timer: Disposable | undefined;
      const look = (): void => {
        timer = core.clock.schedule(UPDATE_EVERY_MS, look);
        core.engine.catchUp();
        for (const one of sent) line.push(update(core, kind, one));
      };
      const line: StreamLine<StreamUpdate> = new StreamLine(core, 'stream', signal, () => timer?.[Symbol.dispose]());
      if (!signal.aborted) look();
      return line[Symbol.asyncIterator]();
    },
  };
}

interface Sent {
  readonly symbol: string;
  seq: number;
  last: string;
  lookedAt: number;
}

function update(core: VenueCore, kind: MarketKind, one: Sent): StreamUpdate {
  const at = core.agenda.now;
  const { market } = core.desks.get(one.symbol)!;
  const eventTime = core.venueClock.venueNow(at);
  if (kind === 'trades') {
    const value = market.tradesSince(one.lookedAt, at);
    one.lookedAt = at;
    if (value.length === 0) return { kind, symbol: one.symbol, eventTime, heartbeat: true };
    return { kind, symbol: one.symbol, value, previousSeq: one.seq, seq: ++one.seq, eventTime };
  }
  const look = `${market.bidUnits(at)} ${market.askUnits(at)}`;
  if (look === one.last) return { kind, symbol: one.symbol, eventTime, heartbeat: true };
  one.last = look;
  const answer = read(core, kind, { symbol: one.symbol }, at);
  const value = (answer as { readonly value: Quote | OrderBook }).value;
  return { kind, symbol: one.symbol, value, previousSeq: one.seq, seq: ++one.seq, eventTime };
}
