import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceRecorder } from '../src/analyzer/index.js';
import { EventBus, type VenueKitEvents } from '../src/contracts/events.js';
import type { MarketDataAdapter, Quote } from '../src/contracts/market-data.js';
import { systemClock } from '../src/core/clock.js';
import { CachedMarketDataClient } from '../src/market-data/index.js';
import { instrument, MetricsRegistry } from '../src/metrics/index.js';
import { MemoryOrderJournal, ResilientTradingClient } from '../src/trading/index.js';
import { type Comparison, compare, digits, type Measured, publish, toMarkdown } from './harness.js';
import { instantVenue } from './instant-venue.js';

const SYMBOLS = Array.from({ length: 64 }, (_, i) => `S${i}/USDT`);
const MAX_AGE_MS = 3_600_000;
const COUNTED = 20_000;
/** Fewer bytes than may wait for the disk: beyond them records are dropped, which costs nothing. */
const MOST_IN_A_ROUND = 100_000;

type Recorded = 'off' | 'memory' | 'file';
const folder = mkdtempSync(join(tmpdir(), 'venuekit-trace-bench-'));
let files = 0;

/** A bus as a kit has it, with its metrics, and a recorder or none. */
function desk(recorded: Recorded): { readonly bus: EventBus; readonly recorder: TraceRecorder | undefined; readonly path: string } {
  const bus = new EventBus();
  instrument(bus, new MetricsRegistry());
  const path = join(folder, `${files++}.bin`);
  const recorder = recorded === 'off' ? undefined : new TraceRecorder({ bus, ...(recorded === 'file' ? { path } : {}) });
  return { bus, recorder, path };
}

const quotes: MarketDataAdapter = {
  venue: 'instant',
  batchLimit: () => 1,
  fetch: async (_, requests) =>
    requests.map(({ symbol }) => {
      const value: Quote = { symbol, bid: 1, ask: 2, eventTime: systemClock.now() } as Quote;
      return { status: 'fulfilled', value } as never;
    }),
};

/** Reads of held quotes: the commonest call of all. */
async function reader(recorded: Recorded): Promise<(iterations: number) => Promise<unknown>> {
  const { bus, recorder } = desk(recorded);
  const client = new CachedMarketDataClient({ adapter: quotes, bus });
  const options = { maxAgeMs: MAX_AGE_MS, consumer: 'momentum' };
  for (const symbol of SYMBOLS) await client.get('quote', { symbol }, options);
  return async (iterations) => {
    let last: unknown;
    for (let i = 0; i < iterations; i++) last = await client.get('quote', { symbol: SYMBOLS[i & 63]! }, options);
    await recorder?.flush();
    return last;
  };
}

/** Reads past the cache, of a venue that answers at once: each is a load, and a value that may have changed. */
async function fetching(recorded: Recorded): Promise<(iterations: number) => Promise<unknown>> {
  const { bus, recorder } = desk(recorded);
  const client = new CachedMarketDataClient({ adapter: quotes, bus });
  const options = { intent: 'order', consumer: 'momentum' } as const;
  return async (iterations) => {
    let last: unknown;
    for (let i = 0; i < iterations; i++) last = await client.get('quote', { symbol: SYMBOLS[i & 63]! }, options);
    await recorder?.flush();
    return last;
  };
}

/** Orders to a venue that answers at once, over a journal in memory. */
async function trader(recorded: Recorded): Promise<(iterations: number) => Promise<unknown>> {
  const { bus, recorder } = desk(recorded);
  const client = new ResilientTradingClient({
    adapter: instantVenue(),
    journal: new MemoryOrderJournal(),
    bus,
    account: `bench-${recorded}`,
  } as never);
  await client.start();
  let n = 0;
  return async (iterations) => {
    let last: unknown;
    for (let i = 0; i < iterations; i++)
      last = await client.submit({ intentId: `${recorded}-${n++}`, symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '1' });
    await recorder?.flush();
    return last;
  };
}

function emitter<K extends keyof VenueKitEvents>(recorded: Recorded, event: K, payload: VenueKitEvents[K]): (iterations: number) => Promise<unknown> {
  const { bus, recorder } = desk(recorded);
  return async (iterations) => {
    for (let i = 0; i < iterations; i++) bus.emit(event, payload);
    await recorder?.flush();
    return bus;
  };
}

const KINDS = ['off', 'memory', 'file'] as const;
const nameOf = (what: string, recorded: Recorded): string =>
  recorded === 'off' ? `${what}, no recorder` : `${what}, recorded in ${recorded === 'file' ? 'a file' : 'memory'}`;

async function contenders(
  what: string,
  make: (recorded: Recorded) => Promise<(iterations: number) => unknown>,
): Promise<Parameters<typeof compare>[1]> {
  return Promise.all(
    KINDS.map(async (recorded) => ({
      name: nameOf(what, recorded),
      role: recorded === 'off' ? ('floor' as const) : ('ours' as const),
      run: await make(recorded),
    })),
  );
}

/** What it costs when it is on, all of a round written by its end: per call in ns, beside the same call without it, and bytes in the file. */
export default async function traceRecorder(): Promise<void> {
  try {
    const options = { maxIterations: MOST_IN_A_ROUND } as const;
    const reads = await compare('a read of a held quote', await contenders('read', reader), options);
    const loads = await compare('a read that goes to the venue, which answers at once', await contenders('uncached read', fetching), {
      ...options,
      maxIterations: 20_000,
    });
    const orders = await compare('an order, journal in memory, a venue that answers at once', await contenders('order', trader), {
      ...options,
      maxIterations: 5_000,
    });
    const call = { venue: 'instant', operation: 'place', attempt: 1, ms: 12, outcome: 'accepted', hedge: false } as const;
    const calls = await compare(
      'the event of a venue call alone',
      await contenders('venue.call', async (recorded) => emitter(recorded, 'venue.call', call)),
      options,
    );
    publish('trace-recorder', [...[reads, loads, orders, calls].map(toMarkdown), costs([reads, loads, orders, calls]), await bytes()]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function costs(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ title, measured }) => {
    const [off, , file] = measured as [Measured, Measured, Measured];
    const adds = file.nsPerOp - off.nsPerOp;
    // What is less than the rounds differ by, can't be told.
    if (adds < (off.maxNs - off.minNs) / 2) return `| ${title} | less than the rounds differ by | |`;
    return `| ${title} | ${digits(adds)} | ${digits((100 * adds) / off.nsPerOp)} % |`;
  });
  return [
    '### What the recorder adds, into a file',
    '',
    'Everything that a round recorded is in the file by its end, and its time is in the figure.',
    '',
    '| | ns a call | of what it takes without |',
    '|---|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

/** Of a file, after so many calls, head and names included. */
async function bytes(): Promise<string> {
  const measure = async (work: (bus: EventBus) => Promise<unknown>): Promise<number> => {
    const { bus, recorder, path } = desk('file');
    await work(bus);
    await recorder!.close();
    return statSync(path).size / COUNTED;
  };
  const held = await measure(async (bus) => {
    const client = new CachedMarketDataClient({ adapter: quotes, bus });
    for (let i = 0; i < COUNTED; i++) await client.get('quote', { symbol: SYMBOLS[i & 63]! }, { maxAgeMs: MAX_AGE_MS });
  });
  const fetched = await measure(async (bus) => {
    const client = new CachedMarketDataClient({ adapter: quotes, bus });
    for (let i = 0; i < COUNTED; i++) await client.get('quote', { symbol: SYMBOLS[i & 63]! }, { intent: 'order' } as never);
  });
  const ordered = await measure(async (bus) => {
    const client = new ResilientTradingClient({ adapter: instantVenue(), journal: new MemoryOrderJournal(), bus });
    await client.start();
    for (let i = 0; i < COUNTED; i++) await client.submit({ intentId: `${i}`, symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '1' });
    await client.close();
  });
  const row = (what: string, value: number): string => `| ${what} | ${digits(value)} | ${digits(value / 10)} |`;
  return [
    '### Bytes in the file',
    '',
    `After ${COUNTED.toLocaleString('en')} calls, the header included. A kit keeps the newest 32 MiB unless told otherwise.`,
    '',
    '| | bytes a call | MB at 100,000 calls |',
    '|---|---:|---:|',
    row('a read of a held quote', held),
    row('a read that goes to the venue', fetched),
    row('an order', ordered),
    '',
  ].join('\n');
}
