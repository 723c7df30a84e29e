import { describe, expect, it } from 'vitest';
import { SimulatedVenue } from '../../../src/testing/index.js';
import { acceptedOrder, anIntent, aRestingBuy, givenVenue } from './given.js';

describe('SimulatedVenue: matching', () => {
  it('fills a market buy at the ask and moves the money', async () => {
    const { venue, broker, attempt } = givenVenue({ balances: { USDT: '1000', BTC: '0' }, fees: { maker: '0', taker: '0.001' } });
    const order = acceptedOrder(await broker.place(anIntent(), 'a', attempt()));
    expect(order).toMatchObject({ state: 'filled', filledQty: '0.01', avgPrice: '50002.5', clientOrderId: 'a' });
    expect(venue.balances()).toEqual({ USDT: { free: '499.975', held: '0' }, BTC: { free: '0.00999', held: '0' } });
    expect(venue.fills()[0]?.fill).toMatchObject({ qty: '0.01', price: '50002.5', fee: '0.00001', feeAsset: 'BTC' });
  });

  it('holds the money of a resting order, and gives it back on cancel', async () => {
    const { venue, broker, attempt } = givenVenue({ balances: { USDT: '1000' } });
    const order = acceptedOrder(await broker.place(aRestingBuy(), 'a', attempt()));
    expect(order.state).toBe('working');
    expect(venue.balances().USDT).toEqual({ free: '600', held: '400' });
    expect(acceptedOrder(await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: 'a' }, attempt())).state).toBe('canceled');
    expect(venue.balances().USDT).toEqual({ free: '1000', held: '0' });
  });

  it('fills a marketable limit order at the better market price and frees the rest of the hold', async () => {
    const { venue, broker, attempt } = givenVenue({ balances: { USDT: '1000' } });
    const order = acceptedOrder(await broker.place(aRestingBuy({ price: '60000' }), 'a', attempt()));
    expect(order).toMatchObject({ state: 'filled', price: '60000', avgPrice: '50002.5' });
    expect(venue.balances().USDT).toEqual({ free: '499.975', held: '0' });
  });

  it('expires an IOC or FOK limit order that the market does not meet', async () => {
    const { venue, broker, attempt } = givenVenue({ balances: { USDT: '1000' } });
    for (const timeInForce of ['ioc', 'fok'] as const)
      expect(acceptedOrder(await broker.place(aRestingBuy({ timeInForce }), timeInForce, attempt())).state).toBe('expired');
    expect(venue.balances().USDT).toEqual({ free: '1000', held: '0' });
  });

  it('fills market orders in pieces that add up, at the price that was met', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ partialFills: true, seed: 3 });
    for (let i = 0; i < 20; i++) await broker.place(anIntent({ qty: '0.5' }), `m${i}`, attempt());
    expect(venue.orders().some(({ state }) => state === 'partially_filled')).toBe(true);
    await clock.advance(60_000);
    for (const order of venue.orders()) {
      expect(order).toMatchObject({ state: 'filled', filledQty: '0.5', avgPrice: '50002.5' });
      const pieces = venue.fills().filter(({ venueOrderId }) => venueOrderId === order.venueOrderId);
      expect(pieces.reduce((sum, { fill }) => sum + Math.round(Number(fill.qty) * 1e4), 0)).toBe(5_000);
    }
    expect(venue.fills().length).toBeGreaterThan(20);
  });

  it('fills the part of an IOC order that it can and expires the rest', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ partialFills: true });
    for (let i = 0; i < 10; i++) await broker.place(anIntent({ qty: '1', timeInForce: 'ioc' }), `i${i}`, attempt());
    await clock.advance(10_000);
    const states = new Set(venue.orders().map(({ state }) => state));
    expect(states).toEqual(new Set(['filled', 'expired']));
    expect(venue.stats().openOrders).toBe(0);
  });

  it('fills resting orders along replayed bars, when the price gets there', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ spread: 0 });
    const start = clock.now();
    venue.replay([{ t: 1_000_000_000_000 - (1_000_000_000_000 % 60_000), symbol: 'BTC/USDT', open: 100, high: 110, low: 90, close: 105, volume: 5 }]);
    const buy = acceptedOrder(await broker.place(anIntent({ type: 'limit', price: '95', qty: '1' }), 'b', attempt()));
    await clock.advance(9_000);
    expect(venue.orders()[0]?.state).toBe('working');
    // Open 100 to low 90 in the first 20 s: 95 after 10.
    await clock.advance(1_500);
    expect(venue.orders()[0]).toMatchObject({ venueOrderId: buy.venueOrderId, state: 'filled', avgPrice: '95' });
    expect(venue.orders()[0]!.venueTime - start).toBeGreaterThan(9_950);
    expect(venue.orders()[0]!.venueTime - start).toBeLessThan(10_050);
  });

  it('runs a session faster than it was recorded where told to', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    const bars = Array.from({ length: 10 }, (_, i) => ({
      t: i * 60_000,
      symbol: 'ETH/USDT',
      open: 10 + i,
      high: 11 + i,
      low: 10 + i,
      close: 11 + i,
      volume: 1,
    }));
    venue.replay(bars, { speed: 60 });
    await clock.advance(5_000);
    const [read] = await broker.fetch('bars', [{ symbol: 'ETH/USDT', interval: '1s', limit: 3 }], attempt());
    expect(read?.status === 'fulfilled' && [...read.value.open]).toEqual([13, 14, 15]);
    expect(read?.status === 'fulfilled' && read.value.lastBar).toBe('forming');
  });

  it('triggers a stop order once the market reaches it', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    venue.replay([{ t: 0, symbol: 'BTC/USDT', open: 50_000, high: 50_000, low: 49_000, close: 49_500, volume: 1 }]);
    await broker.place(anIntent({ side: 'sell', type: 'stop', stopPrice: '49500' }), 's', attempt());
    expect(venue.orders()[0]?.state).toBe('working');
    await clock.advance(60_000);
    const order = venue.orders()[0]!;
    expect(order.state).toBe('filled');
    expect(Number(order.avgPrice)).toBeGreaterThan(49_400);
    expect(Number(order.avgPrice)).toBeLessThanOrEqual(49_500);
  });

  it('expires a day order at the end of its day', async () => {
    const { clock, venue, broker, attempt } = givenVenue();
    await broker.place(aRestingBuy({ timeInForce: 'day' }), 'd', attempt());
    await clock.advance(86_400_000);
    expect(venue.orders()[0]?.state).toBe('expired');
  });

  it('can let a cancel lose against a fill', async () => {
    const { venue, broker, attempt } = givenVenue({ races: { cancelLosesToFill: 1 } });
    await broker.place(aRestingBuy(), 'a', attempt());
    expect(await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: 'a' }, attempt())).toMatchObject({ kind: 'rejected', code: 'UNKNOWN_ORDER' });
    expect(venue.orders()[0]?.state).toBe('filled');
  });

  it('can fill an order after it confirmed the cancel', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ races: { lateFill: 1 }, balances: { USDT: '1000' } });
    await broker.place(aRestingBuy(), 'a', attempt());
    expect(acceptedOrder(await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: 'a' }, attempt())).state).toBe('canceled');
    await clock.advance(2_000);
    expect(venue.orders()[0]).toMatchObject({ state: 'filled', filledQty: '0.01' });
    expect(venue.balances()).toMatchObject({ USDT: { free: '600', held: '0' }, BTC: { free: '0.01', held: '0' } });
  });

  it('shows orders that somebody else placed', () => {
    const { venue } = givenVenue();
    const order = venue.placeExternal(aRestingBuy());
    expect(venue.orders()).toEqual([order]);
    expect(venue.cancelExternal(order.venueOrderId)).toBe(true);
    expect(venue.orders()[0]?.state).toBe('canceled');
  });
});

describe('SimulatedVenue: refusals', () => {
  it.each([
    ['too little money', { balances: { USDT: '1' } }, anIntent(), 'INSUFFICIENT_FUNDS'],
    ['a quantity off its step', {}, anIntent({ qty: '0.00015' }), 'LOT_SIZE'],
    ['no quantity', {}, anIntent({ qty: '0' }), 'LOT_SIZE'],
    ['a quantity that is no number', {}, anIntent({ qty: 'NaN' }), 'LOT_SIZE'],
    ['a price off its step', {}, aRestingBuy({ price: '100.001' }), 'PRICE_FILTER'],
    ['a limit order without a price', {}, anIntent({ type: 'limit' }), 'PRICE_FILTER'],
    ['an unknown symbol', {}, anIntent({ symbol: 'DOGE/USDT' }), 'UNKNOWN_SYMBOL'],
    ['too small an order', { symbols: { 'BTC/USDT': { price: 50_000, minNotional: '1000' } } }, anIntent(), 'MIN_NOTIONAL'],
  ])('refuses %s', async (_, options, intent, code) => {
    const { venue, broker, attempt } = givenVenue(options);
    expect(await broker.place(intent, 'a', attempt())).toMatchObject({ kind: 'rejected', code });
    expect(venue.orders()).toEqual([]);
  });

  it('lets a client id be used again once its order has ended, by default', async () => {
    const { venue, broker, attempt } = givenVenue();
    await broker.place(aRestingBuy(), 'a', attempt());
    expect((await broker.place(aRestingBuy(), 'a', attempt())).kind).toBe('duplicate');
    await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: 'a' }, attempt());
    expect((await broker.place(aRestingBuy(), 'a', attempt())).kind).toBe('accepted');
    expect(venue.orders()).toHaveLength(2);
  });

  it('never lets it be used again where ids are unique forever, archived orders included', async () => {
    const { clock, venue, broker, attempt } = givenVenue({ clientIdUniqueness: 'forever', archiveAfterMs: 1_000 });
    await broker.place(anIntent(), 'a', attempt());
    await clock.advance(10_000);
    expect(venue.orders()).toEqual([]);
    expect((await broker.place(anIntent(), 'a', attempt())).kind).toBe('duplicate');
  });

  it('keeps two live orders under one id where ids mean nothing to it', async () => {
    const { venue, broker, attempt } = givenVenue({ clientIdUniqueness: 'none' });
    await broker.place(aRestingBuy(), 'a', attempt());
    await broker.place(aRestingBuy(), 'a', attempt());
    expect(venue.orders().map(({ state }) => state)).toEqual(['working', 'working']);
  });

  it.each([
    [{ visibilityLagms: 3 }, /visibilityLagms.*did you mean "visibilityLagMs"/],
    [{ fence: { maxMs: 10, defaultMs: 20 } }, /fence\.defaultMs.*20/],
    [{ balances: { BTC: '-1' } }, /balances\.BTC.*-1/],
    [{ symbols: { X: { price: 0 } } }, /symbols\["X"\]\.price.*above 0.*0/],
    [{ symbols: { 'A/B': { price: 1 }, AB: { price: 1 } } }, /symbols must differ/],
    [{ latency: { p50Ms: 10, p99Ms: 5 } }, /latency\.p99Ms/],
    [{ limits: [{ id: 'x', scope: 'world', kind: 'window', units: 1, perMs: 1 }] }, /limits\[0\]\.scope.*"world"/],
  ])('refuses options that can not be meant: %j', (options, message) => {
    expect(() => new SimulatedVenue(options as never)).toThrow(message);
  });

  it('refuses bars that contradict themselves, naming the bar', () => {
    const { venue } = givenVenue();
    const bar = { t: 0, symbol: 'BTC/USDT', open: 1, high: 2, low: 1, close: 1, volume: 0 };
    expect(() => venue.replay([bar, { ...bar, t: 60_000, high: 0.5 }])).toThrow(/bars\[1\]/);
    expect(() => venue.replay([bar, bar])).toThrow(/bars\[1\]\.t must be after 0/);
    expect(() => venue.replay([])).toThrow(/at least one bar/);
  });
});

describe('SimulatedVenue: log and memory', () => {
  const run = async (seed: number, log: 'full' | 'hash') => {
    const { clock, venue, broker, attempt } = givenVenue({ seed, log, partialFills: true, volatility: 0.001, latency: { p50Ms: 20, p99Ms: 90 } });
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', probability: 0.2 });
    for (let i = 0; i < 50; i++) {
      const calls = [broker.place(anIntent({ qty: '0.3' }), `m${i}`, attempt()), broker.place(aRestingBuy({ price: '49990' }), `l${i}`, attempt())];
      await clock.advance(700);
      await Promise.all(calls);
    }
    return venue;
  };

  it('gives the same log for the same seed, and another for another', async () => {
    const first = await run(11, 'full');
    const second = await run(11, 'full');
    expect(second.log()).toEqual(first.log());
    expect(second.logHash()).toBe(first.logHash());
    expect((await run(12, 'full')).logHash()).not.toBe(first.logHash());
  });

  // Not to be updated lightly: a hash that differs here differs between two runtimes, or two releases.
  it('gives this very hash on every runtime', async () => {
    expect((await run(11, 'full')).logHash()).toBe('055eb8455f7adedea3e3b189831e2bde865f0e23b830ff046c0fc382ff83a6fe');
  });

  it('gives the same hash when it keeps no lines', async () => {
    const lean = await run(11, 'hash');
    expect(lean.log()).toEqual([]);
    expect(lean.logHash()).toBe((await run(11, 'full')).logHash());
  });

  it('hands over orders that ended long ago and forgets them, but not the open ones', async () => {
    const archived: string[] = [];
    const { clock, venue, broker, attempt } = givenVenue({ archiveAfterMs: 1_000, onArchive: ({ clientOrderId }) => archived.push(clientOrderId!) });
    await broker.place(anIntent(), 'filled', attempt());
    await broker.place(aRestingBuy(), 'resting', attempt());
    await clock.advance(5_000);
    expect(venue.orders().map(({ clientOrderId }) => clientOrderId)).toEqual(['resting']);
    expect(archived).toEqual(['filled']);
    expect(venue.fills()).toEqual([]);
    expect(venue.stats()).toMatchObject({ orders: 2, fills: 1, openOrders: 1 });
  });
});
