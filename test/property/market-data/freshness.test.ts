import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Read } from '../../../src/contracts/cache-store.js';
import type { Settled } from '../../../src/contracts/calls.js';
import type { MarketDataAdapter, MarketKind, OrderBook, StreamUpdate } from '../../../src/contracts/market-data.js';
import { onAbort } from '../../../src/core/abort.js';
import { isVenueKitError } from '../../../src/core/errors.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../../src/core/random.js';
import { CachedMarketDataClient } from '../../../src/market-data/cached-market-data-client.js';
import { quickLruStore } from '../../../src/market-data/quick-lru-store.js';
import type { ReadOptions } from '../../../src/market-data/read-options.js';
import { s3FifoStore } from '../../../src/market-data/s3-fifo-store.js';

/**
 * A venue whose truth is known: every symbol has a state that counts up. Each value carries when it
 * was true, in true time, so that a reader's real age can be told however clocks and messages lie.
 */
interface Truth {
  seq: number;
  /** True time at which the state was last changed. */
  changedAt: number;
}

interface Stamped extends OrderBook {
  readonly trueAt: number;
  readonly call: number;
}

class HostileVenue implements MarketDataAdapter {
  readonly venue = 'hostile';
  readonly inFlight = new Map<string, number>();
  mostInFlight = 0;
  calls = 0;
  readonly #clock: ManualClock;
  readonly #random: Random;
  readonly #truth = new Map<string, Truth>();

  constructor(clock: ManualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  batchLimit(): number {
    return 4;
  }

  truthOf(symbol: string): Truth {
    let truth = this.#truth.get(symbol);
    if (truth === undefined) this.#truth.set(symbol, (truth = { seq: 1, changedAt: this.#clock.monotonic() }));
    return truth;
  }

  change(symbol: string): Truth {
    const truth = this.truthOf(symbol);
    truth.seq++;
    truth.changedAt = this.#clock.monotonic();
    return truth;
  }

  value(symbol: string, call = 0): Stamped {
    const { seq } = this.truthOf(symbol);
    return { symbol, bids: [[seq, 1]], asks: [[seq + 1, 1]], seq, trueAt: this.#clock.monotonic(), call };
  }

  async fetch(kind: MarketKind, requests: readonly { readonly symbol: string }[], { signal }: { readonly signal: AbortSignal }): Promise<never> {
    const call = ++this.calls;
    const keys = requests.map(({ symbol }) => `${kind} ${symbol}`);
    for (const key of keys) {
      const running = (this.inFlight.get(key) ?? 0) + 1;
      this.inFlight.set(key, running);
      this.mostInFlight = Math.max(this.mostInFlight, running);
    }
    const leave = onlyOnce(() => {
      for (const key of keys) this.inFlight.set(key, (this.inFlight.get(key) as number) - 1);
    });
    // An aborted request no longer counts: its answer reaches nobody.
    onAbort(signal, leave);
    try {
      const random = this.#random;
      await this.#clock.sleep(random() * 30);
      // The state is read somewhere on the way, the answer takes the rest.
      const answers = requests.map(({ symbol }): Settled<Stamped> => {
        if (random() < 0.05) return { status: 'rejected', reason: new Error('503') };
        return { status: 'fulfilled', value: this.value(symbol, call) };
      });
      await this.#clock.sleep(random() < 0.05 ? 2_000 * random() : random() * 80);
      if (random() < 0.05) throw new Error('connection reset');
      return answers as never;
    } finally {
      leave();
    }
  }
}

const SYMBOLS = ['A', 'B', 'C', 'D', 'E', 'F'];
const READS_PER_RUN = 1_000;
const RUNS = 120;

/** What was known when a reader asked. */
interface Asked {
  readonly at: number;
  /** The highest sequence number that the cache had to give. */
  readonly seen: number;
  readonly calls: number;
  readonly gapAt: number | undefined;
}

interface Judgement {
  reads: number;
  values: number;
  refusals: number;
  gaps: number;
  orders: number;
}

async function runHostileSession(seed: number, total: Judgement): Promise<void> {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  const venue = new HostileVenue(clock, seededRandom(seed + 1));
  const store = seed % 2 === 0 ? quickLruStore({ maxEntries: 5 }) : s3FifoStore({ maxEntries: 5 });
  const client = new CachedMarketDataClient({
    adapter: venue,
    clock,
    random: seededRandom(seed + 2),
    store,
    kinds: { book: { ttlMs: 200, swrMs: seed % 3 === 0 ? 300 : 0, staleIfErrorMs: seed % 5 === 0 ? 500 : 0, batch: { max: 4, windowMs: seed % 4 } } },
  });
  const handles = SYMBOLS.map((symbol) => client.handle('book', { symbol }, { maxAgeMs: 150 }));
  /** When the chain of a symbol last broke; true time. */
  const brokenAt = new Map<string, number>();
  /** When a heartbeat said that a state still held; it names the state by its sequence. */
  const confirmedAt = new Map<string, number>();
  const trueAtOf = ({ symbol, seq, trueAt }: Stamped): number => Math.max(trueAt, confirmedAt.get(`${symbol} ${seq}`) ?? trueAt);
  const pending: Promise<void>[] = [];
  let reads = 0;

  const judge = (symbol: string, read: Read<OrderBook>, options: ReadOptions, asked: Asked): void => {
    const value = read.value as Stamped;
    const now = clock.monotonic();
    total.values++;
    expect(value.symbol).toBe(symbol);
    expect(Object.isFrozen(value)).toBe(true);
    // What the client says of the age is never less than the truth: the send came before the state was read.
    expect(read.ageMs).toBeGreaterThanOrEqual(now - trueAtOf(value) - 1e-6);
    if (options.maxAgeMs !== undefined) {
      expect(read.ageMs).toBeLessThanOrEqual(options.maxAgeMs);
      expect(now - trueAtOf(value)).toBeLessThanOrEqual(options.maxAgeMs);
    }
    if (options.intent === 'order') {
      total.orders++;
      expect(read.outcome).toBe('bypass');
      expect(value.call).toBeGreaterThan(asked.calls);
      expect(value.trueAt).toBeGreaterThanOrEqual(asked.at);
      return;
    }
    // After a gap no later reader gets what was true before it.
    if (asked.gapAt !== undefined) expect(value.trueAt).toBeGreaterThanOrEqual(asked.gapAt);
    // Whoever asks later never gets something older than what the cache had taken in when he asked, as long as it is young.
    if (now - value.trueAt < 200) expect(value.seq).toBeGreaterThanOrEqual(asked.seen);
  };

  const read = (): void => {
    const symbol = pick(SYMBOLS, random);
    const options = givenReadOptions(random);
    const controller = random() < 0.2 ? new AbortController() : undefined;
    const withSignal = controller === undefined ? options : { ...options, signal: controller.signal };
    const seen = client.peek('book', { symbol }, { maxAgeMs: 199, allowStale: false })?.value.seq ?? 0;
    reads++;
    const asked: Asked = { at: clock.monotonic(), seen, calls: venue.calls, gapAt: brokenAt.get(symbol) };
    const draw = random();
    reads++;
    if (draw < 0.3) {
      const peeked = client.peek('book', { symbol }, options);
      if (options.intent === 'order') expect(peeked).toBeUndefined();
      if (peeked !== undefined) judge(symbol, peeked, options, asked);
      return;
    }
    if (draw < 0.4) {
      const value = handles[SYMBOLS.indexOf(symbol)]?.peek() as Stamped | undefined;
      if (value === undefined) return;
      expect(clock.monotonic() - trueAtOf(value)).toBeLessThanOrEqual(150);
      const gapAt = brokenAt.get(symbol);
      if (gapAt !== undefined) expect(value.trueAt).toBeGreaterThanOrEqual(gapAt);
      return;
    }
    const settled = (error: unknown): void => {
      if (error !== undefined) total.refusals++;
      if (controller?.signal.aborted === true) return;
      if (isVenueKitError(error, 'OVER_AGE')) expect(options.maxAgeMs).toBeDefined();
    };
    if (draw < 0.9) {
      pending.push(client.get('book', { symbol }, withSignal).then((got) => judge(symbol, got, options, asked), settled));
    } else {
      const wanted = [symbol, pick(SYMBOLS, random), symbol];
      const gapsAt = wanted.map((name) => brokenAt.get(name));
      reads += wanted.length - 1;
      pending.push(
        client
          .getMany(
            'book',
            wanted.map((name) => ({ symbol: name })),
            options,
          )
          .then((all) =>
            all.forEach((one, i) => {
              if (one.status === 'fulfilled') judge(wanted[i] as string, one.value, options, { ...asked, seen: 0, gapAt: gapsAt[i] });
              else settled(one.reason);
            }),
          ),
      );
    }
    if (controller !== undefined) clock.schedule(random() * 120, () => controller.abort(new Error('left')));
  };

  const stream = (): void => {
    const symbol = pick(SYMBOLS, random);
    const { seq } = venue.change(symbol);
    const previousSeq = seq - 1;
    const draw = random();
    if (draw < 0.1) return; // lost on the way
    const update: StreamUpdate = { kind: 'book', symbol, value: venue.value(symbol), seq, previousSeq };
    const deliver = (): void => {
      const at = clock.monotonic();
      const result = client.ingest(update);
      if (result === 'gap') {
        total.gaps++;
        brokenAt.set(symbol, at);
        expect(client.peek('book', { symbol }, { allowStale: true })).toBeUndefined();
        expect(handles[SYMBOLS.indexOf(symbol)]?.peek()).toBeUndefined();
        reads += 2;
      }
    };
    // At once or not at all late: what a stream says is true when it is said; delays show in the sequence.
    deliver();
    if (draw > 0.95) deliver(); // twice
  };

  const heartbeat = (): void => {
    const symbol = pick(SYMBOLS, random);
    const { seq } = venue.truthOf(symbol);
    confirmedAt.set(`${symbol} ${seq}`, clock.monotonic());
    client.ingest({ kind: 'book', symbol, heartbeat: true, seq });
  };

  while (reads < READS_PER_RUN) {
    const draw = random();
    if (draw < 0.7) read();
    else if (draw < 0.9) stream();
    else if (draw < 0.93) heartbeat();
    else if (draw < 0.95) clock.stepWall((random() - 0.5) * 10_000);
    else if (draw < 0.96) client.invalidate({ symbol: pick(SYMBOLS, random) });
    await clock.advance(random() < 0.5 ? 0 : random() * 40);
  }
  await clock.advance(20_000);
  await Promise.all(pending);
  const stats = client.stats();
  expect(stats.hits + stats.staleHits + stats.coalesced + stats.negative + stats.misses + stats.bypass).toBe(stats.reads);
  expect(stats.reads).toBe(reads);
  expect(stats.entries).toBeLessThanOrEqual(5);
  total.reads += reads;
  await client.close();
}

function givenReadOptions(random: Random): ReadOptions {
  const draw = random();
  return {
    ...(random() < 0.5 ? { maxAgeMs: Math.floor(random() * 300) } : {}),
    ...(draw < 0.1 ? { intent: 'order' as const } : {}),
    ...(random() < 0.3 ? { consumer: 'strategy' } : {}),
    ...(random() < 0.1 ? { scan: true } : {}),
    ...(random() < 0.1 ? { deadlineMs: 60 } : {}),
    ...(random() < 0.2 ? { allowStale: random() < 0.5 } : {}),
  };
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function onlyOnce(task: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) task();
    isDone = true;
  };
}

describe('CachedMarketDataClient, whatever clocks, latencies, callers and streams do', () => {
  it('returns no over-age value, no old book after a gap, no order read from the cache, the newest value, and counts every read', async () => {
    const total: Judgement = { reads: 0, values: 0, refusals: 0, gaps: 0, orders: 0 };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), (seed) => runHostileSession(seed, total)),
      { numRuns: RUNS, seed: 20_260_101, endOnFailure: true },
    );
    // The property means something only if all of it happened.
    expect(total.reads).toBeGreaterThanOrEqual(100_000);
    expect(total.values).toBeGreaterThan(20_000);
    expect(total.refusals).toBeGreaterThan(1_000);
    expect(total.gaps).toBeGreaterThan(500);
    expect(total.orders).toBeGreaterThan(1_000);
  }, 240_000);

  it('never goes back: who asks after an update was applied gets it or something newer, however slow older answers are', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = seededRandom(seed);
        const clock = new ManualClock();
        const venue = new HostileVenue(clock, seededRandom(seed + 1));
        const client = new CachedMarketDataClient({ adapter: venue, clock, random, kinds: { book: { ttlMs: 60, swrMs: 100 } } });
        const applied = new Map<string, number>();
        const pending: Promise<void>[] = [];
        for (let i = 0; i < 400; i++) {
          const symbol = pick(SYMBOLS, random);
          if (random() < 0.3) {
            const { seq } = venue.change(symbol);
            if (client.ingest({ kind: 'book', symbol, value: venue.value(symbol), seq, previousSeq: seq - 1 }) === 'applied')
              applied.set(symbol, seq);
          } else {
            const least = applied.get(symbol) ?? 0;
            const check = ({ value }: Read<OrderBook>): void => {
              compared++;
              expect(value.seq).toBeGreaterThanOrEqual(least);
            };
            pending.push(client.get('book', { symbol }, random() < 0.3 ? { maxAgeMs: 500 } : {}).then(check, () => {}));
            const peeked = client.peek('book', { symbol });
            if (peeked !== undefined) check(peeked);
          }
          await clock.advance(random() * 25);
        }
        await clock.advance(20_000);
        await Promise.all(pending);
        await client.close();
      }),
      { numRuns: 40 },
    );
    expect(compared).toBeGreaterThan(5_000);
  }, 120_000);

  it('keeps one load per key in flight', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
        const random = seededRandom(seed);
        const clock = new ManualClock();
        const venue = new HostileVenue(clock, seededRandom(seed + 1));
        const client = new CachedMarketDataClient({ adapter: venue, clock, random, kinds: { book: { ttlMs: 60 } } });
        for (let i = 0; i < 300; i++) {
          const symbol = pick(SYMBOLS, random);
          const draw = random();
          const controller = new AbortController();
          if (draw < 0.8) {
            client.get('book', { symbol }, { ...(draw < 0.4 ? { maxAgeMs: random() * 200 } : {}), signal: controller.signal }).catch(() => {});
            if (draw < 0.1) clock.schedule(random() * 50, () => controller.abort());
          } else if (draw < 0.9) client.invalidate({ symbol });
          await clock.advance(random() * 30);
        }
        await clock.advance(20_000);
        expect(venue.mostInFlight).toBe(1);
        await client.close();
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
