import type { CacheEntry, Read } from '../contracts/cache-store.js';
import type { Settled } from '../contracts/calls.js';
import type { Fetcher } from '../contracts/fetcher.js';
import type { MarketDataAdapter, MarketKind, MarketKinds } from '../contracts/market-data.js';
import { onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import type { DeadlineSet } from '../core/deadline-set.js';
import { asError } from '../core/errors.js';
import type { Cost } from '../core/limits.js';
import { redactError } from '../core/logger.js';
import { alignAnswers } from './answer-alignment.js';
import { deadlineError, expiredError, overAgeError } from './cache-errors.js';
import { paramsOf, requireRequest } from './cache-key.js';
import { deepFreeze } from './deep-freeze.js';
import { type EntryAges, marksOf, waitsUntil } from './entry-ages.js';
import type { ResolvedPolicy } from './kind-policy.js';
import { afterMs, maxAgeOf, type ReadOptions } from './read-options.js';

export interface DirectReaderOptions {
  readonly adapter: MarketDataAdapter;
  readonly fetcher: Fetcher | undefined;
  readonly group: string | undefined;
  readonly limitsKept: boolean;
  readonly clock: Clock;
  readonly ages: EntryAges;
  readonly timers: DeadlineSet<() => void>;
  readonly policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
  readonly onCall: (kind: MarketKind, keys: number, ms: number, ok: boolean) => void;
}

type Request = MarketKinds[MarketKind]['request'];
type Answered = { readonly entry: CacheEntry; readonly bornAt: number; readonly until: number } | { readonly error: Error };

/** How often is asked again for what outlived its TTL while it waited for others. */
const MOST_REPEATS = 2;

/**
 * Reads for orders: each asks the venue itself. No cache is read or written, no load shared, no
 * negative answer believed.
 */
export class DirectReader {
  readonly #options: DirectReaderOptions;

  constructor(options: DirectReaderOptions) {
    this.#options = options;
  }

  /** One result per request, in their order; a request that occurs twice is asked once. */
  async read(kind: MarketKind, requests: readonly Request[], options: ReadOptions): Promise<readonly Settled<Read<unknown>>[]> {
    const maxAgeMs = maxAgeOf(options);
    // A reader who names maxAgeMs is judged by that alone, and a scan takes the answers as they come.
    const isBoundByTtl = maxAgeMs === Infinity && options.scan !== true;
    for (const request of requests) requireRequest(kind, request);
    const keys = requests.map((request) => `${request.symbol}|${paramsOf(request)}`);
    const answers = new Map<string, Answered>();
    let due: ReadonlyMap<string, Request> = new Map(requests.map((request, i) => [keys[i] as string, request]));
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    for (let repeats = 0; due.size > 0; repeats++) {
      await this.#ask(kind, due, afterMs(options, clock.monotonic() - startedAt), answers);
      if (!isBoundByTtl || repeats === MOST_REPEATS) break;
      due = outlived(due, answers, clock.monotonic());
    }
    // Judged together at delivery: the first to come has waited for the last.
    const now = clock.monotonic();
    return requests.map(({ symbol }, i) => this.#judge(kind, symbol, answers.get(keys[i] as string) as Answered, maxAgeMs, isBoundByTtl, now));
  }

  async #ask(kind: MarketKind, due: ReadonlyMap<string, Request>, options: ReadOptions, answers: Map<string, Answered>): Promise<void> {
    const byParams = new Map<string, (readonly [key: string, request: Request])[]>();
    for (const entry of due) {
      const params = paramsOf(entry[1]);
      const group = byParams.get(params);
      if (group === undefined) byParams.set(params, [entry]);
      else group.push(entry);
    }
    const { batchMax } = this.#options.policies[kind];
    const calls: Promise<void>[] = [];
    for (const entries of byParams.values()) {
      for (let from = 0; from < entries.length; from += batchMax) {
        calls.push(this.#call(kind, entries.slice(from, from + batchMax), options, answers));
      }
    }
    await Promise.all(calls);
  }

  async #call(
    kind: MarketKind,
    entries: readonly (readonly [key: string, request: Request])[],
    options: ReadOptions,
    answers: Map<string, Answered>,
  ): Promise<void> {
    const { adapter, clock, onCall, limitsKept } = this.#options;
    let sentAt = clock.monotonic();
    const symbols = entries.map(([, request]) => request.symbol);
    const attempt = async (signal: AbortSignal, number: number): Promise<readonly Settled<unknown>[]> => {
      sentAt = clock.monotonic();
      let ok = false;
      try {
        const fetched = await adapter.fetch(
          kind,
          entries.map(([, request]) => request),
          { signal, number, ...(limitsKept ? { limitsKept } : {}) },
        );
        ok = true;
        return alignAnswers(adapter.venue, kind, symbols, fetched);
      } finally {
        onCall(kind, entries.length, clock.monotonic() - sentAt, ok);
      }
    };
    try {
      const asked = entries.map(([, request]) => request);
      const price = limitsKept && adapter.fetchCost !== undefined ? { costs: adapter.fetchCost(kind, asked) } : {};
      const settled = await this.#withinLimits(kind, symbols.join(', '), options, attempt, price);
      entries.forEach(([key, request], i) => {
        const answer = settled[i] as Settled<unknown>;
        answers.set(key, answer.status === 'rejected' ? { error: redactError(answer.reason) } : this.#received(kind, request, answer.value, sentAt));
      });
    } catch (error) {
      for (const [key] of entries) answers.set(key, { error: redactError(asError(error)) });
    }
  }

  // Its age is told from the wall clock here and now: one that waits for others must not be aged twice, nor made younger by a step.
  #received(kind: MarketKind, request: Request, value: unknown, sentAt: number): Answered {
    const entry: CacheEntry = {
      value: deepFreeze(value),
      sentAt,
      receivedAt: this.#options.clock.monotonic(),
      ...marksOf(kind, value),
      epoch: 0,
      source: 'rest',
      weight: 0,
    };
    const { bornAt } = this.#options.ages.judge(kind, request, entry);
    return { entry, bornAt, until: waitsUntil(sentAt, entry.receivedAt, this.#options.policies[kind].ttlMs) };
  }

  #judge(kind: MarketKind, symbol: string, answered: Answered, maxAgeMs: number, isBoundByTtl: boolean, now: number): Settled<Read<unknown>> {
    if ('error' in answered) return { status: 'rejected', reason: answered.error };
    const { ages, policies } = this.#options;
    const { entry, bornAt, until } = answered;
    const ageMs = ages.at(now, bornAt, entry.eventTime, maxAgeMs !== Infinity);
    if (ageMs > maxAgeMs) return { status: 'rejected', reason: overAgeError(kind, symbol, ageMs, maxAgeMs) };
    if (isBoundByTtl && now >= until) return { status: 'rejected', reason: expiredError(kind, symbol, ageMs, policies[kind].ttlMs) };
    return { status: 'fulfilled', value: { value: entry.value, ageMs, outcome: 'bypass' } };
  }

  async #withinLimits<T>(
    kind: MarketKind,
    symbols: string,
    { signal, deadlineMs, priority = 'read' }: ReadOptions,
    attempt: (signal: AbortSignal, number: number) => Promise<T>,
    price: { readonly costs?: readonly Cost[] },
  ): Promise<T> {
    const { fetcher, group, timers, clock } = this.#options;
    const controller = new AbortController();
    let giveUp!: (reason: Error) => void;
    const gaveUp = new Promise<never>((_, reject) => {
      giveUp = (reason) => {
        reject(reason);
        controller.abort(reason);
      };
    });
    gaveUp.catch(() => {});
    const aborting = onAbort(signal, giveUp);
    const deadline =
      deadlineMs === undefined ? undefined : timers.add(() => giveUp(deadlineError(kind, symbols, deadlineMs)), clock.monotonic() + deadlineMs);
    try {
      if (controller.signal.aborted) return await gaveUp;
      if (fetcher === undefined) return await Promise.race([attempt(controller.signal, 1), gaveUp]);
      const task = {
        input: undefined,
        run: (_: undefined, context: { readonly signal: AbortSignal; readonly attempt: number }) => attempt(context.signal, context.attempt),
        priority: 1,
        ...(group === undefined ? {} : { group }),
        ...price,
      };
      return await Promise.race([fetcher.run(task, { signal: controller.signal, priority }), gaveUp]);
    } finally {
      aborting[Symbol.dispose]();
      if (deadline !== undefined) timers.cancel(deadline);
    }
  }
}

// What was answered in time, and waited for others too long.
function outlived(asked: ReadonlyMap<string, Request>, answers: ReadonlyMap<string, Answered>, now: number): ReadonlyMap<string, Request> {
  return new Map([...asked].filter(([key]) => now >= ((answers.get(key) as { readonly until?: number }).until ?? Infinity)));
}
