import type { CacheEntry, Read } from '../contracts/cache-store.js';
import type { MarketKind } from '../contracts/market-data.js';
import { isUnknownSymbol } from '../contracts/unknown-symbol.js';
import { abortReason } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import type { DeadlineSet } from '../core/deadline-set.js';
import { deadlineError, malformedValueError, overAgeError } from './cache-errors.js';
import type { CacheIndex, Judged } from './cache-index.js';
import type { CacheStatistics } from './cache-statistics.js';
import { type Cell, NEVER } from './cell.js';
import { deepFreeze } from './deep-freeze.js';
import { type EntryAges, marksOf, waitsUntil } from './entry-ages.js';
import type { ResolvedPolicy } from './kind-policy.js';
import type { Answer, Load } from './load.js';
import type { Loader, Outcome } from './loader.js';
import { NegativeMemory } from './negative-memory.js';
import { PendingRead, type ReadJudge, type ReadResult } from './pending-read.js';
import { maxAgeOf, type ReadOptions } from './read-options.js';
import { weigh } from './value-weight.js';

export interface CacheReaderOptions {
  readonly clock: Clock;
  readonly policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
  readonly index: CacheIndex;
  readonly ages: EntryAges;
  readonly timers: DeadlineSet<() => void>;
  readonly statistics: CacheStatistics;
  /** After each value that was kept; `prefetch` only when nobody waits for it yet. */
  readonly onKept: (cell: Cell, now: number, origin: 'read' | 'scan' | 'prefetch') => void;
  /** A prefetch has ended that left nothing unread: somebody waited for it, or it brought nothing. */
  readonly onPrefetchEnded: (cell: Cell, isUseful: boolean, now: number) => void;
}

/** Answers reads: from what is held where it is young enough, else from a load that it shares. */
export class CacheReader implements ReadJudge {
  /** Set once, by whoever builds both. */
  loader!: Loader;
  readonly #options: CacheReaderOptions;
  readonly #index: CacheIndex;
  readonly #ages: EntryAges;
  readonly #negatives = new NegativeMemory();

  constructor(options: CacheReaderOptions) {
    this.#options = options;
    this.#index = options.index;
    this.#ages = options.ages;
  }

  /** What is held for `cell`, if this reader may have it; synchronous, and nothing is fetched. */
  serve(cell: Cell, now: number, maxAgeMs: number, allowStale: boolean | undefined): Read<unknown> | undefined {
    const entry = this.#index.held(cell);
    if (entry === undefined) return undefined;
    const ageMs = maxAgeMs === Infinity ? now - cell.bornAt : this.#ages.at(now, cell.bornAt, entry.eventTime, true);
    if (ageMs > maxAgeMs) return undefined;
    if (now < cell.freshUntil) return { value: entry.value, ageMs, outcome: 'hit' };
    return now < this.#staleUntil(cell, maxAgeMs, allowStale) ? { value: entry.value, ageMs, outcome: 'stale' } : undefined;
  }

  /** As {@link serve}, with the time up to which it holds: for a reader who waits for more before it is answered. */
  serveFor(cell: Cell, now: number, maxAgeMs: number, allowStale: boolean | undefined): Extract<ReadResult, { readonly read: unknown }> | undefined {
    const read = this.serve(cell, now, maxAgeMs, allowStale);
    if (read === undefined) return undefined;
    const until = read.outcome === 'stale' ? this.#staleUntil(cell, maxAgeMs, allowStale) : cell.freshUntil;
    return { read, level: 'memory', at: now, until, epoch: cell.symbol.epoch };
  }

  /** Why `cell` is not worth a request: the venue said that it does not list the symbol. */
  knownAbsence(cell: Cell, now: number): Error | undefined {
    return this.#negatives.recall(cell.key, now);
  }

  forgetAbsence(key: string): boolean {
    return this.#negatives.forget(key);
  }

  /** Waits for a load of `cell`: the one in flight, or one of its own. */
  load(cell: Cell, now: number, options: ReadOptions | undefined): Promise<ReadResult> {
    const pending = new PendingRead(cell, this, maxAgeOf(options), options?.allowStale, now, options?.deadlineMs !== undefined);
    if (this.loader.join(cell, pending, options?.scan === true, now)) pending.outcome = 'coalesced';
    const { signal, deadlineMs } = options ?? {};
    if (signal === undefined && deadlineMs === undefined) return pending.done;
    return this.#leaveEarly(cell, pending, signal, deadlineMs, now);
  }

  /** Keeps what a load brought and settles who waited for it. */
  onOutcome(load: Load, outcome: Outcome, now: number): void {
    const { cell } = load;
    if (load.isPrefetch && load.sentAt !== -Infinity) {
      if (load.waiters.size > 0) this.#options.onPrefetchEnded(cell, true, now);
      else if ('error' in outcome) this.#options.onPrefetchEnded(cell, false, now);
    }
    if ('error' in outcome) {
      if (isUnknownSymbol(outcome.error)) {
        const { negativeMs } = this.#options.policies[cell.kind];
        if (negativeMs > 0) this.#negatives.remember(cell.key, outcome.error, now + negativeMs);
      }
      this.#settle(load, outcome, now);
    } else this.#settle(load, this.#keepIfSound(load, outcome, now), now);
    this.#index.release(cell);
  }

  deliver(
    { entry, bornAt }: Extract<Answer, { readonly entry: unknown }>,
    maxAgeMs: number,
    outcome: 'miss' | 'coalesced',
    now: number,
  ): Read<unknown> | undefined {
    const ageMs = this.#ages.at(now, bornAt, entry.eventTime, maxAgeMs !== Infinity);
    return ageMs > maxAgeMs ? undefined : { value: entry.value, ageMs, outcome };
  }

  standIn(
    cell: Cell,
    maxAgeMs: number,
    allowStale: boolean | undefined,
    now: number,
  ): { readonly read: Read<unknown>; readonly until: number } | undefined {
    const entry = this.#index.held(cell);
    const { staleIfErrorMs } = this.#options.policies[cell.kind];
    const until = cell.freshUntil + staleIfErrorMs;
    if (entry === undefined || allowStale === false || now >= until) return undefined;
    const ageMs = this.#ages.at(now, cell.bornAt, entry.eventTime, maxAgeMs !== Infinity);
    return ageMs > maxAgeMs ? undefined : { read: { value: entry.value, ageMs, outcome: 'stale' }, until };
  }

  waitsUntil(cell: Cell, { entry }: Extract<Answer, { readonly entry: unknown }>, now: number): number {
    return waitsUntil(entry.sentAt, now, this.#options.policies[cell.kind].ttlMs);
  }

  tooOld(cell: Cell, { entry, bornAt }: Extract<Answer, { readonly entry: unknown }>, maxAgeMs: number, now: number): Error {
    return overAgeError(cell.kind, cell.symbol.symbol, this.#ages.at(now, bornAt, entry.eventTime, true), maxAgeMs);
  }

  /** The age at monotonic time `now` of what was read before. */
  ageAt(now: number, kind: MarketKind, result: Extract<ReadResult, { readonly read: unknown }>, isBounded: boolean): number {
    return this.#ages.at(now, result.at - result.read.ageMs, marksOf(kind, result.read.value).eventTime, isBounded);
  }

  #staleUntil(cell: Cell, maxAgeMs: number, allowStale: boolean | undefined): number {
    if (allowStale === false) return NEVER;
    const { swrMs, ttlMs } = this.#options.policies[cell.kind];
    return cell.freshUntil + (allowStale === true ? Math.max(swrMs, maxAgeMs === Infinity ? ttlMs : Infinity) : swrMs);
  }

  #settle(load: Load, answer: Answer, now: number): void {
    for (const waiter of load.waiters) {
      if (!waiter.settle(answer, now)) this.loader.join(load.cell, waiter, load.isScan, now);
    }
    load.waiters.clear();
  }

  // A value that lacks what its kind promises must not hang those who wait for it.
  #keepIfSound(load: Load, outcome: Exclude<Outcome, { readonly error: Error }>, now: number): Answer {
    try {
      // What it weighs here is not taken from another process.
      if ('shared' in outcome) return this.#keep(load, { ...outcome.shared, weight: weigh(load.cell.kind, outcome.shared.value) }, 'shared', now);
      return this.#keep(load, this.#fetched(load, outcome.value, now), 'none', now);
    } catch (cause) {
      return { error: malformedValueError(load.cell.kind, load.cell.symbol.symbol, cause) };
    }
  }

  #fetched(load: Load, value: unknown, now: number): CacheEntry {
    const { kind } = load.cell;
    return {
      value: deepFreeze(value),
      sentAt: load.sentAt,
      receivedAt: now,
      ...marksOf(kind, value),
      epoch: load.epoch,
      source: load.isPrefetch ? 'prefetch' : 'rest',
      weight: weigh(kind, value),
    };
  }

  #keep(load: Load, fetched: CacheEntry, level: 'shared' | 'none', now: number): Answer {
    const { cell } = load;
    const judged = this.#ages.judge(cell.kind, cell.request, fetched);
    if (this.#index.write(cell, judged, !load.isScan)) {
      this.#negatives.forget(cell.key);
      this.#acceptSnapshot(cell, fetched);
      this.#options.onKept(cell, now, originOf(load));
      return { entry: judged.entry, bornAt: judged.bornAt, level };
    }
    if (load.isPrefetch && load.waiters.size === 0) this.#options.onPrefetchEnded(cell, false, now);
    const held = this.#index.held(cell);
    // A gap came after the send: it answers those who asked before, and no later reader.
    if (held === undefined || load.epoch !== cell.symbol.epoch) return { entry: judged.entry, bornAt: judged.bornAt, level };
    if (load.sentAt <= held.sentAt || !this.#isLongOverdue(cell, now)) return { entry: held, bornAt: cell.bornAt, level };
    return this.#restart(load, judged, level, now);
  }

  // The venue goes on saying something older than what it said long ago: it has begun to count anew.
  #restart(load: Load, judged: Judged, level: 'shared' | 'none', now: number): Answer {
    const { cell } = load;
    this.#index.bump(cell.symbol, now);
    const entry = { ...judged.entry, epoch: cell.symbol.epoch };
    // The cell may be gone with what it held.
    const renewed = this.#index.obtain(cell.kind, cell.request);
    this.#index.write(renewed, { ...judged, entry });
    this.#options.onKept(renewed, now, originOf(load));
    return { entry, bornAt: judged.bornAt, level };
  }

  #isLongOverdue(cell: Cell, now: number): boolean {
    return now - cell.freshUntil > this.#options.policies[cell.kind].ttlMs;
  }

  #acceptSnapshot(cell: Cell, { seq }: CacheEntry): void {
    const { symbol } = cell;
    // A book cut at a depth is no snapshot of the whole one; bars are whole at each interval.
    if (!symbol.needsSnapshot || (symbol.plain !== cell && cell.kind !== 'bars')) return;
    symbol.needsSnapshot = false;
    symbol.seq = seq;
  }

  async #leaveEarly(
    cell: Cell,
    pending: PendingRead,
    signal: AbortSignal | undefined,
    deadlineMs: number | undefined,
    now: number,
  ): Promise<ReadResult> {
    const { timers } = this.#options;
    const leave = (reason: Error): void => {
      this.loader.leave(cell, pending, reason);
      pending.fail(reason);
    };
    const onAbort = (): void => leave(abortReason(signal as AbortSignal));
    const deadline =
      deadlineMs === undefined ? undefined : timers.add(() => leave(deadlineError(cell.kind, cell.symbol.symbol, deadlineMs)), now + deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await pending.done;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (deadline !== undefined) timers.cancel(deadline);
    }
  }
}

function originOf(load: Load): 'read' | 'scan' | 'prefetch' {
  if (load.isPrefetch && load.waiters.size === 0) return 'prefetch';
  return load.isScan ? 'scan' : 'read';
}
