import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { BrokerAdapter } from '../src/contracts/broker.js';
import type { OrderJournal } from '../src/contracts/journal.js';
import { MemoryOrderJournal } from '../src/stores/memory/memory-order-journal.js';
import { loadBinding } from '../src/stores/sqlite/binding.js';
import { SqliteOrderJournal } from '../src/stores/sqlite/order-journal.js';
import { ResilientTradingClient } from '../src/trading/resilient-trading-client.js';
import { digits, publish } from './harness.js';

/**
 * Durable appends: each is the two records that precede a send, resolved when they are on the disk.
 * The journal beside the two other ways to be durable, all sharing commits among what is in flight:
 * SQLite's own synchronous=FULL on this thread, and the same on a worker thread.
 */

const ROUNDS = 5;
const ROUND_MS = 700;
const IN_FLIGHT = [1, 10, 100] as const;
const BODY = {
  attempt: 1,
  venueNow: 1_790_000_000_000,
  fenceUntil: 1_790_000_002_000,
  intent: { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01000000', price: '60000.00', timeInForce: 'gtc' },
};

interface Way extends AsyncDisposable {
  append(intentId: string): Promise<void>;
}

const journalWay = async (directory: string): Promise<Way> => {
  const journal = await SqliteOrderJournal.open({ path: join(directory, 'orders.db') });
  const { epoch } = await journal.acquire('main', 'bench', 60_000);
  return {
    append: (intentId) => {
      const common = { account: 'main', intentId, at: 1_790_000_000_000, epoch, body: BODY };
      return journal.append([
        { ...common, type: 'prepared' },
        { ...common, type: 'sending' },
      ]);
    },
    [Symbol.asyncDispose]: () => journal.close(),
  };
};

const TABLES = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE intent (id INTEGER PRIMARY KEY, account TEXT, intent_id TEXT, ended_at REAL, UNIQUE (intent_id, account));
  CREATE TABLE record (sequence INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER, at REAL, epoch INTEGER, type TEXT, body TEXT);
  CREATE INDEX record_of_intent ON record (intent)`;
const TOUCH = 'INSERT INTO intent (account, intent_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET ended_at = NULL RETURNING id';
const INSERT = 'INSERT INTO record (intent, at, epoch, type, body) VALUES (?, ?, ?, ?, ?)';

/** Shares a commit among what was appended in the same turn of the event loop. */
function batching(commit: (ids: readonly string[]) => unknown, close: () => Promise<void>): Way {
  let waiting: { id: string; resolve: () => void }[] = [];
  const run = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    await commit(batch.map(({ id }) => id));
    for (const { resolve } of batch) resolve();
  };
  return {
    append: (id) =>
      new Promise((resolve) => {
        waiting.push({ id, resolve });
        if (waiting.length === 1) setImmediate(run);
      }),
    [Symbol.asyncDispose]: close,
  };
}

const thisThreadWay = async (directory: string): Promise<Way> => {
  const Connection = await loadBinding();
  const connection = new Connection(join(directory, 'orders.db'), { readOnly: false, timeout: 1_000 });
  connection.exec(TABLES);
  const [touch, insert] = [connection.prepare(TOUCH), connection.prepare(INSERT)];
  const commit = (ids: readonly string[]): void => {
    connection.exec('BEGIN IMMEDIATE');
    for (const id of ids) {
      const intent = Number(touch.get('main', id)?.id);
      for (const type of ['prepared', 'sending']) insert.run(intent, 1_790_000_000_000, 1, type, JSON.stringify(BODY));
    }
    connection.exec('COMMIT');
  };
  return batching(commit, async () => connection.close());
};

// As text: a worker file would have to be built. The worker closes its database when asked, and is never terminated.
const WORKER = `
  const { workerData: { path, TABLES, TOUCH, INSERT, BODY }, parentPort } = require('node:worker_threads');
  const { DatabaseSync } = process.getBuiltinModule?.('node:sqlite') ?? require('@photostructure/sqlite');
  const connection = new DatabaseSync(path);
  connection.exec(TABLES);
  const [touch, insert] = [connection.prepare(TOUCH), connection.prepare(INSERT)];
  parentPort.on('message', (ids) => {
    if (ids === 'close') { connection.close(); parentPort.close(); return; }
    connection.exec('BEGIN IMMEDIATE');
    for (const id of ids) {
      const intent = Number(touch.get('main', id).id);
      for (const type of ['prepared', 'sending']) insert.run(intent, 1790000000000, 1, type, BODY);
    }
    connection.exec('COMMIT');
    parentPort.postMessage('done');
  });
  parentPort.postMessage('ready');`;

const workerWay = async (directory: string): Promise<Way> => {
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: { path: join(directory, 'orders.db'), TABLES, TOUCH, INSERT, BODY: JSON.stringify(BODY) },
  });
  const answer = (): Promise<unknown> => once(worker, 'message');
  await answer();
  let last: Promise<unknown> = Promise.resolve();
  const commit = (ids: readonly string[]): Promise<unknown> => {
    last = last.then(() => {
      const done = answer();
      worker.postMessage(ids);
      return done;
    });
    return last;
  };
  return batching(commit, async () => {
    worker.postMessage('close');
    await once(worker, 'exit');
  });
};

const WAYS: Readonly<Record<string, (directory: string) => Promise<Way>>> = {
  '**the journal** (fdatasync off this thread)': journalWay,
  'synchronous=FULL on this thread': thisThreadWay,
  'synchronous=FULL on a worker': workerWay,
};

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What another task of this thread waited for at worst in a hundred. */
  readonly loopP99Ms: number;
  readonly loopMaxMs: number;
}

async function measure(open: (directory: string) => Promise<Way>, inFlight: number): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  try {
    await using way = await open(directory);
    const waits: number[] = [];
    let count = 0;
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const start = performance.now();
    const end = start + ROUND_MS;
    const client = async (): Promise<void> => {
      for (let at = performance.now(); at < end; at = performance.now()) {
        await way.append(`intent-${count++}`);
        waits.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
    const tookMs = performance.now() - start;
    loop.disable();
    waits.sort((a, b) => a - b);
    const quantile = (q: number): number => waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] as number;
    return {
      perSecond: (waits.length / tookMs) * 1000,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      loopP99Ms: loop.percentile(99) / 1e6,
      loopMaxMs: loop.max / 1e6,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function median(rounds: readonly Round[], of: (round: Round) => number): number {
  const sorted = rounds.map(of).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** A venue that fills at once and costs nothing: what is left is the client and its journal. */
function instantVenue(): BrokerAdapter {
  let orders = 0;
  return {
    venue: 'instant',
    capabilities: {
      clientId: { maxLength: 36, pattern: /^[\w-]{1,36}$/, unique: 'open_orders' },
      fence: { maxMs: 60_000, defaultMs: 2_000 },
      visibilityLagMs: 0,
      lookup: 'by_client_id',
      amend: 'none',
      streamSequenced: false,
    },
    limits: [],
    cost: () => [],
    async place({ symbol, side, qty }, clientOrderId, { venueNow }) {
      const venueOrderId = String(++orders);
      return {
        kind: 'accepted',
        order: { clientOrderId, venueOrderId, state: 'filled', symbol, side, qty, filledQty: qty, avgPrice: '60000', venueTime: venueNow },
      };
    },
    cancel: async () => ({ kind: 'rejected', code: 'UNKNOWN_ORDER', cause: undefined }),
    find: async () => 'not_found',
    async *openOrders() {},
    async *history() {},
    async *fills() {},
    serverTime: async () => Date.now(),
  };
}

const clientWay =
  (openJournal: (directory: string) => Promise<OrderJournal>) =>
  async (directory: string): Promise<Way> => {
    const journal = await openJournal(directory);
    const client = new ResilientTradingClient({ adapter: instantVenue(), journal, policy: { bulkhead: { writes: 200, reads: 50 } } });
    await client.start();
    return {
      append: async (intentId) => {
        await client.submit({ intentId, symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01000000', price: '60000.00', timeInForce: 'gtc' });
      },
      async [Symbol.asyncDispose]() {
        await client.close();
        await journal[Symbol.asyncDispose]();
      },
    };
  };

const CLIENTS: Readonly<Record<string, (directory: string) => Promise<Way>>> = {
  '**durable, over SQLite**': clientWay((directory) => SqliteOrderJournal.open({ path: join(directory, 'orders.db') })),
  'not durable, over memory': clientWay(async () => new MemoryOrderJournal()),
};

/** A table of every way at every number in flight, and the first way's rate at the highest. */
async function compareWays(
  title: string,
  ways: Readonly<Record<string, (directory: string) => Promise<Way>>>,
  unit: string,
): Promise<{ table: string; reached: number }> {
  const lines = [
    `### ${title}`,
    '',
    `| in flight | | ${unit}/s | p50 ms | p99 ms | event loop p99 ms | longest stop ms |`,
    '|---:|---|---:|---:|---:|---:|---:|',
  ];
  let reached = 0;
  for (const inFlight of IN_FLIGHT) {
    const results = new Map<string, Round[]>(Object.keys(ways).map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, open] of Object.entries(ways)) results.get(name)?.push(await measure(open, inFlight));
    }
    const [ours] = results.values();
    reached = median(ours as Round[], ({ perSecond }) => perSecond);
    for (const [name, rounds] of results) {
      const cells = [
        Math.round(median(rounds, (r) => r.perSecond)).toLocaleString('en'),
        ...[(r: Round) => r.p50Ms, (r: Round) => r.p99Ms, (r: Round) => r.loopP99Ms, (r: Round) => r.loopMaxMs].map((of) =>
          digits(median(rounds, of)),
        ),
      ];
      lines.push(`| ${inFlight} | ${name} | ${cells.join(' | ')} |`);
    }
  }
  return { table: lines.join('\n'), reached };
}

function verdict(what: string, reached: number): string {
  return `\n\n| target | reached | |\n|---|---|---|\n| ≥ 5,000 ${what} at 100 in flight | ${Math.round(reached).toLocaleString('en')} | ${reached >= 5_000 ? 'met' : 'MISSED'} |\n`;
}

export default async function bench(): Promise<void> {
  const appends = await compareWays('Durable appends of two records, commits shared', WAYS, 'appends');
  const orders = await compareWays('Orders through ResilientTradingClient, from submit to filled, on a venue that costs nothing', CLIENTS, 'orders');
  publish('journal', [appends.table + verdict('durable appends/s', appends.reached), orders.table + verdict('durable placements/s', orders.reached)]);
}
