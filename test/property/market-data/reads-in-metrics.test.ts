import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { MarketKind } from '../../../src/contracts/market-data.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { AgeCounts } from '../../../src/market-data/age-counts.js';
import { CachedMarketDataClient } from '../../../src/market-data/cached-market-data-client.js';
import { instrument, MetricsRegistry } from '../../../src/metrics/index.js';
import { ScriptedAdapter } from '../../unit/market-data/support/scripted-adapter.js';

describe('cached reads in the metrics', () => {
  it('are those of stats(), each counted once, whoever listens to single reads in between', async () => {
    let told = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = seededRandom(seed);
        const clock = new ManualClock();
        const bus = new EventBus();
        const registry = new MetricsRegistry({ clock });
        using _ = instrument(bus, registry, { clock });
        const client = new CachedMarketDataClient({
          adapter: new ScriptedAdapter(clock, { latencyMs: 20 }),
          clock,
          bus,
          random: seededRandom(seed + 1),
          kinds: { quote: { swrMs: 500 } },
        });
        const handle = client.handle('quote', { symbol: 'A' });
        const pending: Promise<unknown>[] = [];
        let listening: Disposable | undefined;
        let single = 0;
        const listen = (): void => {
          listening ??= bus.on('cache.read', () => single++);
        };
        const leave = (): void => {
          listening?.[Symbol.dispose]();
          listening = undefined;
        };
        for (let i = 0; i < 200; i++) {
          const draw = random();
          const kind: MarketKind = random() < 0.7 ? 'quote' : 'book';
          const request = { symbol: 'ABC'[Math.floor(random() * 3)] as string };
          if (draw < 0.35) client.peek(kind, request);
          else if (draw < 0.45) client.peek(kind, request, { maxAgeMs: 400 });
          else if (draw < 0.5) client.peek(kind, request, { intent: 'order' });
          else if (draw < 0.6) handle.peek();
          else if (draw < 0.85) pending.push(client.get(kind, request, random() < 0.1 ? { intent: 'order' } : undefined).catch(() => {}));
          else if (draw < 0.9) pending.push(client.getMany(kind, [request, { symbol: 'A' }]));
          else if (draw < 0.93) listen();
          else if (draw < 0.96) leave();
          else registry.exposition();
          await clock.advance(random() < 0.7 ? 0 : random() * 300);
        }
        await clock.advance(1_000);
        await Promise.all(pending);
        leave();
        const stats = client.stats();
        // Whoever collects last finds what was still untold, also of a client that has closed.
        if (random() < 0.5) await client.close();
        const counted = readsIn(registry);
        expect(counted).toEqual({
          hit: stats.hits,
          stale: stats.staleHits,
          coalesced: stats.coalesced,
          negative: stats.negative,
          miss: stats.misses,
          bypass: stats.bypass,
        });
        expect(readsIn(registry)).toEqual(counted);
        told += single;
        await client.close();
      }),
      { numRuns: 40 },
    );
    expect(told).toBeGreaterThan(100);
  });

  it('have their ages, each within 1 %, or to the millisecond', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double({ min: 0, max: 300, noNaN: true }), fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true }))), (ages) => {
        const counts = new AgeCounts();
        for (const age of ages) counts.add(age);
        const taken = counts.take();
        expect(taken.reduce((sum, [, times]) => sum + times, 0)).toBe(ages.length);
        expect(taken.map(([age]) => age)).toEqual(taken.map(([age]) => age).sort((a, b) => a - b));
        const flat = taken.flatMap(([age, times]) => Array.from({ length: times }, () => age));
        const exact = ages.map(Math.floor).sort((a, b) => a - b);
        for (const [i, age] of exact.entries()) expect(Math.abs((flat[i] as number) - age)).toBeLessThanOrEqual(age < 128 ? 0 : age / 100);
        expect(counts.take()).toEqual([]);
      }),
    );
  });

  it('cost no event each while only the metrics want them', async () => {
    const clock = new ManualClock();
    const bus = new EventBus();
    const registry = new MetricsRegistry({ clock });
    using _ = instrument(bus, registry, { clock });
    await using client = new CachedMarketDataClient({ adapter: new ScriptedAdapter(clock, { latencyMs: 20 }), clock, bus });
    const events: string[] = [];
    bus.on('cache.read', ({ outcome }) => events.push(outcome), 'quiet');
    const first = client.get('quote', { symbol: 'A' });
    await clock.advance(20);
    await first;
    await clock.advance(80);
    for (let i = 0; i < 1_000; i++) client.peek('quote', { symbol: 'A' });
    expect(bus.has('cache.read')).toBe(false);
    expect(events).toEqual(['miss']);
    expect(readsIn(registry)).toMatchObject({ hit: 1_000, miss: 1 });
    const ages = /^venuekit_cache_age_seconds_(count|sum)\{kind="quote"\} (.*)$/gm;
    const [count, sum] = [...registry.exposition().matchAll(ages)].map(([, name, value]) => [name, Number(value)]).sort();
    expect(count).toEqual(['count', 1_001]);
    // In a hot loop time is up to 8 ms late, so that nothing passes for younger than it is.
    expect(sum?.[1]).toBeGreaterThanOrEqual(0.02 + 1_000 * 0.1);
    expect(sum?.[1]).toBeLessThanOrEqual(0.02 + 1_000 * 0.108);
  });
});

function readsIn(registry: MetricsRegistry): Record<string, number> {
  const reads: Record<string, number> = { hit: 0, stale: 0, coalesced: 0, negative: 0, miss: 0, bypass: 0 };
  for (const [, outcome, value] of registry.exposition().matchAll(/^venuekit_cache_reads_total\{.*outcome="(\w+)".*\} (\d+)/gm)) {
    reads[outcome as string] = (reads[outcome as string] as number) + Number(value);
  }
  return reads;
}
