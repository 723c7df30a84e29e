import ccxt from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { createVenueKit } from '../../src/index.js';
import { toAdapter } from '../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveBinance } from '../../src/testing/index.js';

const SYMBOLS = Array.from({ length: 12 }, (_, i) => `S${i}X/USDT`);

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanup.splice(0).reverse()) await one();
});

/** A kit whose orders and market data go through one ccxt instance, with ccxt's own limiter on and watched. */
async function givenKit() {
  const venue = new SimulatedVenue({
    seed: 1,
    balances: { USDT: '1000000' },
    symbols: Object.fromEntries(SYMBOLS.map((symbol) => [symbol, { price: 100 }])),
    limits: [
      { id: 'weight-1m', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
      { id: 'orders-10s', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
    ],
  });
  const served = await serveBinance(venue);
  cleanup.push(() => served.close());
  const exchange = served.connect(new ccxt.binance({ enableRateLimit: true, timeout: 30_000 }));
  let throttled = 0;
  const throttle = exchange.throttle.bind(exchange);
  exchange.throttle = (cost?: number) => {
    throttled++;
    return throttle(cost);
  };
  const adapter = toAdapter(exchange, { webSocket: false });
  // What the venue itself says has been used, with each answer.
  let used = 0;
  const observing = adapter.observe?.((seen) => {
    if (seen.limit === 'weight-1m' && seen.used !== undefined) used = seen.used;
  });
  cleanup.push(() => observing?.[Symbol.dispose]());
  await exchange.loadMarkets();
  const kit = await createVenueKit({ broker: adapter, marketData: adapter });
  cleanup.push(() => kit.close());
  await kit.start();
  // And what the limiter that both share was asked for.
  let spent = 0;
  const { limiter } = kit.trading!;
  const acquire = limiter.acquire.bind(limiter);
  limiter.acquire = (costs, options) => {
    for (const { limit, units } of costs) if (limit === 'weight-1m') spent += units;
    return acquire(costs, options);
  };
  const meters = () => ({ used, spent, throttled });
  return { venue, adapter, kit, meters };
}

describe("a venue's weighted limits, kept once for orders and market data of one ccxt instance", () => {
  it('spends on the shared limit exactly what each call weighs at the venue, and leaves ccxt no second wait', async () => {
    const { venue, adapter, kit, meters } = await givenKit();
    const { trading, marketData } = kit as Required<typeof kit>;
    const [first] = SYMBOLS as [string];
    // The venue has spoken once, so that its count is known.
    await marketData.get('quote', { symbol: first });
    const costs: [name: string, units: number, call: () => Promise<unknown>][] = [
      [
        'twelve quotes in a call',
        4,
        () =>
          marketData.getMany(
            'quote',
            SYMBOLS.slice(1).map((symbol) => ({ symbol })),
          ),
      ],
      [
        'bars of five symbols',
        10,
        () => Promise.all(SYMBOLS.slice(0, 5).map((symbol) => marketData.get('bars', { symbol, interval: '1m', limit: 10 }))),
      ],
      ['a deep book', 25, () => marketData.get('book', { symbol: first, depth: 500 })],
      ['trades', 25, () => marketData.get('trades', { symbol: first, limit: 10 })],
      ['a quote for an order', 2, () => marketData.get('quote', { symbol: first }, { intent: 'order' })],
    ];
    for (const [name, units, call] of costs) {
      const before = meters();
      await call();
      const after = meters();
      expect([name, after.spent - before.spent, after.used - before.used, after.throttled - before.throttled]).toEqual([name, units, units, 0]);
    }
    const before = meters();
    await trading.submit({ symbol: first, side: 'buy', type: 'market', qty: '0.1' });
    expect(meters().throttled - before.throttled).toBe(0);
    expect(meters().spent).toBeGreaterThan(before.spent);
    // Read past the kit, ccxt keeps the limit itself, as it always did.
    await adapter.fetch('bars', [{ symbol: first, interval: '1m' }], { signal: new AbortController().signal, number: 1 });
    expect(meters().throttled - before.throttled).toBeGreaterThan(0);
    expect(venue.stats()).toMatchObject({ refused: 0, bans: 0 });
  });
});
