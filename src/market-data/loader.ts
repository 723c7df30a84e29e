import type { CacheEntry } from '../contracts/cache-store.js';
import type { Fetcher } from '../contracts/fetcher.js';
import type { MarketDataAdapter, MarketKind } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import type { DeadlineSet } from '../core/deadline-set.js';
import { asError, VenueKitError } from '../core/errors.js';
import type { Cost } from '../core/limits.js';
import { redactError } from '../core/logger.js';
import { alignAnswers } from './answer-alignment.js';
import { loadTimeoutError } from './cache-errors.js';
import type { Cell } from './cell.js';
import type { ResolvedPolicy } from './kind-policy.js';
import { Load, type Waiter } from './load.js';
import type { SharedLoads } from './shared-loads.js';

/** How long a prefetch, for which nobody waits, may wait for company in its call. */
const PREFETCH_WINDOW_MS = 5;

/** What a load brought: a value of the venue, an entry of the shared level, or why there is none. */
export type Outcome = { readonly value: unknown } | { readonly shared: CacheEntry } | { readonly error: Error };

/** One call to the adapter and the loads that it carries. */
interface Call {
  readonly kind: MarketKind;
  readonly loads: readonly Load[];
  readonly controller: AbortController;
}

interface Queue {
  readonly kind: MarketKind;
  readonly loads: Set<Load>;
  isFlushDue: boolean;
  timer: Disposable | undefined;
}

export interface LoaderOptions {
  readonly adapter: MarketDataAdapter;
  readonly fetcher: Fetcher | undefined;
  readonly group: string | undefined;
  readonly limitsKept: boolean;
  readonly clock: Clock;
  readonly policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
  readonly timers: DeadlineSet<() => void>;
  readonly loadTimeoutMs: number;
  /** What other processes load too, where there is a shared level for the kind. */
  readonly sharedFor: (kind: MarketKind) => SharedLoads | undefined;
  /** Judges and keeps what a load brought, and settles its waiters. */
  readonly onOutcome: (load: Load, outcome: Outcome, now: number) => void;
  /** After each call to the adapter. */
  readonly onCall: (kind: MarketKind, keys: number, ms: number, ok: boolean) => void;
  /** How long a load took from being wanted to its answer. */
  readonly onMeasured: (kind: MarketKind, ms: number) => void;
}

/**
 * Brings values from the venue: one load per key in flight however many wait for it, and as few
 * calls as the adapter's limit allows. A load ends early only when the last who waited for it has
 * left.
 */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #queues = new Map<MarketKind, Queue>();
  /** The load in flight of each cell that has one. */
  readonly #loads = new Map<Cell, Load>();
  /** The load that starts when the one in flight has settled: for readers whom that one can't serve. */
  readonly #following = new Map<Cell, Load>();
  readonly #calls = new Set<Call>();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Waits for the load of `cell`, started where there is none that can serve. True when one was there to join. */
  join(cell: Cell, waiter: Waiter, isScan: boolean, now: number): boolean {
    const current = this.#loads.get(cell);
    if (current === undefined) {
      this.#start(cell, 'read', isScan).waiters.add(waiter);
      return false;
    }
    if (canServe(current, waiter, now)) {
      current.waiters.add(waiter);
      if (!isScan) current.isScan = false;
      if (current.priority === 'prefetch') this.#promote(current);
      return true;
    }
    // One load per key in flight: the next starts when this one has settled.
    const following = this.#following.get(cell);
    if (following === undefined) this.#following.set(cell, withWaiter(new Load(cell, 'read', isScan), waiter));
    else following.waiters.add(waiter);
    return following !== undefined;
  }

  /** Loads without anybody waiting; nothing when a load is on its way already. */
  loadInBackground(cell: Cell, priority: 'read' | 'prefetch'): boolean {
    if (cell.isLoading) return false;
    this.#start(cell, priority, false).isBackground = true;
    return true;
  }

  /** The waiter no longer waits; its load ends if nobody else wants it. */
  leave(cell: Cell, waiter: Waiter, reason: Error): void {
    const following = this.#following.get(cell);
    if (following?.waiters.delete(waiter) === true && !following.isWanted) this.#following.delete(cell);
    const load = this.#loads.get(cell);
    if (load === undefined || !load.waiters.delete(waiter) || load.isWanted) return;
    const call = load.call as Call | undefined;
    if (call?.loads.some((other) => other.call === call && other.state !== 'settled' && other.isWanted) === false) this.#abandon(call, reason);
    // Alone it can't be taken back from a call that is on its way; from a queue it can.
    else if (load.state === 'queued') {
      this.#queues.get(cell.kind)?.loads.delete(load);
      this.#settle(load, { error: ABANDONED }, this.#options.clock.monotonic());
    }
  }

  /** Gives up what was to be fetched ahead and has not been sent: nobody waits for it. */
  dropUnsentPrefetches(): void {
    const now = this.#options.clock.monotonic();
    for (const queue of this.#queues.values()) {
      for (const load of queue.loads) {
        if (!isUnsentPrefetch(load)) continue;
        queue.loads.delete(load);
        this.#settle(load, { error: ABANDONED }, now);
      }
    }
    // In a fetcher's queue. What shares its call with a reader's costs nothing.
    for (const call of [...this.#calls]) {
      const left = call.loads.filter((load) => load.call === call && load.state !== 'settled');
      if (left.length > 0 && left.every(isUnsentPrefetch)) this.#abandon(call, ABANDONED);
    }
  }

  /** Rejects everything that is under way. */
  close(error: Error): void {
    const now = this.#options.clock.monotonic();
    for (const following of this.#following.values()) for (const waiter of following.waiters) waiter.settle({ error }, now);
    this.#following.clear();
    for (const queue of this.#queues.values()) {
      queue.timer?.[Symbol.dispose]();
      for (const load of queue.loads) this.#settle(load, { error }, now);
      queue.loads.clear();
    }
    for (const call of [...this.#calls]) {
      for (const load of call.loads) this.#settle(load, { error }, now);
      this.#abandon(call, error);
    }
  }

  #start(cell: Cell, priority: 'read' | 'prefetch', isScan: boolean): Load {
    const load = new Load(cell, priority, isScan);
    this.#begin(load);
    return load;
  }

  #begin(load: Load): void {
    this.#loads.set(load.cell, load);
    load.cell.isLoading = true;
    this.#enqueue(load);
  }

  #promote(load: Load): void {
    load.priority = 'read';
    // Still to be sent, perhaps behind others in a fetcher's queue: the first call that gets to run takes it along.
    if (load.state === 'queued') this.#enqueue(load);
  }

  #enqueue(load: Load): void {
    const { kind } = load.cell;
    let queue = this.#queues.get(kind);
    if (queue === undefined) this.#queues.set(kind, (queue = { kind, loads: new Set(), isFlushDue: false, timer: undefined }));
    load.state = 'queued';
    load.enqueuedAt = this.#options.clock.monotonic();
    load.call = undefined;
    queue.loads.add(load);
    const policy = this.#options.policies[kind];
    const windowMs = load.priority === 'prefetch' ? Math.max(PREFETCH_WINDOW_MS, policy.batchWindowMs) : policy.batchWindowMs;
    if (windowMs === 0 || queue.loads.size >= policy.batchMax) this.#flushAfterThisTurn(queue);
    else queue.timer ??= this.#options.clock.schedule(windowMs, () => this.#flush(queue));
  }

  #flushAfterThisTurn(queue: Queue): void {
    if (queue.isFlushDue) return;
    queue.isFlushDue = true;
    queueMicrotask(() => this.#flush(queue));
  }

  #flush(queue: Queue): void {
    queue.isFlushDue = false;
    queue.timer?.[Symbol.dispose]();
    queue.timer = undefined;
    const byParams = new Map<string, Load[]>();
    for (const load of queue.loads) {
      const group = byParams.get(load.cell.params);
      if (group === undefined) byParams.set(load.cell.params, [load]);
      else group.push(load);
    }
    queue.loads.clear();
    const { batchMax } = this.#options.policies[queue.kind];
    for (const loads of byParams.values()) {
      for (let from = 0; from < loads.length; from += batchMax)
        this.#dispatch(queue.kind, loads.slice(from, from + batchMax), this.#options.sharedFor(queue.kind));
    }
  }

  #dispatch(kind: MarketKind, loads: readonly Load[], shared?: SharedLoads): void {
    const call: Call = { kind, loads, controller: new AbortController() };
    for (const load of loads) load.call = call;
    this.#calls.add(call);
    if (shared?.isUp === true) void this.#runShared(call, shared);
    else void this.#run(call);
  }

  // What another process has, or is about to have, is not asked for again.
  async #runShared(call: Call, shared: SharedLoads): Promise<void> {
    const { mine, others } = await shared.resolve(call.loads.filter((load) => load.state !== 'settled'));
    this.#calls.delete(call);
    if (mine.length > 0) this.#dispatch(call.kind, mine);
    if (others.length === 0) return;
    const waiting: Call = { ...call, loads: others };
    for (const load of others) load.call = waiting;
    this.#calls.add(waiting);
    const left = await shared.waitForOthers(others);
    this.#calls.delete(waiting);
    if (left.length > 0) this.#dispatch(call.kind, left);
  }

  /** An entry of the shared level answers a load. */
  settleShared(load: Load, entry: CacheEntry, now: number): void {
    this.#settle(load, { shared: entry }, now);
  }

  async #run(call: Call): Promise<void> {
    const { fetcher, group, timers, clock, loadTimeoutMs } = this.#options;
    const { signal } = call.controller;
    const timeout = timers.add(() => this.#timeOut(call), clock.monotonic() + loadTimeoutMs);
    const priority = call.loads.some((load) => load.priority === 'read') ? 'read' : 'prefetch';
    try {
      if (fetcher === undefined) await this.#attempt(call, signal, 1);
      else {
        const task = {
          input: call,
          run: (_: Call, context: { readonly signal: AbortSignal; readonly attempt: number }) => this.#attempt(call, context.signal, context.attempt),
          priority: priority === 'prefetch' ? -1 : 0,
          ...(group === undefined ? {} : { group }),
          ...this.#priceOf(call),
        };
        await fetcher.run(task, { signal, priority });
      }
    } catch (error) {
      const now = clock.monotonic();
      for (const load of call.loads) if (load.call === call) this.#settle(load, { error: redactError(asError(error)) }, now);
    } finally {
      timers.cancel(timeout);
      this.#calls.delete(call);
    }
  }

  #priceOf({ kind, loads }: Call): { readonly costs?: readonly Cost[] } {
    const { limitsKept, adapter } = this.#options;
    if (!limitsKept || adapter.fetchCost === undefined) return {};
    return {
      costs: adapter.fetchCost(
        kind,
        loads.map((load) => load.cell.request),
      ),
    };
  }

  // Runs again when a fetcher retries: ages count from the send that was answered.
  async #attempt(call: Call, signal: AbortSignal, number: number): Promise<void> {
    const { adapter, clock, onCall, limitsKept } = this.#options;
    const loads = call.loads.filter((load) => load.call === call && load.state !== 'settled');
    if (loads.length === 0) return;
    const sentAt = clock.monotonic();
    for (const load of loads) {
      load.state = 'sent';
      load.sentAt = sentAt;
      load.epoch = load.cell.symbol.epoch;
    }
    let ok = false;
    try {
      const requests = loads.map((load) => load.cell.request);
      const answers = await adapter.fetch(call.kind, requests, { signal, number, ...(limitsKept ? { limitsKept } : {}) });
      ok = true;
      const now = clock.monotonic();
      this.#options.onMeasured(call.kind, now - (loads[0] as Load).enqueuedAt);
      const aligned = alignAnswers(
        adapter.venue,
        call.kind,
        loads.map((load) => load.cell.request.symbol),
        answers,
      );
      loads.forEach((load, i) => {
        const answer = aligned[i] as (typeof aligned)[number];
        this.#settle(load, answer.status === 'fulfilled' ? { value: answer.value } : { error: redactError(answer.reason) }, now);
      });
    } finally {
      onCall(call.kind, loads.length, clock.monotonic() - sentAt, ok);
    }
  }

  #timeOut(call: Call): void {
    const { adapter, loadTimeoutMs, clock } = this.#options;
    const error = loadTimeoutError(adapter.venue, call.kind, loadTimeoutMs);
    const now = clock.monotonic();
    for (const load of call.loads) if (load.call === call) this.#settle(load, { error }, now);
    this.#abandon(call, error);
  }

  #abandon(call: Call, reason: Error): void {
    this.#calls.delete(call);
    const now = this.#options.clock.monotonic();
    for (const load of call.loads) if (load.call === call) this.#settle(load, { error: ABANDONED }, now);
    call.controller.abort(reason);
  }

  #settle(load: Load, outcome: Outcome, now: number): void {
    if (load.state === 'settled') return;
    load.state = 'settled';
    const { cell } = load;
    this.#loads.delete(cell);
    cell.isLoading = false;
    // First, so that a waiter who needs one more load joins the one that comes anyway.
    const following = this.#following.get(cell);
    this.#following.delete(cell);
    if (following !== undefined) this.#begin(following);
    this.#options.onOutcome(load, outcome, now);
  }
}

const ABANDONED = new VenueKitError('ABANDONED', 'Nobody waits for this load any more.');

function canServe(load: Load, waiter: Waiter, now: number): boolean {
  if (load.state !== 'sent') return true;
  return load.epoch === load.cell.symbol.epoch && now - load.sentAt <= waiter.maxAgeMs;
}

function isUnsentPrefetch(load: Load): boolean {
  return load.state === 'queued' && load.priority === 'prefetch' && load.waiters.size === 0;
}

function withWaiter(load: Load, waiter: Waiter): Load {
  load.waiters.add(waiter);
  return load;
}
