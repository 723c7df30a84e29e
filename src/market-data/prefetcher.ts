import type { Bars, MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { type Deadline, DeadlineSet } from '../core/deadline-set.js';
import type { Random } from '../core/random.js';
import { type AccessTracker, BURST_SHARE } from './access-tracker.js';
import { ABSENT_BAR_RETRY_MS, lastClose } from './bar-revision.js';
import type { CacheStatistics } from './cache-statistics.js';
import type { Cell } from './cell.js';
import { forEachKind, type ResolvedPolicy } from './kind-policy.js';
import { LatencyWindow } from './latency-window.js';
import { PrefetchGate } from './prefetch-gate.js';
import { TrackerBook } from './tracker-book.js';

/** A key is hot when it is read within its TTL with more than this probability. */
const HOT = 0.8;
/** Reads of one key are noticed once in a while: below twice that time an interval says little of what lies between. */
const FAST_NOTICES = 2;
/** Refreshes after a bar's close are spread over this time. */
const CLOSE_JITTER_MS = 100;
/** How often a bar that is late is asked for without a reader. */
const MOST_CLOSE_RETRIES = 4;

type Reason = 'period' | 'hot' | 'close' | 'verdict';

interface Plan {
  readonly cell: Cell;
  readonly reason: Reason;
  /** For `period`: whose next access it serves. */
  readonly tracker: AccessTracker | undefined;
  /** For `verdict`: the value that it judges. */
  readonly entry: unknown;
  /** For `close`: the close that was the last one when the plan was made. */
  readonly close: number | undefined;
}

export interface PrefetcherOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
  readonly statistics: CacheStatistics;
  readonly maxTrackers: number;
  /** Nothing is to be fetched ahead now. */
  readonly isPaused: (now: number) => boolean;
  /** Starts a load at the lowest priority; false when one is on its way. */
  readonly load: (cell: Cell, now: number) => boolean;
  readonly onVerdict: (cell: Cell, isUseful: boolean) => void;
  readonly release: (cell: Cell) => void;
}

/**
 * Fetches what is about to be read: for consumers with a period just before their next read, for hot
 * keys before they expire, for bars after their close. Re-armed only by an access, so that a poller
 * that stops costs at most one fetch for nothing.
 */
export class Prefetcher implements Disposable {
  readonly #options: PrefetcherOptions;
  readonly #plans: DeadlineSet<Plan>;
  readonly #trackers: TrackerBook;
  readonly #gates: Readonly<Record<MarketKind, PrefetchGate>>;
  readonly #latencies: Readonly<Record<MarketKind, LatencyWindow>>;

  constructor(options: PrefetcherOptions) {
    this.#options = options;
    this.#plans = new DeadlineSet(options.clock, (plan, now) => this.#onDue(plan, now));
    this.#trackers = new TrackerBook(options.maxTrackers, options.release);
    this.#gates = forEachKind(() => new PrefetchGate());
    this.#latencies = forEachKind(() => new LatencyWindow());
  }

  /** Somebody reads `cell`, whatever the answer. */
  accessed(cell: Cell, consumer: string | undefined, now: number): void {
    const policy = this.#options.policies[cell.kind];
    if (cell.unread) this.#judge(cell, now < cell.freshUntil, now);
    switch (policy.prefetch) {
      case 'period':
        this.#learn(cell, consumer, now, policy);
        return;
      case 'hot': {
        const tracker = this.#trackers.of(cell, undefined);
        if (now - tracker.lastAt > BURST_SHARE * policy.noticeMs) tracker.record(now);
        return;
      }
      case 'barClose':
        this.#noteReadAtClose(cell);
        return;
      case 'off':
        return;
    }
  }

  /** A value was kept for `cell`; `prefetch` only when nobody waited for it. */
  kept(cell: Cell, now: number, origin: 'read' | 'scan' | 'prefetch' | 'stream'): void {
    if (cell.entry === undefined || origin === 'scan' || origin === 'stream') return;
    if (origin === 'prefetch') {
      cell.markUnread(true);
      this.#plan(cell, 'verdict', cell.freshUntil);
    }
    const { prefetch } = this.#options.policies[cell.kind];
    if (prefetch === 'hot') {
      const latencyMs = this.#latencies[cell.kind].quantile(0.95);
      if (latencyMs !== undefined) this.#plan(cell, 'hot', cell.freshUntil - latencyMs);
    } else if (prefetch === 'barClose') {
      if (origin === 'read') this.#noteReadAtClose(cell);
      this.#planClose(cell, now);
    }
  }

  /** What is held for `cell` is about to be replaced or dropped. */
  gone(cell: Cell): void {
    if (cell.unread) this.#judge(cell, false, this.#options.clock.monotonic());
  }

  /** A prefetch ended without a value to keep, or with readers already waiting for it. */
  ended(cell: Cell, isUseful: boolean, now: number): void {
    this.#verdict(cell, isUseful, now);
  }

  measured(kind: MarketKind, latencyMs: number): void {
    this.#latencies[kind].record(latencyMs);
  }

  [Symbol.dispose](): void {
    this.#plans[Symbol.dispose]();
  }

  #learn(cell: Cell, consumer: string | undefined, now: number, policy: ResolvedPolicy): void {
    const tracker = this.#trackers.of(cell, consumer);
    if (now - tracker.lastAt <= BURST_SHARE * policy.noticeMs) return;
    tracker.record(now);
    if (tracker.armed !== undefined) {
      this.#plans.cancel(tracker.armed as Deadline<Plan>);
      tracker.armed = undefined;
    }
    const isFast = tracker.meanMs <= FAST_NOTICES * policy.noticeMs;
    // What is held will do for the next access too.
    if (!tracker.isRegular || (!isFast && cell.freshUntil > tracker.latestNext)) return;
    const latency = this.#latencies[cell.kind];
    const p95Ms = latency.quantile(0.95);
    if (p95Ms === undefined) return;
    const sendAt = tracker.sendAt(p95Ms, latency.quantile(0.99) as number, policy.ttlMs);
    if (sendAt === undefined) return;
    if (!isFast) tracker.armed = this.#plans.add({ cell, reason: 'period', tracker, entry: undefined, close: undefined }, Math.max(now, sendAt));
    else this.#planBeforeExpiry(cell, tracker, sendAt, now);
  }

  // Who reads faster than reads are noticed also reads in between: the answer has to be there before what is held expires.
  #planBeforeExpiry(cell: Cell, tracker: AccessTracker, sendAt: number, now: number): void {
    const at = cell.freshUntil - (tracker.lastAt + tracker.meanMs - sendAt);
    // The next notice comes in time to plan it.
    if (at > tracker.latestNext) return;
    tracker.armed = this.#plans.add({ cell, reason: 'period', tracker, entry: cell.entry, close: undefined }, Math.max(now, at));
  }

  #plan(cell: Cell, reason: Reason, at: number): void {
    const close = reason === 'close' ? closeOf(cell)?.at : undefined;
    this.#plans.add({ cell, reason, tracker: undefined, entry: cell.entry, close }, at);
  }

  #onDue(plan: Plan, now: number): void {
    const { cell, reason, tracker, entry } = plan;
    if (tracker !== undefined) tracker.armed = undefined;
    if (reason === 'verdict') {
      if (cell.unread && cell.entry === entry) this.#judge(cell, false, now);
      return;
    }
    if (this.#isWanted(plan, now) && this.#gates[cell.kind].isOpen(now) && !this.#options.isPaused(now)) {
      if (this.#options.load(cell, now)) this.#options.statistics.prefetchIssued++;
    } else this.#options.release(cell);
  }

  #isWanted({ cell, reason, tracker, entry, close }: Plan, now: number): boolean {
    // A live stream keeps its values fresh by itself.
    if (cell.entry?.source === 'stream' && now < cell.freshUntil) return false;
    if (reason === 'period') return entry === undefined ? cell.freshUntil <= (tracker as AccessTracker).latestNext : cell.entry === entry;
    // Replaced since; what was merely pushed out is still wanted.
    if (cell.entry !== undefined && cell.entry !== entry) return false;
    if (reason === 'hot') {
      const { ttlMs } = this.#options.policies[cell.kind];
      const rate = cell.tracked;
      return rate !== undefined && rate.accesses > 2 && now - rate.lastAt < ttlMs && 1 - Math.exp(-ttlMs / rate.meanMs) > HOT;
    }
    if (cell.closes?.lastAt !== close) cell.closes = undefined;
    return cell.closes?.isHabit === true;
  }

  // Bars are fetched ahead for who read them at the two closes before: one look at a chart is no habit.
  #noteReadAtClose(cell: Cell): void {
    const close = closeOf(cell);
    const lastAt = cell.closes?.lastAt;
    if (close === undefined || lastAt === close.at || this.#options.clock.now() > close.until) return;
    cell.closes = { lastAt: close.at, isHabit: lastAt === close.at - close.intervalMs };
  }

  #planClose(cell: Cell, now: number): void {
    const isLate = cell.freshUntil - now <= ABSENT_BAR_RETRY_MS;
    cell.retries = isLate ? cell.retries + 1 : 0;
    if (cell.retries > MOST_CLOSE_RETRIES) cell.closes = undefined;
    else if (cell.closes !== undefined) this.#plan(cell, 'close', cell.freshUntil + this.#options.random() * CLOSE_JITTER_MS);
  }

  #judge(cell: Cell, isUseful: boolean, now: number): void {
    cell.markUnread(false);
    this.#verdict(cell, isUseful, now);
  }

  #verdict(cell: Cell, isUseful: boolean, now: number): void {
    const { statistics, onVerdict } = this.#options;
    if (isUseful) statistics.prefetchUseful++;
    else statistics.prefetchWasted++;
    this.#gates[cell.kind].record(isUseful, now);
    onVerdict(cell, isUseful);
  }
}

function closeOf({ entry, request }: Cell): ReturnType<typeof lastClose> {
  return entry === undefined ? undefined : lastClose(entry.value as Bars, request as MarketKinds['bars']['request']);
}
