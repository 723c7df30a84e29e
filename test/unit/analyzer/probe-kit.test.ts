import { describe, expect, it } from 'vitest';
import { type ProbeOptions, probeKit } from '../../../src/analyzer/index.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';

async function givenAKit({ latencyMs = 40, tuning = {} } = {}) {
  const clock = new ManualClock(Date.UTC(2026, 10, 27));
  const venue = new SimulatedVenue({ clock, seed: 3, latency: { p50Ms: latencyMs, p99Ms: latencyMs }, symbols: { 'BTC/USDT': { price: 60_000 } } });
  const adapter = simulatedBroker(venue);
  const kit = await createVenueKit({ clock, broker: adapter, marketData: adapter, tuning, rules: [] });
  const starting = kit.start();
  await clock.advance(1_000);
  await starting;
  return {
    kit,
    clock,
    venue,
    [Symbol.asyncDispose]: async () => {
      const closing = kit.close();
      await clock.advance(10_000);
      await closing;
    },
  };
}

async function probed({ kit, clock }: Awaited<ReturnType<typeof givenAKit>>, options: ProbeOptions = {}) {
  let isOver = false;
  const probing = probeKit(kit, { clock, durationMs: 32_000, ...options }).finally(() => {
    isOver = true;
  });
  probing.catch(() => {});
  while (!isOver) await clock.advance(100);
  return probing;
}

describe('probeKit', () => {
  it('measures the parts that its reads went through, and orders nothing', async () => {
    await using given = await givenAKit();
    const steps: number[] = [];
    const report = await probed(given, { everyMs: 500, onProgress: (done, total) => steps.push(done / total) });
    const measuresOf = (name: string) => report.components.find((component) => component.name === name)!.measures;
    expect(report).not.toHaveProperty('partial');
    expect(measuresOf('market-data cache')).toMatchObject({ reads: expect.closeTo(262, -2) as number });
    expect(measuresOf('parallel fetch').runMeanMs).toBeGreaterThan(20);
    expect(given.venue.orders()).toEqual([]);
    expect(steps.at(-1)).toBe(1);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('finds what is planted, says from what to change it, and estimates by its own trace', async () => {
    await using given = await givenAKit({ tuning: { marketData: { kinds: { quote: { ttlMs: 3_000, swrMs: 0, prefetch: 'off' } } } } });
    const report = await probed(given, { maxAgeMs: 50_000, everyMs: 200, durationMs: 90_000 });
    const [found] = report.opportunities.filter(({ id }) => id === 'ttl-too-long');
    expect(found).toMatchObject({ change: { option: 'marketData.kinds.quote.ttlMs', from: 3_000 } });
    expect(found!.estimate!.to).toBeLessThan(found!.estimate!.from);
  });

  it('sends the orders that it is told to, and leaves none standing', async () => {
    await using given = await givenAKit();
    const intent = (n: number) =>
      ({ intentId: `probe-${n}`, symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01', price: '50000.00' }) as const;
    const report = await probed(given, { orders: { count: 5, intent } });
    expect(given.venue.orders()).toHaveLength(5);
    expect(given.venue.orders().every(({ state }) => state === 'canceled')).toBe(true);
    expect(report.components.find(({ name }) => name === 'order path')?.measures).toMatchObject({ finished: 5 });
  });

  it('asks for no more than it may', async () => {
    await using given = await givenAKit();
    let reads = 0;
    given.kit.bus.on('cache.read', () => reads++);
    await probed(given, { maxReads: 20 });
    expect(reads).toBe(20);
  });

  it('ends at once when it is interrupted, with a part, and leaves nothing listening', async () => {
    await using given = await givenAKit();
    const stop = new AbortController();
    const report = await probed(given, { signal: stop.signal, onProgress: (done) => done === 3 && stop.abort(new Error('enough')) });
    expect(report.partial).toBe(true);
    expect(report.to - report.from).toBeLessThan(6_000);
    expect(given.kit.bus.has('cache.kept')).toBe(false);
  });

  it('says what is wrong with a kit or an option', async () => {
    await using given = await givenAKit();
    const { kit } = given;
    await expect(probeKit(kit, { durationMs: 5_000 })).rejects.toThrow(/durationMs must be at least 31000.*got 5000/);
    await expect(probeKit(kit, { everyMs: 1 })).rejects.toThrow(/everyMs must be at least 50: a probe is no load test; got 1/);
    await expect(probeKit(kit, { symbols: [] })).rejects.toThrow(/symbols must name at least one symbol/);
    await expect(probeKit(kit, { symbol: 'BTC/USDT' } as never)).rejects.toThrow(/did you mean "symbols"/);
    await expect(probeKit({ bus: kit.bus })).rejects.toThrow(/kit must have market data, or orders must say what to order/);
    await expect(probeKit({ bus: kit.bus }, { orders: { count: 1, intent: () => ({}) as never } })).rejects.toThrow(/the kit has no trading/);
  });
});
