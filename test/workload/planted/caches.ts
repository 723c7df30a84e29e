import type { KindTuning, KitTuning } from '../../../src/contracts/kit-tuning.js';
import type { MarketDataAdapter, MarketKind, MarketKinds } from '../../../src/contracts/market-data.js';
import type { Clock } from '../../../src/core/clock.js';
import { type Random, seededRandom } from '../../../src/core/random.js';
import { type Desk, logNormal, meanOf, type Planted, plantedRun, poisson } from './desk.js';

interface Seen {
  readonly reads: { readonly isHit: boolean; readonly isOutdated: boolean }[];
  calls: number;
}

interface CacheFlaw {
  readonly id: string;
  readonly flaw: string;
  readonly flawed: { readonly kind: KindTuning; readonly maxEntries?: number };
  readonly sound: { readonly kind: KindTuning; readonly maxEntries?: number };
  /** Changes of each value a second, in the run with the flaw and in the one without. */
  readonly changes: readonly [flawed: number, sound: number];
  readonly batchLimit?: number;
  readonly come: (desk: Desk, read: (key: number, consumer?: string) => void) => Promise<void>;
  readonly metric: (seen: Seen, seconds: number) => number;
}

function cache({ id, flaw, flawed, sound, changes, batchLimit = 1, come, metric }: CacheFlaw): Planted {
  const tuned = ({ kind, maxEntries }: CacheFlaw['flawed']): KitTuning => ({
    marketData: { kinds: { quote: kind }, ...(maxEntries === undefined ? {} : { maxEntries }) },
  });
  return {
    id,
    flaw,
    flawed: tuned(flawed),
    sound: tuned(sound),
    run: ({ seed, tuning, isFlawed }) => {
      let venue!: ChangingVenue;
      return plantedRun(
        { seed, tuning },
        ({ clock }) => {
          venue = new ChangingVenue(clock, seed, changes[isFlawed ? 0 : 1], batchLimit);
          return { marketData: venue };
        },
        async (desk) => {
          const { clock, kit } = desk;
          const seen: Seen = { reads: [], calls: 0 };
          const began = clock.monotonic();
          await come(desk, (key, consumer) => {
            const symbol = `S${key}`;
            void kit.marketData!.get('quote', { symbol }, consumer === undefined ? {} : { consumer }).then(({ value, outcome }) => {
              seen.reads.push({ isHit: outcome === 'hit' || outcome === 'stale', isOutdated: value.bid !== venue.version(symbol) });
            });
          });
          seen.calls = venue.calls;
          const seconds = (clock.monotonic() - began) / 1_000;
          await clock.advance(2_000);
          return () => metric(seen, seconds);
        },
      );
    },
  };
}

/** A venue whose quotes change by themselves. */
class ChangingVenue implements MarketDataAdapter {
  readonly venue = 'changing';
  calls = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #perMs: number;
  readonly #limit: number;
  readonly #seed: number;
  readonly #quotes = new Map<string, { version: number; nextAt: number; readonly random: Random }>();

  constructor(clock: Clock, seed: number, changesPerSecond: number, batchLimit: number) {
    this.#clock = clock;
    this.#random = seededRandom(seed + 2);
    this.#seed = seed;
    this.#perMs = changesPerSecond / 1_000;
    this.#limit = batchLimit;
  }

  batchLimit(): number {
    return this.#limit;
  }

  async fetch<K extends MarketKind>(_: K, requests: readonly MarketKinds[K]['request'][]) {
    this.calls++;
    const half = logNormal(this.#random, 40, 0.3) / 2;
    await this.#clock.sleep(half);
    const values = requests.map(({ symbol }) => ({ symbol, bid: this.version(symbol), ask: this.version(symbol) + 1 }));
    await this.#clock.sleep(half);
    return values.map((value) => ({ status: 'fulfilled' as const, value: value as unknown as MarketKinds[K]['value'] }));
  }

  version(symbol: string): number {
    let quote = this.#quotes.get(symbol);
    if (quote === undefined) {
      const random = seededRandom(this.#seed * 7_919 + Number(symbol.slice(1)));
      quote = { version: 1, nextAt: this.#gap(random), random };
      this.#quotes.set(symbol, quote);
    }
    while (quote.nextAt <= this.#clock.monotonic()) {
      quote.version++;
      quote.nextAt += this.#gap(quote.random);
    }
    return quote.version;
  }

  #gap(random: Random): number {
    return -Math.log(1 - random()) / this.#perMs;
  }
}

/** Readers who come at any time. */
const anyTime =
  (perSecond: number, keys: number): CacheFlaw['come'] =>
  (desk, read) =>
    poisson(desk, perSecond, 150, () => read(Math.floor(desk.random() * keys)));

/** Few keys are read often, many now and then. */
const skewed: CacheFlaw['come'] = (desk, read) => poisson(desk, 35, 180, () => read(Math.floor(300 * desk.random() ** 2.5)));

/** Consumers that look at their key each two seconds. */
const polling: CacheFlaw['come'] = async ({ clock, random }, read) => {
  const end = clock.monotonic() + 180_000;
  for (let key = 0; key < 25; key++) {
    const look = (): void => {
      read(key, `strategy ${key % 4}`);
      const inMs = 2_000 + 30 * (random() - 0.5);
      if (clock.monotonic() + inMs < end) clock.schedule(inMs, look);
    };
    clock.schedule(2_000 * random(), look);
  }
  await clock.advance(180_000);
};

/** A strategy that now and then looks at twenty symbols, one soon after the other. */
const rounds: CacheFlaw['come'] = async ({ clock, random }, read) => {
  const end = clock.monotonic() + 240_000;
  while (clock.monotonic() < end) {
    for (let key = 0; key < 20; key++) clock.schedule(4 * random(), () => read(key));
    await clock.advance(5 - Math.log(1 - random()) * 1_000);
  }
};

const waited = ({ reads }: Seen): number => meanOf(reads.map(({ isHit }) => (isHit ? 0 : 1)));
const aMinute = ({ calls }: Seen, seconds: number): number => calls / (seconds / 60);

export const PLANTED_IN_CACHES: readonly Planted[] = [
  cache({
    id: 'ttl-too-short',
    flaw: 'quotes that change every 50 s and are kept for 200 ms',
    flawed: { kind: { ttlMs: 200 } },
    sound: { kind: { ttlMs: 2_000 } },
    changes: [0.02, 0.08],
    come: anyTime(30, 15),
    metric: aMinute,
  }),
  cache({
    id: 'ttl-too-long',
    flaw: 'quotes that change every two seconds and are kept for five',
    flawed: { kind: { ttlMs: 5_000 } },
    sound: { kind: { ttlMs: 1_000 } },
    changes: [0.5, 0.2],
    come: anyTime(30, 15),
    metric: ({ reads }) => meanOf(reads.map(({ isOutdated }) => (isOutdated ? 1 : 0))),
  }),
  cache({
    id: 'missing-prefetch',
    flaw: 'strategies that look at their quotes every two seconds, each time waiting for the venue',
    flawed: { kind: { ttlMs: 1_000, prefetch: 'off' } },
    sound: { kind: { ttlMs: 1_000, prefetch: 'period' } },
    changes: [0.3, 0.3],
    come: polling,
    metric: waited,
  }),
  cache({
    id: 'cache-too-small',
    flaw: 'room for 30 of 300 keys',
    flawed: { kind: { ttlMs: 30_000 }, maxEntries: 30 },
    sound: { kind: { ttlMs: 30_000 }, maxEntries: 2_000 },
    changes: [0.008, 0.008],
    come: skewed,
    metric: waited,
  }),
  cache({
    id: 'batching-missed',
    flaw: 'twenty quotes read within four milliseconds, in twenty calls',
    flawed: { kind: { ttlMs: 400 } },
    sound: { kind: { ttlMs: 400, batch: { max: 50, windowMs: 5 } } },
    changes: [0.3, 0.3],
    batchLimit: 50,
    come: rounds,
    metric: aMinute,
  }),
];
