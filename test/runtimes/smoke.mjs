// Run on every supported runtime over the installed tarball: each part does a little real work.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus, isVenueKitError, ManualClock, seededRandom, VenueKitError } from 'venuekit';
import { CachedMarketDataClient } from 'venuekit/market-data';
import { instrument, MemoryMetricStore, MetricsRegistry } from 'venuekit/metrics';
import { ParallelFetcher } from 'venuekit/parallel';
import { ConnectionPool } from 'venuekit/pool';
import { SqliteOrderJournal } from 'venuekit/sqlite';
import { SimulatedVenue, simulatedBroker } from 'venuekit/testing';
import { MemoryOrderJournal, ResilientTradingClient } from 'venuekit/trading';

assert.equal(isVenueKitError(new VenueKitError('CLOSED', 'x'), 'CLOSED'), true);

const clock = new ManualClock();
const bus = new EventBus();
const registry = new MetricsRegistry({ clock });
instrument(bus, registry);
const venue = new SimulatedVenue({ clock, seed: 7, symbols: { BTCUSD: { price: 7_000 } }, balances: { USD: '1000000', BTC: '100' } });
const adapter = simulatedBroker(venue);

/** Lets virtual time pass until the promise settles. */
async function through(promise) {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  done.catch(() => {});
  for (let i = 0; i < 10_000 && !settled; i++) await clock.advance(50);
  return done;
}

const trading = new ResilientTradingClient({ adapter, journal: new MemoryOrderJournal(), clock, bus, random: seededRandom(7) });
await through(trading.start());
venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
for (let i = 0; i < 5; i++) {
  const view = await through(
    trading.submit({ intentId: `smoke-${i}`, symbol: 'BTCUSD', side: 'buy', type: 'market', qty: '0.01' }, { deadlineMs: 60_000 }),
  );
  assert.equal(view.state, 'filled');
}
assert.equal(venue.orders().length, 5);

const marketData = new CachedMarketDataClient({ adapter, clock, bus });
const first = await through(marketData.get('quote', { symbol: 'BTCUSD' }));
assert.equal(first.outcome, 'miss');
assert.equal(marketData.peek('quote', { symbol: 'BTCUSD' })?.outcome, 'hit');

const fetcher = new ParallelFetcher({ concurrency: 3 });
const answers = await fetcher.all([1, 2, 3].map((input) => ({ input, run: async (n) => n * 2 })));
assert.deepEqual(
  answers.map((answer) => answer.value),
  [2, 4, 6],
);

let made = 0;
const pool = new ConnectionPool({ create: async () => ({ id: ++made }), max: 2 });
for (let i = 0; i < 10; i++) await pool.use(async () => {});
assert.equal(pool.stats().created, 1);

const store = new MemoryMetricStore();
assert.match(registry.exposition(), /venuekit_/);

let journal = 'no SQLite here, said clearly';
try {
  const opened = await SqliteOrderJournal.open({ path: join(mkdtempSync(join(tmpdir(), 'venuekit-smoke-')), 'orders.db') });
  await opened[Symbol.asyncDispose]();
  journal = 'SQLite journal opened';
} catch (error) {
  if (!isVenueKitError(error, 'MISSING_PEER')) throw error;
}

// A strategy's orders against replayed bars, in virtual time: the prices are sums and products, and must be the same everywhere.
const replayClock = new ManualClock();
const market = new SimulatedVenue({
  clock: replayClock,
  seed: 3,
  symbols: { BTCUSD: { price: 100 } },
  partialFills: true,
  fees: { maker: '0.001', taker: '0.001' },
});
const dice = seededRandom(3);
const bars = [];
for (let i = 0, price = 100; i < 2_000; i++) {
  const close = price * (1 + (dice() - 0.5) * 0.01);
  bars.push({
    t: i * 60_000,
    symbol: 'BTCUSD',
    open: price,
    high: Math.max(price, close) * 1.001,
    low: Math.min(price, close) * 0.999,
    close,
    volume: 1,
  });
  price = close;
}
market.replay(bars);
const replayed = simulatedBroker(market);
for (let i = 0; i < 200; i++) {
  await replayClock.advance(600_000);
  const attempt = { signal: new AbortController().signal, number: 1, venueNow: replayClock.now(), fenceMs: 1_000 };
  const [{ value: quote }] = await replayed.fetch('quote', [{ symbol: 'BTCUSD' }], attempt);
  await replayed.place(
    { symbol: 'BTCUSD', side: i % 2 === 0 ? 'buy' : 'sell', type: 'limit', qty: '0.5', price: quote.bid.toFixed(2) },
    `replay-${i}`,
    attempt,
  );
}
assert.ok(market.stats().fills > 100);

const hash = `${venue.logHash()}${market.logHash()}`;
for (const part of [trading, marketData, fetcher, pool, registry, store]) await through(Promise.resolve(part[Symbol.asyncDispose]()));
const runtime = globalThis.Bun
  ? `Bun ${globalThis.Bun.version}`
  : globalThis.Deno
    ? `Deno ${globalThis.Deno.version.deno}`
    : `Node ${process.versions.node}`;
console.log(`${runtime}: ESM works, ${journal}, log hash ${hash}`);
