import { createPool } from 'generic-pool';
import { Pool as TarnPool } from 'tarn';
import { EventBus } from '../src/contracts/events.js';
import { ConnectionPool, type PoolOptions } from '../src/pool/index.js';
import { compare, digits, publish, toMarkdown } from './harness.js';

const MAX = 15;

const create = async (): Promise<object> => ({});
// As ours and tarn's: a caller waits no longer than 30 s.
const genericPool = createPool({ create, destroy: async () => {} }, { max: MAX, acquireTimeoutMillis: 30_000 });
const patientPool = createPool({ create, destroy: async () => {} }, { max: MAX });
const tarn = new TarnPool<object>({ create, destroy: () => {}, min: 0, max: MAX });
const plain = givenAPool();
const watched = givenAPool({
  validate: () => true,
  validateAfterIdleMs: 30_000,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 600_000,
  leakWarningMs: 60_000,
});
const observed = givenAPool({ bus: listenedBus() });

function givenAPool(options: Partial<PoolOptions<object>> = {}): ConnectionPool<object> {
  return new ConnectionPool({ create, max: MAX, ...options });
}

let eventsSeen = 0;
function listenedBus(): EventBus {
  const bus = new EventBus();
  bus.on('pool.acquired', () => eventsSeen++);
  bus.on('pool.state', () => eventsSeen++);
  return bus;
}

async function oneAwait(iterations: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += await Promise.resolve(i);
  return sum;
}

async function viaAcquire(pool: ConnectionPool<object>, iterations: number): Promise<number> {
  let held = 0;
  for (let i = 0; i < iterations; i++) {
    const lease = await pool.acquire();
    if (lease.resource !== undefined) held++;
    lease.release();
  }
  return held;
}

function viaTryAcquire(pool: ConnectionPool<object>, iterations: number): number {
  let held = 0;
  for (let i = 0; i < iterations; i++) {
    const lease = pool.tryAcquire();
    if (lease === undefined) throw new Error('nothing idle');
    if (lease.resource !== undefined) held++;
    lease.release();
  }
  return held;
}

/** `workers` loops that share one count of iterations, each holding a connection over one await. */
async function crowd(workers: number, iterations: number, turn: () => Promise<void>): Promise<number> {
  let left = iterations;
  const work = async (): Promise<void> => {
    while (left-- > 0) await turn();
  };
  await Promise.all(Array.from({ length: workers }, work));
  return iterations - left;
}

export default async function pool(): Promise<void> {
  for (const each of [plain, watched, observed]) (await each.acquire()).release();
  const alone = await compare(
    'acquire + release, one caller',
    [
      { name: 'one await', role: 'floor', run: oneAwait },
      { name: 'venuekit tryAcquire', role: 'ours', run: (n) => viaTryAcquire(plain, n) },
      { name: 'venuekit acquire', role: 'ours', run: (n) => viaAcquire(plain, n) },
      { name: 'venuekit acquire, validation, ages and leak watch on', role: 'ours', run: (n) => viaAcquire(watched, n) },
      { name: 'venuekit acquire, a listener on each event', role: 'ours', run: (n) => viaAcquire(observed, n) },
      {
        name: 'generic-pool',
        role: 'peer',
        run: async (n) => {
          for (let i = 0; i < n; i++) await genericPool.release(await genericPool.acquire());
          return genericPool.size;
        },
      },
      {
        name: 'generic-pool without a timeout',
        role: 'peer',
        run: async (n) => {
          for (let i = 0; i < n; i++) await patientPool.release(await patientPool.acquire());
          return patientPool.size;
        },
      },
      {
        name: 'tarn',
        role: 'peer',
        run: async (n) => {
          let released = 0;
          for (let i = 0; i < n; i++) if (tarn.release(await tarn.acquire().promise)) released++;
          return released;
        },
      },
    ],
    {
      targets: (ns) => {
        const sync = ns('venuekit tryAcquire') / ns('one await');
        const async = ns('venuekit acquire') / ns('one await');
        const peer = ns('generic-pool') / ns('venuekit acquire');
        return [
          { target: 'tryAcquire + release ≤ 0.25× one await', reached: `${digits(sync)}×`, met: sync <= 0.25 },
          { target: 'acquire + release ≤ 3× one await', reached: `${digits(async)}×`, met: async <= 3 },
          { target: '≥ 5× generic-pool', reached: `${digits(peer)}×`, met: peer >= 5 },
        ];
      },
    },
  );
  const crowded = await compare(
    `50 workers on ${MAX} connections, each held over one await`,
    [
      {
        name: 'two awaits',
        role: 'floor',
        run: (n) =>
          crowd(50, n, async () => {
            await Promise.resolve();
            await Promise.resolve();
          }),
      },
      {
        name: 'venuekit',
        role: 'ours',
        run: (n) =>
          crowd(50, n, async () => {
            const lease = await plain.acquire();
            await Promise.resolve();
            lease.release();
          }),
      },
      {
        name: 'venuekit use()',
        role: 'ours',
        run: (n) =>
          crowd(50, n, async () => {
            await plain.use(async () => {
              await Promise.resolve();
            });
          }),
      },
      {
        name: 'generic-pool',
        role: 'peer',
        run: (n) =>
          crowd(50, n, async () => {
            const resource = await genericPool.acquire();
            await Promise.resolve();
            await genericPool.release(resource);
          }),
      },
      {
        name: 'generic-pool without a timeout',
        role: 'peer',
        run: (n) =>
          crowd(50, n, async () => {
            const resource = await patientPool.acquire();
            await Promise.resolve();
            await patientPool.release(resource);
          }),
      },
      {
        name: 'tarn',
        role: 'peer',
        run: (n) =>
          crowd(50, n, async () => {
            const resource = await tarn.acquire().promise;
            await Promise.resolve();
            tarn.release(resource);
          }),
      },
    ],
    {
      targets: (ns) => {
        const floor = ns('venuekit') / ns('two awaits');
        const peer = ns('generic-pool') / ns('venuekit');
        return [
          { target: '≤ 3× two awaits', reached: `${digits(floor)}×`, met: floor <= 3 },
          { target: '≥ 5× generic-pool', reached: `${digits(peer)}×`, met: peer >= 5 },
        ];
      },
    },
  );
  if (eventsSeen === 0) throw new Error('the observed pool told nobody anything');
  await Promise.all([plain.close(), watched.close(), observed.close()]);
  for (const each of [genericPool, patientPool]) {
    await each.drain();
    await each.clear();
  }
  await tarn.destroy();
  publish('pool', [toMarkdown(alone), toMarkdown(crowded)]);
}
