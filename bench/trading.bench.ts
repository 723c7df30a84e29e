import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrderJournal } from '../src/contracts/journal.js';
import type { OrderIntent } from '../src/contracts/orders.js';
import { MemoryOrderJournal } from '../src/stores/memory/memory-order-journal.js';
import { SqliteOrderJournal } from '../src/stores/sqlite/order-journal.js';
import { ResilientTradingClient } from '../src/trading/resilient-trading-client.js';
import { digits, publish } from './harness.js';
import { instantVenue } from './instant-venue.js';

/**
 * What placing costs: against a venue that answers at once, so that only the client and its journal
 * are measured. Each placement is durable before it is sent, and acknowledged before it counts.
 */
const IN_FLIGHT = [1, 10, 50, 100];
const ROUNDS = 5;
const ROUND_MS = 800;

interface Rate {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Keeps so many placements in flight for a while. */
async function measure(submit: () => Promise<unknown>, inFlight: number, forMs: number): Promise<Rate> {
  const times: number[] = [];
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - began < forMs) {
      const start = performance.now();
      await submit();
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - began) / 1000;
  const sorted = Float64Array.from(times).sort();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}

/** The record sizes of a placement, written straight to the journal: what durability alone costs. */
function bareAppend(journal: OrderJournal, epoch: number): () => Promise<unknown> {
  let made = 0;
  const body = { intent: anIntent(), clientOrderId: 'vk0lqu5mecb000100090cwj', payloadHash: 'x'.repeat(43) };
  return () => {
    const intentId = `bare-${++made}`;
    const shared = { account: 'bare', intentId, at: 0, epoch };
    return journal.append([
      { ...shared, type: 'prepared', body },
      { ...shared, type: 'sending', body: { attempt: 1, venueNow: 0, fenceUntil: 5_000 } },
    ]);
  };
}

const anIntent = (): OrderIntent => ({ symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01', price: '50000' });

const REST_MS = 8;
const IDLE_SAMPLES = 250;

/** One at a time and in turns, each with an idle journal before it: what place() adds to the append that it waits for. */
async function overIdle(client: ResilientTradingClient, bare: () => Promise<unknown>): Promise<{ readonly place: number; readonly append: number }> {
  const times = { place: [] as number[], append: [] as number[] };
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST_MS));
  for (let i = 0; i < IDLE_SAMPLES; i++) {
    for (const [name, work] of [
      ['place', () => client.place(anIntent())],
      ['append', bare],
    ] as const) {
      const start = performance.now();
      await work();
      times[name].push(performance.now() - start);
      await rest();
    }
  }
  const p50 = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1] as number;
  return { place: p50(times.place), append: p50(times.append) };
}

function median(rates: readonly Rate[], of: (rate: Rate) => number): number {
  return rates.map(of).sort((a, b) => a - b)[rates.length >> 1] as number;
}

async function section(title: string, open: () => Promise<OrderJournal>): Promise<string> {
  const lines = [
    `### ${title}`,
    '',
    '| in flight | placements/s | p50 ms | p99 ms | bare appends/s | append p50 ms |',
    '|---:|---:|---:|---:|---:|---:|',
  ];
  const verdicts: string[] = [];
  for (const inFlight of IN_FLIGHT) {
    await using journal = await open();
    await using client = new ResilientTradingClient({ adapter: instantVenue(), journal, policy: { bulkhead: { writes: 200, reads: 50 } } });
    await client.start();
    await using lease = await journal.acquire('bare', 'bench', 600_000);
    const bare = bareAppend(journal, lease.epoch);
    const placing: Rate[] = [];
    const appending: Rate[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      placing.push(await measure(() => client.submit(anIntent()), inFlight, ROUND_MS));
      appending.push(await measure(bare, inFlight, ROUND_MS));
    }
    lines.push(
      `| ${inFlight} | ${median(placing, (rate) => rate.perSecond).toFixed(0)} | ${digits(median(placing, (rate) => rate.p50))} | ${digits(median(placing, (rate) => rate.p99))} | ${median(appending, (rate) => rate.perSecond).toFixed(0)} | ${digits(median(appending, (rate) => rate.p50))} |`,
    );
    if (inFlight === 1) {
      const idle = await overIdle(client, bare);
      const overhead = idle.place - idle.append;
      const reached = `place ${digits(idle.place)} ms, append ${digits(idle.append)} ms: ${digits(overhead)} ms`;
      verdicts.push(`| place() over the append it waits for ≤ 0.2 ms p50, journal idle | ${reached} | ${overhead <= 0.2 ? 'met' : 'MISSED'} |`);
    }
    if (inFlight === 100) {
      const rate = median(placing, (one) => one.perSecond);
      verdicts.push(`| ≥ 5,000 durable placements/s at 100 in flight | ${rate.toFixed(0)}/s | ${rate >= 5_000 ? 'met' : 'MISSED'} |`);
    }
  }
  return `${[...lines, '', '| target | reached | |', '|---|---|---|', ...verdicts].join('\n')}\n`;
}

export default async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  let files = 0;
  try {
    const sections = [
      await section('Memory journal', async () => new MemoryOrderJournal()),
      await section('SQLite journal, synchronous=FULL', () => SqliteOrderJournal.open({ path: join(folder, `orders-${++files}.db`) })),
    ];
    publish('trading', sections);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
