import { afterEach, describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../../src/contracts/events.js';
import type { MarketKind, StreamUpdate } from '../../../../src/contracts/market-data.js';
import { systemClock } from '../../../../src/core/clock.js';
import { release, resilient, toAdapter } from '../../../../src/sdk/alpaca/index.js';
import { serveAlpaca } from '../../../../src/testing/index.js';
import { freePort } from '../../../setup/free-port.js';
import { alpacaVenue, type Driver, givenResilient, newV3, newV4, type V4 } from './given.js';

interface Update {
  readonly event: string;
  readonly order: { readonly id: string; readonly status: string; readonly filled_qty: string };
  readonly qty?: string;
  readonly recovered?: boolean;
}

const leave: (() => void)[] = [];
afterEach(() => {
  for (const one of leave.splice(0)) one();
});

/** Follows trade updates as a bot of that version does. */
async function following({ version, sdk }: Driver): Promise<{ updates: Update[]; until(done: (updates: Update[]) => boolean): Promise<void> }> {
  const updates: Update[] = [];
  let wake = (): void => {};
  const take = (update: Update): void => {
    updates.push(update);
    wake();
  };
  await new Promise<void>((listening) => {
    if (version === 4) {
      const stream = (sdk as V4).trading.stream({ initialReconnectMs: 50, reconnectJitter: 0 });
      stream.on('subscription', () => listening());
      stream.onTradeUpdate((update) => take(update as unknown as Update));
      stream.subscribeTradeUpdates();
      stream.connect();
      leave.push(() => stream.disconnect());
      return;
    }
    const stream = (sdk as { trade_ws: V3TradeStream }).trade_ws;
    stream.onConnect(() => {
      stream.subscribe(['trade_updates']);
      setTimeout(listening, 100);
    });
    stream.onOrderUpdate(take);
    stream.connect();
    leave.push(() => stream.disconnect());
  });
  const until = async (done: (seen: Update[]) => boolean): Promise<void> => {
    while (!done(updates)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { updates, until };
}

interface V3TradeStream {
  onConnect(listener: () => void): void;
  onOrderUpdate(listener: (update: Update) => void): void;
  subscribe(keys: string[]): void;
  connect(): void;
  disconnect(): void;
}

describe.each([
  ['3', newV3],
  ['4', newV4],
] as const)('trade updates of a resilient @alpacahq/alpaca-trade-api %s', (_, make) => {
  it('tell what happened while the connection was down, each once, and go on', async () => {
    const bus = new EventBus<VenueKitEvents>();
    const states: string[] = [];
    bus.on('stream.state', ({ state }) => states.push(state));
    await using given = await givenResilient(make, { bus });
    const { venue, bot } = given;
    const { updates, until } = await following(bot);
    const resting = await bot.place({ symbol: 'AAPL', qty: '2', side: 'buy', limit: '150' });
    const doomed = await bot.place({ symbol: 'MSFT', qty: '1', side: 'buy', limit: '300' });
    await until((seen) => seen.length === 2);
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'events', times: 1 });
    // The first of these cuts the connection; none of them is told by the venue.
    const [first, second] = venue.orders().map(({ venueOrderId }) => venueOrderId);
    venue.fill(first as string, { qty: '0.5' });
    venue.fill(first as string);
    venue.cancelExternal(second as string);
    await until((seen) => seen.some(({ event }) => event === 'canceled') && seen.some(({ event }) => event === 'fill'));
    expect(
      updates
        .map(
          ({ event, order, qty, recovered }) =>
            `${event} ${order.id === resting.id ? 'resting' : order.id === doomed.id ? 'doomed' : '?'} ${qty} ${recovered}`,
        )
        .sort(),
    ).toEqual(
      [
        'new resting undefined undefined',
        'new doomed undefined undefined',
        'partial_fill resting 0.5 true',
        'fill resting 1.5 true',
        'canceled doomed undefined true',
      ].sort(),
    );
    const third = await bot.place({ symbol: 'AAPL', qty: '1', side: 'buy' });
    await until((seen) => seen.some(({ event, order }) => event === 'fill' && order.id === third.id));
    expect(updates.filter(({ order }) => order.id === third.id).map(({ event, recovered }) => [event, recovered])).toEqual([
      ['new', undefined],
      ['fill', undefined],
    ]);
    expect(states).toEqual(['live', 'down', 'recovering', 'live']);
  });

  it('are told once where the venue sends them twice', async () => {
    await using given = await givenResilient(make);
    const { venue, bot } = given;
    const { updates, until } = await following(bot);
    venue.fault({ when: 'after', kind: 'stream_duplicate', operation: 'events' });
    await bot.place({ symbol: 'AAPL', qty: '1', side: 'buy' });
    await bot.place({ symbol: 'AAPL', qty: '3', side: 'buy' });
    await until((seen) => seen.filter(({ event }) => event === 'fill').length === 2);
    expect(updates.map(({ event }) => event)).toEqual(['new', 'fill', 'new', 'fill']);
  });
});

describe('the adapter’s own stream of orders', () => {
  it('opens with synced, tells orders, and ends when the connection does', async () => {
    const venue = alpacaVenue();
    await using served = await serveAlpaca(venue);
    const adapter = toAdapter(served.connect(newV4()));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of adapter.events!(new AbortController().signal)) {
        seen.push(event.kind === 'order' ? `${event.order.symbol} ${event.order.state} ${event.order.filledQty}` : event.kind);
        if (event.kind === 'synced') venue.placeExternal({ symbol: 'AAPL', side: 'buy', type: 'market', qty: '1' });
        if (seen.length === 3) {
          venue.fault({ when: 'after', kind: 'stream_drop', operation: 'events', times: 1 });
          venue.placeExternal({ symbol: 'AAPL', side: 'buy', type: 'market', qty: '1' });
        }
      }
    })();
    await expect(reading).rejects.toThrow(/order stream was closed/);
    expect(seen).toEqual(['synced', 'AAPL working 0', 'AAPL filled 1']);
  });

  it('says so where the credentials are refused', async () => {
    await using served = await serveAlpaca(alpacaVenue());
    const sdk = served.connect(newV4());
    (sdk as unknown as { trading: { config: { configuration: { secret: string } } } }).trading.config.configuration.secret = 'wrong';
    const events = toAdapter(sdk).events!(new AbortController().signal)[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toThrow(/refused the credentials/);
  });
});

interface V3DataStream {
  readonly session: { reconnect: boolean };
  onConnect(listener: () => void): void;
  onStockTrade(listener: (trade: { Symbol: string }) => void): void;
  onError(listener: (error: unknown) => void): void;
  subscribeForTrades(symbols: string[]): void;
  connect(): void;
  disconnect(): void;
}

describe('market-data streams of a resilient SDK', () => {
  it('of version 3 outlive a venue that is away while they reconnect, which ends the raw ones', async () => {
    const port = await freePort();
    const venue = alpacaVenue();
    let served = await serveAlpaca(venue, { port });
    const sdk = served.connect(newV3());
    resilient(sdk);
    const stream = (sdk as unknown as { data_stream_v2: V3DataStream }).data_stream_v2;
    leave.push(() => stream.disconnect());
    let trades = 0;
    let wake = (): void => {};
    const errors: unknown[] = [];
    stream.onConnect(() => stream.subscribeForTrades(['AAPL']));
    stream.onError((error) => errors.push(error));
    stream.onStockTrade(() => {
      trades++;
      wake();
    });
    const next = async (): Promise<void> => {
      const before = trades;
      while (trades === before) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    stream.connect();
    await next();
    await served.close();
    while (errors.length === 0) await systemClock.sleep(20);
    served = await serveAlpaca(venue, { port });
    await next();
    expect(String(errors[0])).toMatch(/ECONNREFUSED/);
    stream.disconnect();
    await release(sdk);
    await served.close();
  });
});

describe('rows that version 3 gives one after the other', () => {
  it('come each once through pages that fail', async () => {
    await using given = await givenResilient(newV3);
    const { sdk, venue } = given;
    const start = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 30 * 60_000).toISOString();
    for (const kind of ['reset', 'html', 'half_body'] as const) venue.fault({ operation: 'bars', when: 'after', kind, times: 1 });
    const rows: string[] = [];
    const bars = (sdk as unknown as { getBarsV2(symbol: string, options: object): AsyncIterable<{ Timestamp: string }> }).getBarsV2('AAPL', {
      timeframe: '1Min',
      start,
      limit: 20,
      pageLimit: 4,
    });
    for await (const bar of bars) {
      rows.push(bar.Timestamp);
      if (rows.length === 9) venue.fault({ operation: 'bars', when: 'before', kind: 'reset', times: 1 });
    }
    expect(rows).toEqual(Array.from({ length: 20 }, (_, i) => new Date(Date.parse(start) + i * 60_000).toISOString()));
  });
});

describe('the adapter’s streams of market data', () => {
  it.each([
    ['3', newV3],
    ['4', newV4],
  ] as const)('share one connection for shares and one for crypto, through version %s', async (_, make) => {
    const venue = alpacaVenue({ volatility: 0.001 });
    await using served = await serveAlpaca(venue);
    const adapter = toAdapter(served.connect(make()));
    const controller = new AbortController();
    const seen = new Map<string, StreamUpdate>();
    const read = async (kind: MarketKind, symbols: string[], wanted: number): Promise<void> => {
      const own = new Set<string>();
      for await (const update of adapter.stream!(kind, symbols, controller.signal)) {
        if (update.heartbeat === true) continue;
        seen.set(`${kind} ${update.symbol}`, update);
        own.add(update.symbol);
        if (own.size === wanted) return;
      }
    };
    await Promise.all([read('quote', ['AAPL', 'MSFT', 'BTC/USD'], 3), read('trades', ['AAPL', 'BTC/USD'], 2), read('book', ['BTC/USD'], 1)]);
    expect([...seen.keys()].sort()).toEqual(['book BTC/USD', 'quote AAPL', 'quote BTC/USD', 'quote MSFT', 'trades AAPL', 'trades BTC/USD']);
    const { value } = seen.get('book BTC/USD') as StreamUpdate<'book'>;
    expect(value!.bids[0]![0]).toBeLessThan(value!.asks[0]![0]);
    expect(value!.bids[0]![0]).toBeGreaterThan(value!.bids[1]![0]);
    expect(served.stats().connections).toBe(2);
    const lost = read('quote', ['AAPL'], 2);
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'stream' });
    await expect(lost).rejects.toThrow(/market stream was closed/);
    controller.abort();
  });

  it('keep to what Alpaca has: no books of shares, no bars', async () => {
    await using served = await serveAlpaca(alpacaVenue());
    const adapter = toAdapter(served.connect(newV4()));
    const first = (kind: MarketKind, symbol: string) => adapter.stream!(kind, [symbol], new AbortController().signal)[Symbol.asyncIterator]().next();
    await expect(first('book', 'AAPL')).rejects.toMatchObject({ code: 'UNKNOWN_SYMBOL' });
    await expect(first('bars', 'AAPL')).rejects.toThrow(/one of "quote", "book", "trades" to be streamed/);
  });
});
