import { EventBus, ManualClock, seededRandom } from 'venuekit';
import { CachedMarketDataClient } from 'venuekit/market-data';
import { SimulatedVenue, simulatedBroker } from 'venuekit/testing';

/**
 * A bot's reads through the cache, on virtual time against the simulated venue:
 *
 *     npx tsx examples/market-data.ts
 */
const clock = new ManualClock();
const symbols = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`SYM${i}USDT`, { price: 100 + i }]));
const venue = new SimulatedVenue({ clock, seed: 1, symbols, latency: { p50Ms: 40, p99Ms: 120 } });
const adapter = simulatedBroker(venue);
const bus = new EventBus();
let requests = 0;
bus.on('cache.load', () => requests++);

const client = new CachedMarketDataClient({ adapter, clock, bus, random: seededRandom(1) });
const watchlist = Object.keys(symbols).map((symbol) => ({ symbol }));

// A strategy that wants its quotes every 5 seconds, and no older than 800 ms.
const outcomes = new Map<string, number>();
for (let round = 0; round < 24; round++) {
  clock.schedule(round * 5_000, () => {
    for (const request of watchlist) {
      void client.get('quote', request, { maxAgeMs: 800, consumer: 'momentum' }).then(({ outcome }) => {
        const name = round < 12 ? `${outcome}, first minute` : `${outcome}, second minute`;
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
      });
    }
  });
}
await clock.advance(120_000);

console.log('How 24 rounds of 40 quotes were answered:');
for (const [outcome, reads] of outcomes) console.log(`  ${outcome.padEnd(22)} ${reads}`);
const { hitRate, prefetchIssued, prefetchWasted } = client.stats();
console.log(`fresh hits ${(100 * hitRate).toFixed(1)} %, prefetched ${prefetchIssued}, wasted ${prefetchWasted}, requests to the venue ${requests}`);

// The same quote four ways. An order never believes a cache.
const [first] = watchlist as [{ symbol: string }];
const handle = client.handle('quote', first);
const reading = client.get('quote', first);
await clock.advance(500);
await reading;
console.log('peek             ', client.peek('quote', first)?.outcome);
console.log('handle.peek      ', handle.peek()?.symbol);
console.log('peek, 100 ms old ', client.peek('quote', first, { maxAgeMs: 100 })?.outcome ?? 'nothing that young');
const forOrder = client.get('quote', first, { intent: 'order', maxAgeMs: 500 });
await clock.advance(500);
console.log('for an order     ', (await forOrder).outcome);
await client.close();
