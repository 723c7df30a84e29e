import ccxt, { type binance } from 'ccxt';
import { describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { type Clock, systemClock } from '../../../src/core/clock.js';
import { type CcxtResilientOptions, release, resilient } from '../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveBinance } from '../../../src/testing/index.js';
import { JumpingClock } from '../../setup/jumping-clock.js';

const SYMBOL = 'BTC/USDT';
const SYMBOLS = { [SYMBOL]: { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' } };
type Recovered<T> = T & { readonly recovered?: boolean };
type Pro = binance & InstanceType<typeof ccxt.pro.binance>;

async function given(clock: Clock = systemClock, options: CcxtResilientOptions = {}, sdkOptions: object = {}) {
  const venue = new SimulatedVenue({
    seed: 1,
    symbols: SYMBOLS,
    balances: { USDT: '100000', BTC: '2' },
    visibilityLagMs: 50,
    volatility: 0.5,
    clock,
  });
  const served = await serveBinance(venue);
  const bus = new EventBus<VenueKitEvents>();
  const recoveries: VenueKitEvents['stream.recovered'][] = [];
  bus.on('stream.recovered', (recovered) => recoveries.push(recovered));
  const raw = () => served.connect(new ccxt.pro.binance({ enableRateLimit: false, ...sdkOptions })) as Pro;
  const sdk = resilient(raw(), { bus, clock, capabilities: { visibilityLagMs: 50 }, ...options });
  /** Cuts a connection at its next message. Resolves before the SDK can be back. */
  const cut = (operation: 'stream' | 'events'): Promise<void> =>
    new Promise((down) => {
      const listening = bus.on('stream.state', ({ state }) => {
        if (state !== 'down') return;
        listening[Symbol.dispose]();
        down();
      });
      venue.fault({ operation, when: 'after', kind: 'stream_drop', times: 1 });
    });
  return {
    venue,
    served,
    raw,
    sdk,
    recoveries,
    cut,
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await sdk.close();
      await served.close();
    },
  };
}

describe.concurrent('watch* of a resilient ccxt.pro.binance', () => {
  it.each([['trade'], ['aggTrade']])('tells every %s of an interruption, in order, each once', { timeout: 30_000 }, async (name) => {
    const clock = new JumpingClock();
    await using bot = await given(clock, {}, { options: { watchTrades: { name }, watchTradesForSymbols: { name } } });
    const { sdk, recoveries, cut, raw } = bot;
    const told: Recovered<{ id?: string; price: number }>[] = [];
    const next = async (): Promise<void> => {
      for (const trade of await sdk.watchTrades(SYMBOL)) told.push(trade as (typeof told)[number]);
    };
    while (told.length < 2) await next();
    const down = cut('stream').then(() => clock.jump(150_000));
    while (recoveries.length === 0) await next();
    await down;
    const count = told.length;
    while (told.length === count) await next();
    const ids = told.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    expect(told.filter(({ recovered }) => recovered === true).length).toBeGreaterThanOrEqual(148);
    expect([told[0]!.recovered, told.at(-1)!.recovered]).toEqual([undefined, undefined]);
    // Read when a second had passed without a word, and once more when the stream told something: the second may have found nothing.
    expect(recoveries.every(({ channel, symbol, isWhole }) => channel === 'watchTrades' && symbol === SYMBOL && isWhole)).toBe(true);
    const tape = await raw().fetchTrades(SYMBOL, undefined, 1_000);
    const priceOf = new Map(tape.map(({ id, price }) => [Number(id), price]));
    expect(told.map(({ price }) => price)).toEqual(ids.map((id) => priceOf.get(id)));
  });

  it('tells the trades that passed while nobody asked', { timeout: 30_000 }, async () => {
    const clock = new JumpingClock();
    await using bot = await given(clock);
    const { sdk, venue } = bot;
    const ids: number[] = [];
    const next = async (): Promise<void> => {
      for (const { id } of await sdk.watchTrades(SYMBOL)) ids.push(Number(id));
    };
    await next();
    venue.fault({ operation: 'stream', when: 'after', kind: 'stream_drop', times: 1 });
    while (Object.keys(sdk.clients as object).length > 0) await systemClock.sleep(20);
    clock.jump(3_000);
    while (ids.length < 5) await next();
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
  });

  it('tells the newest of more trades than may be read, and says so', { timeout: 30_000 }, async () => {
    const clock = new JumpingClock();
    await using bot = await given(clock, { recovery: { maxRows: 20 } });
    const { sdk, recoveries, cut } = bot;
    await sdk.watchTrades(SYMBOL);
    const down = cut('stream').then(() => clock.jump(150_000));
    const told: Recovered<{ id?: string }>[] = [];
    while (recoveries.length === 0) told.push(...((await sdk.watchTrades(SYMBOL)) as typeof told));
    await down;
    expect(told[0]).toMatchObject({ recovered: true });
    expect(recoveries[0]).toMatchObject({ isWhole: false });
    expect(recoveries[0]!.rows).toBeGreaterThanOrEqual(18);
    expect(recoveries[0]!.rows).toBeLessThanOrEqual(20);
  });

  it('tells the candles of an interruption, from the one on that was forming', { timeout: 30_000 }, async () => {
    const clock = new JumpingClock();
    await using bot = await given(clock);
    const { sdk, recoveries, cut, raw } = bot;
    const held = new Map<number, number>();
    const order: number[] = [];
    const next = async (): Promise<void> => {
      for (const [at, , , , close] of (await sdk.watchOHLCV(SYMBOL, '1m')) as number[][]) {
        order.push(at!);
        held.set(at!, close!);
      }
    };
    await next();
    const first = order[0]!;
    const down = cut('stream').then(() => clock.jump(250_000));
    while (recoveries.length === 0) await next();
    await down;
    expect(order).toEqual([...order].sort((a, b) => a - b));
    const all = (await raw().fetchOHLCV(SYMBOL, '1m', first, 100)) as number[][];
    const over = all.slice(0, 4);
    expect(over).toHaveLength(4);
    expect(over.map(([at]) => [at, held.get(at!)])).toEqual(over.map(([at, , , , close]) => [at, close]));
    expect(recoveries).toMatchObject([{ channel: 'watchOHLCV', isWhole: true }]);
  });

  it('has the venue’s own book after an interruption', { timeout: 30_000 }, async () => {
    const clock = new JumpingClock();
    await using bot = await given(clock);
    const { sdk, cut, venue, raw } = bot;
    await sdk.watchOrderBook(SYMBOL);
    const down = cut('stream').then(() => clock.jump(60_000));
    const until = clock.now() + 60_000;
    let book = await sdk.watchOrderBook(SYMBOL);
    while (book.timestamp === undefined || book.timestamp < until) book = await sdk.watchOrderBook(SYMBOL);
    await down;
    // The market stands still from here on, in the book that was told and in the venue's.
    for (;;) {
      const [told, listed] = [await sdk.watchOrderBook(SYMBOL), await raw().fetchOrderBook(SYMBOL, 20)];
      if (told.nonce !== listed.nonce) continue;
      expect(told.bids.slice(0, 20).map(([price, size]) => [price, size])).toEqual(listed.bids.map(([price, size]) => [price, size]));
      expect(told.asks.slice(0, 20).map(([price, size]) => [price, size])).toEqual(listed.asks.map(([price, size]) => [price, size]));
      break;
    }
    expect(venue.orders()).toEqual([]);
  });

  it('tells own orders and own trades of an interruption in which nothing else happens', { timeout: 30_000 }, async () => {
    await using bot = await given();
    const { sdk, venue, cut } = bot;
    const orders: Recovered<{ id: string; status?: string; filled?: number }>[] = [];
    const trades: Recovered<{ id?: string; amount?: number }>[] = [];
    let isOver = false;
    const follow = async <T>(watch: () => Promise<T[]>, into: T[], done: () => boolean): Promise<void> => {
      while (!isOver && !done()) into.push(...(await watch()));
    };
    const watching = Promise.all([
      follow(
        () => sdk.watchOrders(SYMBOL) as Promise<typeof orders>,
        orders,
        () => orders.some(({ status }) => status === 'canceled') && orders.some(({ status }) => status === 'closed'),
      ),
      follow(
        () => sdk.watchMyTrades(SYMBOL) as Promise<typeof trades>,
        trades,
        () => trades.reduce((sum, { amount = 0 }) => sum + amount, 0) >= 0.02,
      ),
    ]);
    // Subscribed once the first is told.
    const [first, second] = [
      await sdk.createOrder(SYMBOL, 'limit', 'buy', 0.02, 20_000),
      await sdk.createOrder(SYMBOL, 'limit', 'buy', 0.01, 20_000),
    ];
    const down = cut('events');
    const ids = new Map(venue.orders().map(({ venueOrderId, clientOrderId }) => [clientOrderId, venueOrderId]));
    const idOf = ({ clientOrderId }: { clientOrderId: string | undefined }): string => ids.get(clientOrderId!)!;
    venue.fill(idOf(first), { qty: '0.01' });
    venue.fill(idOf(first));
    venue.cancelExternal(idOf(second));
    await watching;
    isOver = true;
    await down;
    const last = (id: string | undefined) => orders.filter((order) => order.id === id).at(-1);
    expect([last(first.id)?.status, last(first.id)?.filled]).toEqual(['closed', 0.02]);
    expect(last(second.id)?.status).toBe('canceled');
    expect(orders.some(({ recovered }) => recovered === true)).toBe(true);
    const tradeIds = trades.map(({ id }) => id);
    expect(new Set(tradeIds).size).toBe(tradeIds.length);
    expect(trades.map(({ amount }) => amount)).toEqual([0.01, 0.01]);
  });
});
