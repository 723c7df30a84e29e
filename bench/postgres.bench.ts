import type pg from 'pg';
import { seededRandom } from '../src/core/random.js';
import { postgresMetricStore, postgresOrderJournal } from '../src/stores/postgres/index.js';
import { HAS_POSTGRES, PostgresServer } from '../test/setup/postgres-server.js';
import { digits, publish } from './harness.js';

/**
 * The order journal and the metric store on a PostgreSQL of this machine, on loopback, with the settings that it ships with: a
 * commit waits for the disk. Beside the journal, the least that a durable commit can cost: one row inserted by a statement of its own.
 */

const ROUNDS = 5;
const ROUND_MS = 1_500;
const IN_FLIGHT = [1, 10, 100] as const;
const SERIES = 1_000;
const SLOTS = 3;
const SLOT_SECONDS = 600;
const BODY = {
  attempt: 1,
  venueNow: 1_790_000_000_000,
  intent: { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01000000', price: '60000.00' },
};

interface Rate {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function rateOf(append: (id: string) => Promise<unknown>, inFlight: number, round: string): Promise<Rate> {
  const took: number[] = [];
  const began = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - began < ROUND_MS) {
      const start = performance.now();
      await append(`${round}-${next++}`);
      took.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - began) / 1_000;
  took.sort((a, b) => a - b);
  return { perSecond: took.length / seconds, p50: took[took.length >> 1] as number, p99: took[Math.floor(took.length * 0.99)] as number };
}

async function journalSection(pool: pg.Pool): Promise<string> {
  const journal = await postgresOrderJournal(pool);
  const { epoch } = await journal.acquire('main', 'bench', 600_000);
  await pool.query('CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY, body text)');
  const ways = {
    'one row, one statement': (id: string) => pool.query('INSERT INTO floor (body) VALUES ($1)', [id + JSON.stringify(BODY)]),
    '**venuekit/postgres**': (intentId: string) => {
      const common = { account: 'main', intentId, at: 1_790_000_000_000, epoch, body: BODY };
      return journal.append([
        { ...common, type: 'prepared' },
        { ...common, type: 'sending' },
      ]);
    },
  };
  const lines = ['### Durable placements', '', 'A placement is the two records before a send, resolved when they are on the disk.', ''];
  lines.push('| | in flight | placements/s | p50, ms | p99, ms |', '|---|---:|---:|---:|---:|');
  let reached = 0;
  for (const inFlight of IN_FLIGHT) {
    const rates = new Map<string, Rate[]>(Object.keys(ways).map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, append] of Object.entries(ways)) rates.get(name)?.push(await rateOf(append, inFlight, `${inFlight}-${round}`));
    for (const [name, all] of rates) {
      const perSecond = median(all.map((rate) => rate.perSecond));
      if (name.startsWith('**')) reached = perSecond;
      lines.push(
        `| ${name} | ${inFlight} | ${digits(perSecond)} | ${digits(median(all.map(({ p50 }) => p50)))} | ${digits(median(all.map(({ p99 }) => p99)))} |`,
      );
    }
  }
  await journal.close();
  const met = reached >= 2_000;
  lines.push(
    '',
    '| target | reached | |',
    '|---|---|---|',
    `| ≥ 2,000 durable placements/s at 100 in flight | ${digits(reached)} | ${met ? 'met' : 'MISSED'} |`,
  );
  return `${lines.join('\n')}\n`;
}

async function metricSection(pool: pg.Pool): Promise<string> {
  const store = await postgresMetricStore(pool, { recentPoints: 0 });
  const random = seededRandom(1);
  const series = Array.from({ length: SERIES }, (_, i) => ({ name: `metric_${i % 40}`, labels: { instance: String(i) } }));
  // As a session's are: two thirds counters that rise or rest, the others readings with some decimals.
  const values = new Float64Array(SERIES);
  const t0 = 1_700_002_800_000;
  const rates: number[] = [];
  let wallMs = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const began = performance.now();
    for (let second = 0; second < SLOT_SECONDS; second++) {
      for (let i = 0; i < SERIES; i++) {
        if (i % 3 !== 0) values[i] = (values[i] as number) + (random() < 0.3 ? Math.floor(random() * 20) : 0);
        else if (random() < 0.5) values[i] = Math.round(random() * 100_000) / 1_000;
      }
      await store.append({ t: t0 + (slot * SLOT_SECONDS + second) * 1_000, series, values });
    }
    await store.settled();
    const ms = performance.now() - began;
    wallMs += ms;
    rates.push((SERIES * SLOT_SECONDS * 1_000) / ms);
  }
  await store.append({ t: t0 + SLOTS * SLOT_SECONDS * 1_000, series, values });
  await store.settled();
  const { points, bytes } = await store.stats();
  await pool.query('VACUUM FULL');
  const [size] = (
    await pool.query(
      "SELECT sum(pg_total_relation_size(format('venuekit.%I', relname))) AS bytes FROM pg_class WHERE relname LIKE 'metric_%' AND relkind = 'r'",
    )
  ).rows;
  const onDisk = Number(size.bytes) / points;
  const from = t0;
  const to = t0 + SLOTS * SLOT_SECONDS * 1_000;
  const asked: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await store.query({ metric: 'metric_1', match: { instance: '1' }, from, to, stepMs: 60_000, agg: 'avg' });
    asked.push(performance.now() - start);
  }
  await store[Symbol.asyncDispose]();
  const perSecond = median(rates);
  return [
    '### Metrics',
    '',
    `${SERIES} series a second for ${(SLOTS * SLOT_SECONDS) / 60} minutes of their time, in ${digits(wallMs / 1_000)} s; the time includes compaction. The values are made: two thirds counters, one third readings with up to three decimals, half of which change in a second.`,
    '',
    '| | |',
    '|---|---:|',
    `| points/s, compaction included | ${digits(perSecond)} |`,
    `| bytes a point in blobs, minutes included | ${digits(bytes / points)} |`,
    `| bytes a point on the disk, rows and indexes included | ${digits(onDisk)} |`,
    `| half an hour of one series in minutes, p50 ms | ${digits(median(asked))} |`,
    '',
    '| target | reached | |',
    '|---|---|---|',
    `| ≥ 200,000 points/s | ${digits(perSecond)} | ${perSecond >= 200_000 ? 'met' : 'MISSED'} |`,
    `| ≤ 10 B/point | ${digits(onDisk)} | ${onDisk <= 10 ? 'met' : 'MISSED'} |`,
    '',
  ].join('\n');
}

export default async function bench(): Promise<void> {
  if (!HAS_POSTGRES) throw new Error('There is no PostgreSQL; install one: sh scripts/install-test-services.sh');
  await using server = await PostgresServer.start({ fsync: 'on', max_connections: '150' });
  const pool = server.pool({ max: 110 });
  publish('postgres', [await journalSection(pool), await metricSection(pool)]);
}
