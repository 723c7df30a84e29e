import os from 'node:os';
import { percentiles } from '../examples/session/judge.js';
import { digits, publish } from './harness.js';
import { kitDesk, rawDesk } from './served/desks.js';
import { latenciesInTurn, latenciesOnSchedule, type OrderLatency } from './served/order-latency.js';
import { type OrderThroughput, orderThroughput } from './served/order-throughput.js';
import { type ReadRate, readRates, readsAtEqualRequests, type ScheduledReads } from './served/reads.js';

/**
 * The whole way to a venue: the real ccxt client over HTTP on loopback, raw and through venuekit side
 * by side in one run. The venue is simulated and served by a process of its own.
 */

const WARM_UP = 300;
const ORDERS_IN_TURN = 1_500;
const SCHEDULE = { orders: 600, everyMs: 150 };
const VENUE = { latency: { p50Ms: 8, p99Ms: 40 }, visibilityLagMs: 400 };
const TIMEOUT_MS = 1_000;
const FAULTS = 0.05;
const IN_FLIGHT = [1, 10, 50];
const ORDER_ROUNDS = { rounds: 5, roundMs: 700 };
/** As many as the most orders in flight: a session carries one request at a time. */
const SESSIONS = 50;
const READ_ROUNDS = { rounds: 9, roundMs: 500 };
const BOT = { forMs: 5_000, everyMs: 10 };

const RAW = 'raw ccxt with a retry loop';
const KIT = '**venuekit, journal in memory**';
const DURABLE = '**venuekit, journal in SQLite**';
const KIT_SESSIONS = '**venuekit over WebSocket sessions, journal in memory**';
const DURABLE_SESSIONS = '**venuekit over WebSocket sessions, journal in SQLite**';

type Target = { readonly target: string; readonly reached: string; readonly met: boolean };

export default async function served(): Promise<void> {
  const desks = [
    rawDesk(RAW),
    kitDesk(KIT, { journal: 'memory' }),
    kitDesk(DURABLE, { journal: 'sqlite' }),
    kitDesk(KIT_SESSIONS, { journal: 'memory', sessions: SESSIONS }),
    kitDesk(DURABLE_SESSIONS, { journal: 'sqlite', sessions: SESSIONS }),
  ];
  const reads = await readRates(READ_ROUNDS);
  const bot = await readsAtEqualRequests(BOT);
  const inTurn = await latenciesInTurn(desks, ORDERS_IN_TURN, WARM_UP);
  const perSecond = await orderThroughput(
    [...desks, rawDesk('raw ccxt as it comes, its own limiter on', { ownLimiter: true })],
    IN_FLIGHT,
    ORDER_ROUNDS,
  );
  const scheduled = await latenciesOnSchedule(
    [0, FAULTS].flatMap((faultShare) => desks.map((open) => ({ open, faultShare }))),
    { timeoutMs: TIMEOUT_MS, visibilityLagMs: VENUE.visibilityLagMs },
    VENUE,
    SCHEDULE,
  );
  publish('served', [
    intro(),
    readRateSection(reads),
    scheduledReadSection(bot),
    latencySection(
      'Order latency: a venue that answers at once',
      `${ORDERS_IN_TURN} market orders on each side, one after the other, the sides taking turns; no faults. This is what the machinery itself costs.`,
      inTurn,
      [overheadTarget(inTurn)],
    ),
    latencySection(
      'Order latency: calm',
      `Answers held back by ${VENUE.latency.p50Ms} ms (median) to ${VENUE.latency.p99Ms} ms (99th percentile); ${SCHEDULE.orders} orders a side, one every ${SCHEDULE.everyMs} ms, all sides of this table and the next at the same time; ccxt gives up after ${TIMEOUT_MS} ms. The headline of the best earlier model, on its own set-up: 26 → 15.5 ms.`,
      scheduled.slice(0, desks.length),
    ),
    latencySection(
      `Order latency: ${FAULTS * 100} % of requests fail`,
      `The same, while a fifth of the faults each are lost requests, lost answers, 503, 429 with a Retry-After of 1 s, and resets after the venue has acted. A raw bot is done sooner with what it has lost sight of because it sends again without knowing: the last columns say what that does. The kit waits for proof: ${TIMEOUT_MS} ms until ccxt gives up, then until the venue's own deadline (1,000 ms after signing), its visibility lag (${VENUE.visibilityLagMs} ms) and a margin (1,000 ms) have passed.`,
      scheduled.slice(desks.length),
      [safetyTarget(scheduled.slice(desks.length + 1))],
    ),
    throughputSection(perSecond),
  ]);
}

function intro(): string {
  return `The venue is \`venuekit/testing\`'s, served over HTTP/1.1 on loopback by a process of its own, without limits. The kit runs with the limits of its adapter multiplied by 10,000 (they are counted, but never hold an order back: Binance takes 100 orders in 10 s), and ccxt without its own limiter unless a row says otherwise. Orders are market orders that fill at once. Rows of venuekit send orders by the same REST calls of ccxt as the raw bot unless they say sessions: those place them over pooled WebSocket connections, one request on each at a time, and follow the stream of own orders, which tells of each order twice more. The machine's load average when this ended: ${digits(os.loadavg()[1] ?? Number.NaN)} (5 minutes) on ${os.cpus().length} processors, which the client and the venue shared.\n`;
}

function readRateSection(rates: readonly ReadRate[]): string {
  const [plain] = rates as readonly [ReadRate];
  return section(
    'Reads a second, in one process',
    `Quotes of three symbols in turn, back to back, with the cache's defaults: values expire after 1 s and are fetched anew meanwhile. Reads in a processor second count this process's own processor time, all its threads, and so leave out what else the machine was doing. The headline of the best earlier model: 33,481 market-data operations a second at 0.030 ms.`,
    ['', 'reads/s', 'min – max', 'reads in a processor second', 'reads', 'HTTP requests'],
    rates.map(({ name, perSecond, perCpuSecond, reads, requests }) => [
      name.startsWith('raw') ? name : `**${name}**`,
      count(median(perSecond)),
      range(perSecond, count),
      count(median(perCpuSecond)),
      count(reads),
      count(requests),
    ]),
    [{ target: '≥ 1,000,000 cached reads/s through `await get`', reached: count(median(plain.perSecond)), met: median(plain.perSecond) >= 1e6 }],
  );
}

function scheduledReadSection(bots: readonly ScheduledReads[]): string {
  const [kit, raw, batched] = bots as readonly [ScheduledReads, ScheduledReads, ScheduledReads];
  const ratio = kit.reads / kit.requests / (raw.reads / raw.requests);
  const toBatched = kit.reads / kit.requests / (batched.reads / batched.requests);
  return section(
    'Reads at the same number of requests',
    `A bot that wants the quotes of three symbols, no older than 500 ms, every ${BOT.everyMs} ms, for ${BOT.forMs / 1000} s through the kit; the raw bots stop when they have sent as many requests.`,
    ['', 'requests', 'reads answered', 'reads a request', 'lasted, s', 'p50, ms', 'p99, ms'],
    bots.map(({ name, reads, requests, ms, latenciesMs }) => {
      const { p50, p99 } = percentiles(latenciesMs);
      return [
        name === 'venuekit' ? `**${name}**` : name,
        count(requests),
        count(reads),
        digits(reads / requests),
        digits(ms / 1000),
        digits(p50),
        digits(p99),
      ];
    }),
    [{ target: '≥ 20× the reads of the raw client', reached: `${digits(ratio)}× (${digits(toBatched)}× one that batches)`, met: ratio >= 20 }],
  );
}

function latencySection(title: string, text: string, results: readonly OrderLatency[], targets: readonly Target[] = []): string {
  return section(
    title,
    text,
    ['', 'p50, ms', 'p95', 'p99', 'longest', 'orders', 'errors', 'duplicated', 'orphaned', 'lost'],
    results.map(({ name, latencies, errors, duplicates, orphans, lost }) => {
      const { p50, p95, p99 } = percentiles(latencies);
      const times = [p50, p95, p99, latencies.at(-1) ?? Number.NaN].map(digits);
      return [name, ...times, ...[latencies.length, errors, duplicates, orphans, lost].map(count)];
    }),
    targets,
  );
}

function overheadTarget(results: readonly OrderLatency[]): Target {
  const [raw, kit] = results.map(({ latencies }) => percentiles(latencies).p50);
  const ms = (kit ?? Number.NaN) - (raw ?? Number.NaN);
  return { target: 'venuekit with its journal in memory: ≤ 0.2 ms over raw ccxt at p50', reached: `${digits(ms)} ms`, met: ms <= 0.2 };
}

function safetyTarget(results: readonly OrderLatency[]): Target {
  const wrong = results.map(({ errors, duplicates, orphans, lost }) => errors + duplicates + orphans + lost).reduce((sum, one) => sum + one, 0);
  return { target: 'venuekit: no error, no order duplicated, orphaned or lost', reached: `${count(wrong)} in all`, met: wrong === 0 };
}

function throughputSection(results: readonly OrderThroughput[]): string {
  return section(
    'Orders a second',
    `A venue that answers at once, no faults; each side keeps so many orders in flight. Processor time of the median round is the client's whole process and the venue's whole process, over the orders: with a processor for each, the slower of the two bounds the rate, so that 0.4 ms are 2,500 orders/s; with two processors for everything on this machine, both and whatever else runs do. Busy is the share of that round in which a process used a processor. The headline of the best earlier model: 1,920 → 2,500 orders/s.`,
    ['', 'in flight', 'orders/s', 'min – max', '× raw', 'client, ms/order', 'venue, ms/order', 'client busy', 'venue busy'],
    results.map(({ name, inFlight, perSecond, clientMs, venueMs }) => {
      const raw = results.find((result) => result.name === RAW && result.inFlight === inFlight) ?? results[0];
      const ratio = median(perSecond) / median(raw?.perSecond ?? []);
      return [
        name,
        count(inFlight),
        count(median(perSecond)),
        range(perSecond, count),
        digits(ratio),
        digits(clientMs),
        digits(venueMs),
        busy(perSecond, clientMs),
        busy(perSecond, venueMs),
      ];
    }),
  );
}

function section(
  title: string,
  text: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  targets: readonly Target[] = [],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [`### ${title}`, '', text, '', line(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...rows.map(line)];
  if (targets.length > 0) {
    lines.push('', '| target | reached | |', '|---|---|---|');
    for (const { target, reached, met } of targets) lines.push(line([target, reached, met ? 'met' : 'MISSED']));
  }
  return `${lines.join('\n')}\n`;
}

function busy(perSecond: readonly number[], msPerOrder: number): string {
  return `${Math.round((median(perSecond) * msPerOrder) / 10)} %`;
}

function median(ascending: readonly number[]): number {
  return ascending[ascending.length >> 1] ?? Number.NaN;
}

function range(ascending: readonly number[], show: (value: number) => string): string {
  return `${show(ascending[0] ?? Number.NaN)} – ${show(ascending.at(-1) ?? Number.NaN)}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
