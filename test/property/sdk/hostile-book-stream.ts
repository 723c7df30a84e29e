import type { StreamUpdate } from '../../../src/contracts/market-data.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../../src/core/random.js';
import { BookFollower } from '../../../src/sdk/binance/streams/book-follower.js';
import type { BookChange, BookSnapshot } from '../../../src/sdk/binance/streams/local-book.js';

/** How often each thing happens to a message on its way, as a share. */
export interface Hostility {
  readonly gap: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly stall: number;
  /** Share of the snapshots that fail. */
  readonly failedSnapshot: number;
}

export interface StreamRun {
  readonly sent: number;
  readonly lost: number;
  readonly gapsTold: number;
  readonly snapshots: number;
  /** What the follower ended with, and what the venue has. */
  readonly seen: string;
  readonly true: string;
  /** Updates that did not chain onto what was sent before them, without a gap told in between: must be none. */
  readonly brokenChains: number;
}

type Side = Map<number, number>;
const DEPTH = 40;
const LONGEST_STALL = 50;

/** A venue's book, changed level by level, with the id of its last change. */
class TrueBook {
  readonly #bids: Side = new Map();
  readonly #asks: Side = new Map();
  readonly #random: Random;
  id = 1;

  constructor(random: Random) {
    this.#random = random;
    for (let i = 1; i <= DEPTH; i++) {
      this.#bids.set(1_000 - i, i);
      this.#asks.set(1_000 + i, i);
    }
  }

  change(): BookChange {
    const rows = { bids: [] as [number, number][], asks: [] as [number, number][] };
    const count = 1 + Math.floor(this.#random() * 4);
    const first = this.id + 1;
    for (let i = 0; i < count; i++) {
      const side = this.#random() < 0.5 ? 'bids' : 'asks';
      const distance = 1 + Math.floor(this.#random() * DEPTH);
      const price = side === 'bids' ? 1_000 - distance : 1_000 + distance;
      const size = this.#random() < 0.3 ? 0 : Math.ceil(this.#random() * 1_000);
      const own = side === 'bids' ? this.#bids : this.#asks;
      if (size === 0) own.delete(price);
      else own.set(price, size);
      rows[side].push([price, size]);
      this.id++;
    }
    return { first, last: this.id, ...rows };
  }

  snapshot(): BookSnapshot {
    return { lastUpdateId: this.id, bids: [...this.#bids], asks: [...this.#asks] };
  }

  text(): string {
    const best = (side: Side, sign: 1 | -1): string => JSON.stringify([...side].sort((a, b) => sign * (a[0] - b[0])));
    return `${this.id} ${best(this.#bids, -1)} ${best(this.#asks, 1)}`;
  }
}

/**
 * Sends `messages` changes through a line that loses, doubles, swaps and holds them back, to a
 * follower whose snapshots take their time and sometimes fail; then lets the line be calm for a while.
 */
export async function runBookStream(seed: number, messages: number, hostility: Hostility): Promise<StreamRun> {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  const book = new TrueBook(random);
  const tally = { sent: 0, lost: 0, gapsTold: 0, snapshots: 0, brokenChains: 0 };
  let isHostile = true;
  let last: StreamUpdate<'book'> | undefined;
  let chain: number | undefined;
  const follower = new BookFollower({
    symbol: 'X/Y',
    depth: 10_000,
    clock,
    snapshot: async () => {
      tally.snapshots++;
      const fails = isHostile && random() < hostility.failedSnapshot;
      // Taken before or after the changes that come while it travels.
      const early = random() < 0.5 ? book.snapshot() : undefined;
      await clock.sleep(Math.floor(random() * 20));
      if (fails) throw new Error('the snapshot failed');
      return early ?? book.snapshot();
    },
    emit: (update) => {
      if (update.gap === true) {
        tally.gapsTold++;
        chain = undefined;
        return;
      }
      if (update.previousSeq !== undefined && update.previousSeq !== chain) tally.brokenChains++;
      chain = update.seq;
      last = update;
    },
  });
  let held: BookChange[] = [];
  let holdFor = 0;
  const deliver = (change: BookChange): void => {
    if (holdFor > 0) {
      held.push(change);
      if (--holdFor > 0) return;
      const all = held;
      held = [];
      for (const one of all) follower.take(one);
      return;
    }
    follower.take(change);
  };
  let swapped: BookChange | undefined;
  for (let i = 0; i < messages; i++) {
    const change = book.change();
    tally.sent++;
    const dice = random();
    if (dice < hostility.gap) tally.lost++;
    else if (dice < hostility.gap + hostility.duplicate) {
      deliver(change);
      deliver(change);
    } else if (dice < hostility.gap + hostility.duplicate + hostility.reorder && swapped === undefined) {
      swapped = change;
      continue;
    } else {
      if (dice > 1 - hostility.stall) holdFor = 1 + Math.floor(random() * LONGEST_STALL);
      deliver(change);
    }
    if (swapped !== undefined) {
      deliver(swapped);
      swapped = undefined;
    }
    // Time passes in batches of messages: a venue sends many in a millisecond.
    if (i % 16 === 0) await clock.advance(1);
  }
  isHostile = false;
  holdFor = 0;
  for (const one of held) follower.take(one);
  for (let i = 0; i < 200; i++) {
    follower.take(book.change());
    tally.sent++;
    await clock.advance(100);
  }
  follower.stop();
  return { ...tally, seen: textOf(last), true: book.text() };
}

function textOf(update: StreamUpdate<'book'> | undefined): string {
  const { bids, asks } = update?.value ?? { bids: [], asks: [] };
  return `${update?.seq} ${JSON.stringify(bids)} ${JSON.stringify(asks)}`;
}
