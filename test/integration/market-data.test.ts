import ccxt from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { CachedMarketDataClient } from '../../src/market-data/cached-market-data-client.js';
import { ParallelFetcher } from '../../src/parallel/index.js';
import { toAdapter } from '../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveBinance } from '../../src/testing/index.js';

const SYMBOLS = Array.from({ length: 30 }, (_, i) => `S${i}X/USDT`);

const opened: AsyncDisposable[] = [];

async function givenServedCache() {
  const venue = new SimulatedVenue({
    seed: 1,
    symbols: Object.fromEntries(SYMBOLS.map((symbol, i) => [symbol, { price: 100 + i }])),
  });
  const served = await serveBinance(venue);
  opened.push(served);
  const exchange = served.connect(new ccxt.binance({ enableRateLimit: false }));
  const fetcher = new ParallelFetcher();
  const client = new CachedMarketDataClient({ adapter: toAdapter(exchange), fetcher });
  opened.push(client, fetcher);
  return client;
}

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

describe('CachedMarketDataClient over a served venue, with ccxt and a fetcher', () => {
  it('reads a watchlist in one request and then from memory', async () => {
    const client = await givenServedCache();
    const requests = SYMBOLS.map((symbol) => ({ symbol }));
    const first = await client.getMany('quote', requests, { maxAgeMs: 60_000 });
    expect(first.map((one) => one.status === 'fulfilled' && one.value.value.symbol)).toEqual(SYMBOLS);
    expect(client.stats()).toMatchObject({ batches: 1, misses: 30 });
    expect(requests.map((request) => client.peek('quote', request, { maxAgeMs: 60_000 })?.outcome)).toEqual(SYMBOLS.map(() => 'hit'));
  });

  it('remembers a symbol that the venue does not list, and asks for the others', async () => {
    const client = await givenServedCache();
    const requests = [{ symbol: 'NOPE/USDT' }, { symbol: 'S1X/USDT' }];
    const [unlisted, listed] = await client.getMany('quote', requests);
    expect(listed).toMatchObject({ status: 'fulfilled' });
    expect(unlisted).toMatchObject({ status: 'rejected' });
    const { batches } = client.stats();
    await expect(client.get('quote', { symbol: 'NOPE/USDT' })).rejects.toThrow();
    expect(client.stats()).toMatchObject({ negative: 1, batches });
  });

  it('keeps books and bars by their parameters', async () => {
    const client = await givenServedCache();
    const symbol = 'S1X/USDT';
    const [deep, shallow] = await Promise.all([client.get('book', { symbol, depth: 20 }), client.get('book', { symbol, depth: 5 })]);
    expect(shallow.value.bids.length).toBeLessThanOrEqual(5);
    expect(deep.value.bids.length).toBeGreaterThanOrEqual(shallow.value.bids.length);
    const order = await client.get('quote', { symbol }, { intent: 'order' });
    expect(order.outcome).toBe('bypass');
  });
});
