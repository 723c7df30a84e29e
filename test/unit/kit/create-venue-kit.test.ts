import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { MarketDataAdapter } from '../../../src/contracts/market-data.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { createVenueKit, type VenueKitOptions } from '../../../src/index.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { SimulatedVenue, type SimulatedVenueOptions, simulatedBroker } from '../../../src/testing/index.js';

const folders: string[] = [];
const givenAFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-kit-'));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const givenAVenue = (venueOptions: Partial<SimulatedVenueOptions> = {}) => {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    ...venueOptions,
    clock,
    seed: 5,
    symbols: { 'BTC/USD': { price: 7_000 } },
    balances: { USD: '1000000', BTC: '100' },
  });
  const adapter = simulatedBroker(venue);
  const through = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => {});
    for (let i = 0; i < 2_000 && !settled; i++) await clock.advance(50);
    return done;
  };
  const options: VenueKitOptions = { broker: adapter, marketData: adapter, clock, random: seededRandom(5) };
  return { clock, venue, options, through };
};

describe('createVenueKit', () => {
  it('wires reads, orders and metrics to one clock and one bus', async () => {
    const { clock, venue, options, through } = givenAVenue();
    const store = new MemoryMetricStore();
    await using kit = await createVenueKit({ ...options, store });
    const seen: string[] = [];
    kit.bus.on('order.state', ({ order }) => seen.push(order.state));
    await through(kit.start());

    const { value } = await through(kit.marketData!.get('quote', { symbol: 'BTC/USD' }));
    expect(value.bid).toBeLessThan(value.ask);
    const order = await through(kit.trading!.submit({ intentId: 'one', symbol: 'BTC/USD', side: 'buy', type: 'market', qty: '0.1' }));
    expect(order.clientOrderId).toBe(venue.orders()[0]?.clientOrderId);
    expect(seen).toContain('sending');

    const from = clock.now();
    await clock.advance(5_000);
    expect(kit.metrics.exposition()).toMatch(/^venuekit_.*place/m);
    const calls = await store.query({ metric: 'venuekit_venue_calls_total', from, to: clock.now(), agg: 'last', stepMs: 1_000 });
    expect(calls.length).toBeGreaterThan(0);
  });

  it('counts cached reads in its metrics without an event for each', async () => {
    const { options, through } = givenAVenue();
    await using kit = await createVenueKit(options);
    await through(kit.start());
    await through(kit.marketData!.get('quote', { symbol: 'BTC/USD' }));
    for (let i = 0; i < 50; i++) kit.marketData!.peek('quote', { symbol: 'BTC/USD' });
    expect(kit.bus.has('cache.read')).toBe(false);
    expect(kit.metrics.exposition()).toContain('venuekit_cache_reads_total{kind="quote",outcome="hit",level="memory"} 50\n');
  });

  it('repeats a read that failed, so that a passing fault never reaches the reader', async () => {
    const { venue, options, through } = givenAVenue();
    await using kit = await createVenueKit(options);
    venue.fault({ operation: 'quote', when: 'before', kind: 'status', status: 503, times: 3 });
    const { value } = await through(kit.marketData!.get('quote', { symbol: 'BTC/USD' }));
    expect(value.symbol).toBe('BTC/USD');
  });

  it("keeps one venue's limit for orders and market data together, and leaves the reserve to what is urgent", async () => {
    const units = 40;
    const { clock, venue, options, through } = givenAVenue({ limits: [{ id: 'weight', scope: 'ip', kind: 'window', units, perMs: 60_000 }] });
    await using kit = await createVenueKit(options);
    await through(kit.start());
    const order = await through(
      kit.trading!.submit({ intentId: 'resting', symbol: 'BTC/USD', side: 'buy', type: 'limit', qty: '0.1', price: '1000' }),
    );
    expect(order.state).toBe('working');
    // Far more reads than the limit has room for; each a call of its own, since orders want no shared one.
    const reads = Array.from({ length: 3 * units }, () => kit.marketData!.get('book', { symbol: 'BTC/USD' }, { intent: 'order' }));
    for (const read of reads) read.catch(() => {});
    await clock.advance(5_000);
    const answered = { reads: 0 };
    for (const read of reads) void read.then(() => answered.reads++);
    await clock.advance(1);
    expect(answered.reads).toBeGreaterThan(units / 4);
    expect(answered.reads).toBeLessThan(units);
    // The reads have taken what they may; a cancel still passes at once.
    const before = clock.now();
    expect((await through(kit.trading!.cancel('resting'))).state).toBe('canceled');
    expect(clock.now() - before).toBeLessThan(5_000);
    await clock.advance(400_000);
    expect(answered.reads).toBe(reads.length);
    expect(venue.stats()).toMatchObject({ refused: 0, bans: 0 });
  });

  it('shares no limits between two venues, nor with an adapter that does not say what its calls cost', async () => {
    const limits = [{ id: 'weight', scope: 'ip', kind: 'window', units: 20, perMs: 60_000 }] as const;
    const { clock, options } = givenAVenue({ limits });
    const elsewhere: MarketDataAdapter = {
      venue: 'elsewhere',
      batchLimit: () => 1,
      fetchCost: () => [{ limit: 'credits', units: 1 }],
      fetch: (_, requests) =>
        Promise.resolve(requests.map(({ symbol }) => ({ status: 'fulfilled', value: { symbol, bid: 1, ask: 2 } as never }) as const)),
    };
    const { fetchCost, ...silent } = elsewhere;
    expect(fetchCost).toBeDefined();
    for (const marketData of [elsewhere, { ...silent, venue: options.broker!.venue }]) {
      await using kit = await createVenueKit({ ...options, marketData });
      const reads = Promise.all(Array.from({ length: 60 }, (_, i) => kit.marketData!.get('quote', { symbol: `S${i}` })));
      await clock.advance(10);
      expect(await reads).toHaveLength(60);
    }
  });

  it('has only the parts that it was given a venue for', async () => {
    const { options } = givenAVenue();
    await using kit = await createVenueKit({ clock: options.clock!, marketData: options.marketData! });
    expect(kit.trading).toBeUndefined();
    expect(kit.marketData).toBeDefined();
  });

  it('keeps orders and metrics in dataDir, and knows an order again after a restart', async () => {
    // Real files want real time: virtual time could pass a deadline while the disk still writes.
    const venue = new SimulatedVenue({ seed: 5, symbols: { 'BTC/USD': { price: 7_000 } } });
    const adapter = simulatedBroker(venue);
    const dataDir = join(givenAFolder(), 'made', 'by-the-kit');
    const intent = { intentId: 'kept', symbol: 'BTC/USD', side: 'buy', type: 'market', qty: '0.1' } as const;
    for (let run = 0; run < 2; run++) {
      await using kit = await createVenueKit({ broker: adapter, marketData: adapter, dataDir });
      await kit.start();
      await kit.trading!.submit(intent);
    }
    for (const file of ['orders.db', 'metrics.db']) expect(existsSync(join(dataDir, file)), file).toBe(true);
    expect(venue.orders()).toHaveLength(1);
  });

  it('leaves a store that was handed in open', async () => {
    const { options } = givenAVenue();
    const store = new MemoryMetricStore();
    const kit = await createVenueKit({ clock: options.clock!, store });
    await kit.close();
    await kit.close();
    await expect(store.stats()).resolves.toMatchObject({ series: 0 });
  });

  it('refuses to start once it is closed', async () => {
    const kit = await createVenueKit();
    await kit.close();
    await expect(kit.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses what can’t be meant, by name', async () => {
    await expect(createVenueKit({ brokr: {} } as never)).rejects.toThrow('createVenueKit has no option "brokr"; did you mean "broker"?');
    await expect(createVenueKit({ broker: {} as never })).rejects.toThrow(/broker must be an object with a method cost/);
    await expect(createVenueKit({ dataDir: '' })).rejects.toThrow(/dataDir must be a non-empty string/);
  });
});
