// The same package through require().
const assert = require('node:assert/strict');
const { ManualClock, EventBus } = require('venuekit');
const { ConnectionPool } = require('venuekit/pool');
const { ParallelFetcher } = require('venuekit/parallel');

(async () => {
  const bus = new EventBus();
  assert.equal(bus.has('halt'), false);
  assert.equal(new ManualClock(5).now(), 5);
  const pool = new ConnectionPool({ create: async () => ({}), max: 1 });
  await pool.use(async () => {});
  await pool.close();
  const fetcher = new ParallelFetcher();
  assert.equal(await fetcher.run({ input: 20, run: async (n) => n + 1 }), 21);
  await fetcher.close();
  console.log('CJS works');
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
