import type { Read } from '../../src/contracts/cache-store.js';
import type { Settled } from '../../src/contracts/calls.js';
import type { MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../../src/contracts/market-data.js';
import { abortReason } from '../../src/core/abort.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../src/core/random.js';
import { CachedMarketDataClient } from '../../src/market-data/cached-market-data-client.js';
import type { CachedMarketDataOptions } from '../../src/market-data/cached-market-data-options.js';

/**
 * An hour of a bot on virtual time: eight consumers, each with its watchlist and its period, somebody
 * who looks at this and that, and a screener that walks all symbols. Seeded: the same reads for every
 * configuration of the cache.
 */
export const SYMBOLS = 12_500;

interface Consumer {
  readonly name: string;
  readonly kind: MarketKind;
  readonly symbols: number;
  readonly periodMs: number;
}

const CONSUMERS: readonly Consumer[] = [
  { name: 'market-maker', kind: 'book', symbols: 20, periodMs: 1_000 },
  { name: 'pairs', kind: 'quote', symbols: 300, periodMs: 2_000 },
  { name: 'tape', kind: 'trades', symbols: 50, periodMs: 3_000 },
  { name: 'momentum', kind: 'quote', symbols: 200, periodMs: 5_000 },
  { name: 'risk', kind: 'quote', symbols: 1_000, periodMs: 10_000 },
  { name: 'portfolio', kind: 'quote', symbols: 500, periodMs: 15_000 },
  { name: 'rebalancer', kind: 'quote', symbols: 2_500, periodMs: 60_000 },
  { name: 'bar-strategy', kind: 'bars', symbols: 300, periodMs: 60_000 },
];
const AD_HOC_PER_SECOND = 30;
const SCAN_EVERY_MS = 300_000;
const SCAN_CHUNK = 100;
const HEARTBEAT_MS = 500;
const STREAM_UPDATES_PER_SECOND = 50;
const WARM_UP_MS = 300_000;

export type ReadClass = 'scheduled' | 'adHoc' | 'screener';

export interface SimulationResult {
  /** Fresh hits and reads by class. */
  readonly hits: Readonly<Record<ReadClass, number>>;
  readonly reads: Readonly<Record<ReadClass, number>>;
  /** Of scheduled reads after the first five minutes, when every period has been learnt. */
  readonly warmHits: number;
  readonly warmReads: number;
  /** Fresh hits ÷ strategy reads in each minute. */
  readonly byMinute: readonly number[];
  readonly callsPerMinute: number;
  readonly keysFetched: number;
  readonly prefetchIssued: number;
  readonly prefetchWasted: number;
  readonly meanWaitMs: number;
  /** Values that were older than their kind's TTL at delivery though they counted as hits; must be 0. */
  readonly overAge: number;
}

/** A venue with a latency of about 40 ms (99 % below 120), batches of 100, and a stream. */
class SimulatedFeed implements MarketDataAdapter {
  readonly venue = 'sim';
  calls = 0;
  keys = 0;
  readonly #clock: ManualClock;
  readonly #random: Random;

  constructor(clock: ManualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  batchLimit(): number {
    return 100;
  }

  fetch<K extends MarketKind>(kind: K, requests: readonly MarketKinds[K]['request'][]): Promise<readonly Settled<MarketKinds[K]['value']>[]> {
    this.calls++;
    this.keys += requests.length;
    const latencyMs = 40 * Math.exp(0.47 * gaussian(this.#random));
    return new Promise((resolve) => {
      this.#clock.schedule(latencyMs, () =>
        resolve(requests.map((request) => ({ status: 'fulfilled', value: this.#value(kind, request.symbol) as never }))),
      );
    });
  }

  stream(kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncIterable<StreamUpdate> {
    const clock = this.#clock;
    const random = this.#random;
    const value = (symbol: string): never => this.#value(kind, symbol) as never;
    return {
      async *[Symbol.asyncIterator]() {
        for (const symbol of symbols) yield { kind, symbol, value: value(symbol) };
        while (!signal.aborted) {
          await clock.sleep(HEARTBEAT_MS, signal).catch(() => {});
          if (signal.aborted) throw abortReason(signal);
          const updates = (STREAM_UPDATES_PER_SECOND * HEARTBEAT_MS) / 1_000;
          for (let i = 0; i < updates; i++) {
            const symbol = symbols[Math.floor(random() * symbols.length)] as string;
            yield { kind, symbol, value: value(symbol) };
          }
          yield { kind, symbol: '*', heartbeat: true };
        }
      },
    };
  }

  #value(kind: MarketKind, symbol: string): unknown {
    switch (kind) {
      case 'quote':
        return { symbol, bid: 100, ask: 101 };
      case 'book':
        return { symbol, bids: [[100, 1]], asks: [[101, 1]] };
      case 'trades':
        return [];
      case 'instrument':
        return { symbol, priceStep: '0.01', qtyStep: '0.001' };
      case 'bars': {
        const column = Float64Array.of(1);
        const t = Float64Array.of(Math.floor(this.#clock.now() / 60_000) * 60_000 - 60_000);
        return { symbol, interval: '1m', t, open: column, high: column, low: column, close: column, volume: column, lastBar: 'final' };
      }
    }
  }
}

export interface SimulationOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly jitterMs: number;
  readonly prefetch: boolean;
  /** Quotes of so many of the most read symbols come by stream. */
  readonly streamed: number;
  readonly store: CachedMarketDataOptions['store'];
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, minutes, jitterMs, prefetch, streamed, store } = options;
  const clock = new ManualClock();
  const feed = new SimulatedFeed(clock, seededRandom(seed + 1));
  const batch = { max: 100, windowMs: 5 };
  const off = prefetch ? {} : { prefetch: 'off' as const };
  const policy = { batch, ...off };
  const client = new CachedMarketDataClient({
    adapter: feed,
    clock,
    random: seededRandom(seed + 2),
    ...(store === undefined ? {} : { store }),
    kinds: { quote: policy, book: policy, trades: policy, bars: policy, instrument: { batch } },
  });
  const tally = new Tally(clock);
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => ({ symbol: `S${i}` }));
  const subscription =
    streamed > 0
      ? client.subscribe(
          'quote',
          symbols.slice(0, streamed).map(({ symbol }) => symbol),
        )
      : undefined;
  const endMs = minutes * 60_000;
  for (const [i, consumer] of CONSUMERS.entries())
    startConsumer(clock, client, tally, symbols, consumer, jitterMs, seededRandom(seed + 10 + i), endMs);
  startAdHoc(clock, client, tally, symbols, seededRandom(seed + 30), endMs);
  startScreener(clock, client, tally, symbols, endMs);
  for (let minute = 0; minute < minutes; minute++) {
    await clock.advance(60_000);
    tally.closeMinute();
  }
  // What was asked in the last moment still arrives.
  await clock.advance(2_000);
  const { prefetchIssued, prefetchWasted } = client.stats();
  subscription?.[Symbol.dispose]();
  await client.close();
  return { ...tally.result(), callsPerMinute: feed.calls / minutes, keysFetched: feed.keys, prefetchIssued, prefetchWasted };
}

// Half of a watchlist are the symbols that everybody watches, half its own.
function watchlist(symbols: readonly { readonly symbol: string }[], count: number, random: Random): readonly { readonly symbol: string }[] {
  const chosen = new Set<number>();
  while (chosen.size < count / 2) chosen.add(zipf(random, Math.max(1_000, 2 * count)));
  while (chosen.size < count) chosen.add(Math.floor(random() * 5_000));
  return [...chosen].map((i) => symbols[i] as { symbol: string });
}

function startConsumer(
  clock: ManualClock,
  client: CachedMarketDataClient,
  tally: Tally,
  symbols: readonly { readonly symbol: string }[],
  { name, kind, symbols: count, periodMs }: Consumer,
  jitterMs: number,
  random: Random,
  endMs: number,
): void {
  const requests = watchlist(symbols, count, random).map((request) => (kind === 'bars' ? { ...request, interval: '1m' } : request));
  // Bars are read when they have closed; the others begin somewhere in their period.
  const offsetMs = kind === 'bars' ? 500 : random() * periodMs;
  const readOptions = { consumer: name };
  let tick = 0;
  const next = (): void => {
    const at = offsetMs + tick++ * periodMs + jitterMs * random();
    if (at >= endMs) return;
    clock.schedule(at - clock.monotonic(), () => {
      for (const request of requests) tally.count('scheduled', kind, client.get(kind, request as never, readOptions) as Promise<Read<unknown>>);
      next();
    });
  };
  next();
}

function startAdHoc(
  clock: ManualClock,
  client: CachedMarketDataClient,
  tally: Tally,
  symbols: readonly { readonly symbol: string }[],
  random: Random,
  endMs: number,
): void {
  const next = (): void => {
    const waitMs = (-1_000 / AD_HOC_PER_SECOND) * Math.log(1 - random());
    if (clock.monotonic() + waitMs >= endMs) return;
    clock.schedule(waitMs, () => {
      const request = symbols[zipf(random, SYMBOLS)] as { symbol: string };
      const draw = random();
      if (draw < 0.4) tally.count('adHoc', 'quote', client.get('quote', request, { consumer: 'human' }));
      else if (draw < 0.7) tally.count('adHoc', 'bars', client.get('bars', { ...request, interval: '1m' }, { consumer: 'human' }));
      else tally.count('adHoc', 'instrument', client.get('instrument', request, { consumer: 'human' }));
      next();
    });
  };
  next();
}

function startScreener(
  clock: ManualClock,
  client: CachedMarketDataClient,
  tally: Tally,
  symbols: readonly { readonly symbol: string }[],
  endMs: number,
): void {
  const scan = (from: number, startedAt: number): void => {
    for (const request of symbols.slice(from, from + SCAN_CHUNK)) {
      tally.count('screener', 'instrument', client.get('instrument', request, { scan: true }));
      tally.count('screener', 'bars', client.get('bars', { ...request, interval: '1m' }, { scan: true }));
    }
    const isDone = from + SCAN_CHUNK >= symbols.length;
    const waitMs = isDone ? startedAt + SCAN_EVERY_MS - clock.monotonic() : 100;
    if (clock.monotonic() + waitMs < endMs)
      clock.schedule(waitMs, () => scan(isDone ? 0 : from + SCAN_CHUNK, isDone ? clock.monotonic() : startedAt));
  };
  clock.schedule(30_000, () => scan(0, clock.monotonic()));
}

const TTL_MS: Readonly<Record<MarketKind, number>> = { quote: 1_000, book: 500, trades: 1_000, bars: Infinity, instrument: 3_600_000 };

class Tally {
  readonly #clock: ManualClock;
  readonly #hits: Record<ReadClass, number> = { scheduled: 0, adHoc: 0, screener: 0 };
  readonly #reads: Record<ReadClass, number> = { scheduled: 0, adHoc: 0, screener: 0 };
  readonly #byMinute: number[] = [];
  #minuteHits = 0;
  #minuteReads = 0;
  #warmHits = 0;
  #warmReads = 0;
  #waitMs = 0;
  #overAge = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  count(readClass: ReadClass, kind: MarketKind, read: Promise<Read<unknown>>): void {
    const askedAt = this.#clock.monotonic();
    void read.then(({ outcome, ageMs }) => {
      const isHit = outcome === 'hit';
      this.#reads[readClass]++;
      this.#hits[readClass] += Number(isHit);
      if (readClass === 'scheduled' && askedAt >= WARM_UP_MS) {
        this.#warmReads++;
        this.#warmHits += Number(isHit);
      }
      if (readClass !== 'screener') {
        this.#minuteReads++;
        this.#minuteHits += Number(isHit);
        this.#waitMs += this.#clock.monotonic() - askedAt;
      }
      if (isHit && ageMs > TTL_MS[kind]) this.#overAge++;
    });
  }

  closeMinute(): void {
    this.#byMinute.push(this.#minuteHits / this.#minuteReads);
    this.#minuteHits = 0;
    this.#minuteReads = 0;
  }

  result(): Pick<SimulationResult, 'hits' | 'reads' | 'warmHits' | 'warmReads' | 'byMinute' | 'meanWaitMs' | 'overAge'> {
    const strategyReads = this.#reads.scheduled + this.#reads.adHoc;
    return {
      hits: this.#hits,
      reads: this.#reads,
      warmHits: this.#warmHits,
      warmReads: this.#warmReads,
      byMinute: this.#byMinute,
      meanWaitMs: this.#waitMs / strategyReads,
      overAge: this.#overAge,
    };
  }
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

// Ranks whose frequency falls as 1/rank, by inverting its continuous distribution.
function zipf(random: Random, count: number): number {
  return Math.min(count - 1, Math.floor(count ** random()) - 1);
}
