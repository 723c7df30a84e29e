import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createCache } from 'cache-manager';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import type { Settled } from '../src/contracts/calls.js';
import { EventBus } from '../src/contracts/events.js';
import type { MarketDataAdapter, Quote } from '../src/contracts/market-data.js';
import { seededRandom } from '../src/core/random.js';
import { CachedMarketDataClient } from '../src/market-data/cached-market-data-client.js';
import { s3FifoStore } from '../src/market-data/s3-fifo-store.js';
import { instrument, MetricsRegistry } from '../src/metrics/index.js';
import { compare, digits, publish, toMarkdown } from './harness.js';

const KEYS = 15_000;
const ACCESSES = 1 << 16;
const TTL_MS = 3_600_000;

/** Answers at once: what is measured is the cache. */
const adapter: MarketDataAdapter = {
  venue: 'bench',
  batchLimit: () => 500,
  fetch: (_, requests) => Promise.resolve(requests.map(({ symbol }): Settled<never> => ({ status: 'fulfilled', value: quoteOf(symbol) as never }))),
};

function quoteOf(symbol: string): Quote {
  return { symbol, bid: 100, ask: 101, bidSize: 1, askSize: 2 };
}

interface Request {
  readonly symbol: string;
}

/** By names as a venue's answer brings them: V8 makes strings of up to ten characters that come out of JSON.parse ready to be looked up by. */
function requestsFor(keys: number): readonly Request[] {
  const names = JSON.parse(JSON.stringify(Array.from({ length: keys }, (_, i) => `S${i}/USD`))) as string[];
  return names.map((symbol) => ({ symbol }));
}

/** Every contender is filled with the very strings that it is then asked by: another copy of a string costs a comparison at each read. */
const REQUESTS = requestsFor(KEYS);

// Ranks of a Zipf distribution with exponent 1 over all keys; the same accesses for every contender.
function givenAccesses(requests: readonly Request[]): readonly Request[] {
  const keys = requests.length;
  const random = seededRandom(42);
  return Array.from({ length: ACCESSES }, () => requests[Math.min(keys - 1, Math.floor(keys ** random()) - 1)] as Request);
}

async function givenClient(
  requests: readonly Request[],
  store: 'quick-lru' | 's3-fifo' = 'quick-lru',
  bus?: EventBus,
): Promise<CachedMarketDataClient> {
  // Twice the keys: a hit is measured, so nothing may be pushed out.
  const bound = { maxEntries: 2 * requests.length };
  const options = { adapter, kinds: { quote: { ttlMs: TTL_MS } }, ...(bus === undefined ? {} : { bus }) };
  const client = new CachedMarketDataClient(store === 's3-fifo' ? { ...options, store: s3FifoStore(bound) } : { ...options, ...bound });
  await client.getMany('quote', requests);
  return client;
}

/** A bus as that of a kit: the standard metrics listen to it. */
function givenInstrumentedBus(): EventBus {
  const bus = new EventBus();
  instrument(bus, new MetricsRegistry());
  return bus;
}

export default async function bench(): Promise<void> {
  publish('cache', [await synchronousHit(), await asynchronousHit(), await growth(), await weights()]);
}

async function synchronousHit(): Promise<string> {
  const accesses = givenAccesses(REQUESTS);
  const symbols = accesses.map(({ symbol }) => symbol);
  const map = new Map(symbols.map((symbol) => [symbol, quoteOf(symbol)]));
  const quick = new QuickLRU<string, Quote>({ maxSize: KEYS });
  const quickAge = new QuickLRU<string, Quote>({ maxSize: KEYS, maxAge: TTL_MS });
  const lru = new LRUCache<string, Quote>({ max: KEYS, ttl: TTL_MS });
  for (const [symbol, quote] of map) {
    quick.set(symbol, quote);
    quickAge.set(symbol, quote);
    lru.set(symbol, quote);
  }
  // Each contender has a cache of its own, as the peers have.
  const client = await givenClient(REQUESTS);
  const s3 = await givenClient(REQUESTS, 's3-fifo');
  const instrumented = await givenClient(REQUESTS, 'quick-lru', givenInstrumentedBus());
  const handled = await givenClient(REQUESTS);
  const handledExactly = await givenClient(REQUESTS);
  const handles = new Map([...map.keys()].map((symbol) => [symbol, handled.handle('quote', { symbol })]));
  const bound = symbols.map((symbol) => handles.get(symbol) as ReturnType<typeof client.handle<'quote'>>);
  const boundExact = new Map([...map.keys()].map((symbol) => [symbol, handledExactly.handle('quote', { symbol }, { maxAgeMs: TTL_MS })]));
  const exact = symbols.map((symbol) => boundExact.get(symbol) as ReturnType<typeof client.handle<'quote'>>);
  const one = handled.handle('quote', { symbol: symbols[0] as string });
  const sum = (read: (i: number) => number) => (n: number) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += read(i & (ACCESSES - 1));
    return total;
  };
  const comparison = await compare(
    `Synchronous hit, ${KEYS} keys, Zipf`,
    [
      { name: 'Map.get', role: 'floor', run: sum((i) => (map.get(symbols[i] as string) as Quote).bid) },
      { name: 'handle.peek', role: 'ours', run: sum((i) => bound[i]?.peek()?.bid as number) },
      { name: 'handle.peek, one key', role: 'ours', run: sum(() => one.peek()?.bid as number) },
      { name: 'handle.peek with maxAgeMs', role: 'ours', run: sum((i) => exact[i]?.peek()?.bid as number) },
      { name: 'peek', role: 'ours', run: sum((i) => client.peek('quote', accesses[i] as { symbol: string })?.value.bid as number) },
      {
        name: 'peek, in metrics',
        role: 'ours',
        run: sum((i) => instrumented.peek('quote', accesses[i] as { symbol: string })?.value.bid as number),
      },
      { name: 'peek, S3-FIFO', role: 'ours', run: sum((i) => s3.peek('quote', accesses[i] as { symbol: string })?.value.bid as number) },
      { name: 'quick-lru', role: 'peer', run: sum((i) => (quick.get(symbols[i] as string) as Quote).bid) },
      { name: 'quick-lru with maxAge', role: 'peer', run: sum((i) => (quickAge.get(symbols[i] as string) as Quote).bid) },
      { name: 'lru-cache with ttl', role: 'peer', run: sum((i) => (lru.get(symbols[i] as string) as Quote).bid) },
    ],
    {
      // Long rounds: the first read of each key in a second is noticed by store and prefetch, and all are due at the start of a round.
      roundMs: 800,
      rounds: 5,
      targets: (ns) => [
        target('peek ≤ 3× Map.get', ns('peek') / ns('Map.get'), 3),
        target('peek, in metrics ≤ 3× Map.get', ns('peek, in metrics') / ns('Map.get'), 3),
        target('handle.peek ≤ 0.5× Map.get', ns('handle.peek') / ns('Map.get'), 0.5),
      ],
    },
  );
  for (const one of [client, s3, instrumented, handled, handledExactly]) await one.close();
  return toMarkdown(comparison);
}

async function asynchronousHit(): Promise<string> {
  const accesses = givenAccesses(REQUESTS);
  const symbols = accesses.map(({ symbol }) => symbol);
  const map = new Map(symbols.map((symbol) => [symbol, quoteOf(symbol)]));
  const lru = new LRUCache<string, Quote>({ max: KEYS, ttl: TTL_MS, fetchMethod: async (symbol) => quoteOf(symbol) });
  const manager = createCache({ ttl: TTL_MS });
  for (const [symbol, quote] of map) {
    lru.set(symbol, quote);
    await manager.set(symbol, quote);
  }
  const client = await givenClient(REQUESTS);
  const peeked = await givenClient(REQUESTS);
  const instrumented = await givenClient(REQUESTS, 'quick-lru', givenInstrumentedBus());
  const handled = await givenClient(REQUESTS);
  const handles = new Map([...map.keys()].map((symbol) => [symbol, handled.handle('quote', { symbol })]));
  const bound = symbols.map((symbol) => handles.get(symbol) as ReturnType<typeof client.handle<'quote'>>);
  const sum = (read: (i: number) => number | Promise<number>) => async (n: number) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += await read(i & (ACCESSES - 1));
    return total;
  };
  const run = async (n: number, read: (i: number) => Promise<{ readonly bid: number } | undefined>) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += ((await read(i & (ACCESSES - 1))) as { bid: number }).bid;
    return total;
  };
  const comparison = await compare(
    `Asynchronous hit, ${KEYS} keys, Zipf`,
    [
      { name: 'await Map.get', role: 'floor', run: sum((i) => (map.get(symbols[i] as string) as Quote).bid) },
      {
        // What the signature costs by itself: a request is looked at, and what it finds comes in a promise with its age.
        name: 'await Map.get of request.symbol, in an answer with an age',
        role: 'floor',
        run: async (n) => {
          let total = 0;
          for (let i = 0; i < n; i++) {
            const value = map.get((accesses[i & (ACCESSES - 1)] as Request).symbol) as Quote;
            total += (await Promise.resolve({ outcome: 'hit', value, ageMs: i })).value.bid;
          }
          return total;
        },
      },
      {
        name: 'await get',
        role: 'ours',
        run: async (n) => {
          let total = 0;
          for (let i = 0; i < n; i++) total += (await client.get('quote', accesses[i & (ACCESSES - 1)] as { symbol: string })).value.bid;
          return total;
        },
      },
      {
        name: 'await get, in metrics',
        role: 'ours',
        run: async (n) => {
          let total = 0;
          for (let i = 0; i < n; i++) total += (await instrumented.get('quote', accesses[i & (ACCESSES - 1)] as { symbol: string })).value.bid;
          return total;
        },
      },
      { name: 'await handle.get', role: 'ours', run: (n) => run(n, (i) => bound[i]?.get() as Promise<Quote>) },
      { name: 'peek, else get', role: 'ours', run: sum((i) => peeked.peek('quote', accesses[i] as { symbol: string })?.value.bid as number) },
      { name: 'lru-cache.fetch', role: 'peer', run: (n) => run(n, (i) => lru.fetch(symbols[i] as string)) },
      { name: 'cache-manager', role: 'peer', run: (n) => run(n, (i) => manager.get<Quote>(symbols[i] as string)) },
    ],
    {
      roundMs: 800,
      rounds: 5,
      targets: (ns) => [
        target('get ≤ 2× await Map.get', ns('await get') / ns('await Map.get'), 2),
        {
          target: 'get ≥ 1.2× as fast as lru-cache.fetch',
          reached: `${digits(ns('lru-cache.fetch') / ns('await get'))}×`,
          met: ns('lru-cache.fetch') >= 1.2 * ns('await get'),
        },
        {
          target: 'handle.get ≥ 1.2× as fast as lru-cache.fetch',
          reached: `${digits(ns('lru-cache.fetch') / ns('await handle.get'))}×`,
          met: ns('lru-cache.fetch') >= 1.2 * ns('await handle.get'),
        },
        {
          target: '≥ 1,000,000 reads/s through await get',
          reached: `${Math.round(1e9 / ns('await get')).toLocaleString('en')}/s`,
          met: ns('await get') <= 1_000,
        },
      ],
    },
  );
  for (const one of [client, peeked, instrumented, handled]) await one.close();
  return toMarkdown(comparison);
}

async function growth(): Promise<string> {
  const lines = [
    '### Growth with the number of keys',
    '',
    '| keys | Map.get ns | peek ns | handle.peek ns | bytes a quote | MB in all |',
    '|---:|---:|---:|---:|---:|---:|',
  ];
  for (const keys of [10, 1_000, 15_000, 50_000, 100_000]) {
    const requests = requestsFor(keys);
    const before = memoryInUse();
    const client = await givenClient(requests);
    const bytes = (memoryInUse() - before) / keys;
    const accesses = givenAccesses(requests);
    const map = new Map(accesses.map(({ symbol }) => [symbol, quoteOf(symbol)]));
    const handles = accesses.map((request) => client.handle('quote', request));
    const loop = (read: (i: number) => number) => (n: number) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += read(i & (ACCESSES - 1));
      return total;
    };
    const { measured } = await compare(
      `${keys} keys`,
      [
        { name: 'map', role: 'floor', run: loop((i) => (map.get((accesses[i] as { symbol: string }).symbol) as Quote).bid) },
        { name: 'peek', role: 'ours', run: loop((i) => client.peek('quote', accesses[i] as { symbol: string })?.value.bid as number) },
        { name: 'handle', role: 'ours', run: loop((i) => handles[i]?.peek()?.bid as number) },
      ],
      { rounds: 5, roundMs: 200 },
    );
    const [floor, peek, handle] = measured.map(({ nsPerOp }) => digits(nsPerOp));
    const memory = keys < 1_000 ? '– | –' : `${Math.round(bytes)} | ${((keys * bytes) / 1e6).toFixed(1)}`;
    lines.push(`| ${keys.toLocaleString('en')} | ${floor} | ${peek} | ${handle} | ${memory} |`);
    await client.close();
  }
  return `${lines.join('\n')}\n\nBytes: with key, places in store and index, and the rhythm of one reader; heap in use with them less without, after a collection.\n`;
}

/** Values with prices that are no whole numbers, as a venue's are: each of those is an object of its own in memory. */
const price = (): number => 100 + Math.random();
const many = <T>(rows: number, make: () => T): T[] => Array.from({ length: rows }, make);
const VALUES: Readonly<Record<'quote' | 'book' | 'trades' | 'bars', (symbol: string, rows: number) => unknown>> = {
  quote: (symbol) => ({ symbol, bid: price(), ask: price(), bidSize: price(), askSize: price(), eventTime: Date.now() + Math.random() }),
  book: (symbol, rows) => ({ symbol, bids: many(rows, () => [price(), price()]), asks: [] }),
  trades: (symbol, rows) =>
    many(rows, () => ({ id: `${1e9 * price()}`, symbol, price: price(), size: price(), side: 'buy', eventTime: Date.now() + Math.random() })),
  bars: (symbol, rows) => {
    const column = (): Float64Array => Float64Array.from({ length: rows }, price);
    const columns = { t: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
    return { symbol, interval: '1m', ...columns, lastBar: 'final' };
  },
};

/** What maxBytes counts for a value, and what it holds. */
async function weights(): Promise<string> {
  const lines = ['### What counts against maxBytes', '', '| | rows | counted | held | counted ÷ held |', '|---|---:|---:|---:|---:|'];
  for (const [kind, rows, keys] of [
    ['quote', 1, 2_000],
    ['book', 20, 4_000],
    ['book', 200, 1_000],
    ['trades', 20, 4_000],
    ['trades', 200, 1_000],
    ['bars', 20, 4_000],
    ['bars', 1_000, 1_000],
  ] as const) {
    const requests = Array.from({ length: keys }, (_, i) => ({ symbol: `S${i}/USDT`, ...(kind === 'bars' ? { interval: '1m' } : {}) }));
    const client = new CachedMarketDataClient({
      adapter: {
        venue: 'bench',
        batchLimit: () => 500,
        fetch: (_, asked) =>
          Promise.resolve(asked.map(({ symbol }): Settled<never> => ({ status: 'fulfilled', value: VALUES[kind](symbol, rows) as never }))),
      },
      kinds: { [kind]: { ttlMs: TTL_MS } },
      maxEntries: 2 * keys,
    });
    const before = memoryInUse();
    await client.getMany(kind, requests as never);
    const { bytes } = client.stats();
    const held = memoryInUse() - before;
    lines.push(`| ${kind} | ${rows} | ${Math.round(bytes / keys)} | ${Math.round(held / keys)} | ${digits(bytes / held)} |`);
    await client.close();
  }
  return `${lines.join('\n')}\n\nBytes a value, with all that is known of its key. Held: memory in use, heap and array buffers, with them less without, after a collection.\n`;
}

/** Heap and array buffers, after a collection. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function target(name: string, ratio: number, most: number): { target: string; reached: string; met: boolean } {
  return { target: name, reached: `${digits(ratio)}×`, met: ratio <= most };
}
