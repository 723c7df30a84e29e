import type { SharedLimiter } from '../contracts/fetcher.js';
import type { Wiring } from '../contracts/wiring.js';
import type { Cost } from '../core/limits.js';
import {
  requireFunction,
  requireInteger,
  requireKnown,
  requireMethods,
  requireNonNegative,
  requireObject,
  requireOneOf,
  requirePositive,
  requireText,
} from '../core/options.js';

/** What tasks of one group may use together. A group that is not listed has no limits. */
export interface FetchGroupOptions {
  /** Most of its tasks that run at a time. @defaultValue the fetcher's concurrency */
  readonly concurrency?: number;
  /** Weight that its tasks may start with in any window of one second, retries included. @defaultValue no limit */
  readonly ratePerSecond?: number;
  /** Added to what one window may hold, while the long run stays at ratePerSecond. @defaultValue 0 */
  readonly burst?: number;
  /** Spends on limits that are shared with others, in place of ratePerSecond: a task's `costs`, or its weight on each of `limits`. */
  readonly shared?: { readonly limiter: SharedLimiter; readonly limits: readonly string[] };
}

/** How a {@link ParallelFetcher} works. Times are milliseconds. */
export interface ParallelFetcherOptions extends Wiring {
  /** Most tasks that run at a time. @defaultValue 12 */
  readonly concurrency?: number;
  readonly groups?: Readonly<Record<string, FetchGroupOptions>>;
  /** Further attempts after a failure; full jitter, and never before an error's `retryAfterMs`. @defaultValue max 0 */
  readonly retry?: { readonly max: number; readonly baseMs: number; readonly capMs: number };
  /** Most tasks that wait for a slot. @defaultValue no limit */
  readonly maxQueue?: number;
  /** What becomes of one task more: refused, put in the place of the least urgent one, or kept waiting for room. @defaultValue 'reject' */
  readonly overflow?: 'reject' | 'drop_lowest' | 'wait';
  /** A task that has waited this long goes before newer ones that are one priority higher. @defaultValue 10_000 */
  readonly agingMs?: number;
  /** A function that still runs this long after its caller was answered is reported. @defaultValue 5_000 */
  readonly stuckAfterMs?: number;
  /** Threads that parse; 0 parses on the main thread. @defaultValue one less than the processors, at most 4, at least 1 */
  readonly workers?: number;
  /** Where the worker's own file is, for a bundled host that ships it elsewhere. @defaultValue found beside this module or in the installed package */
  readonly workerEntry?: string | URL;
}

/** {@link ParallelFetcherOptions} as checked, with defaults filled in. */
export interface FetchPolicy {
  readonly concurrency: number;
  readonly groups: Readonly<Record<string, FetchGroupOptions>>;
  readonly retry: { readonly max: number; readonly baseMs: number; readonly capMs: number };
  readonly maxQueue: number;
  readonly overflow: 'reject' | 'drop_lowest' | 'wait';
  readonly agingMs: number;
  readonly stuckAfterMs: number;
  readonly workers: number | undefined;
  readonly workerEntry: string | URL | undefined;
}

const KNOWN = [
  'bus',
  'clock',
  'random',
  'logger',
  'concurrency',
  'groups',
  'retry',
  'maxQueue',
  'overflow',
  'agingMs',
  'stuckAfterMs',
  'workers',
  'workerEntry',
] as const satisfies readonly (keyof ParallelFetcherOptions)[];

/** @throws RangeError or TypeError that names option, expectation and value. */
export function fetchPolicy(options: ParallelFetcherOptions): FetchPolicy {
  requireKnown('ParallelFetcher', requireObject('options', options), KNOWN);
  const groups = requireObject('groups', options.groups ?? {});
  for (const [name, group] of Object.entries(groups)) checkGroup(`groups.${name}`, group);
  return {
    concurrency: requireInteger('concurrency', options.concurrency ?? 12, 1),
    groups,
    retry: checkRetry(options.retry),
    maxQueue: options.maxQueue === undefined ? Infinity : requireInteger('maxQueue', options.maxQueue),
    overflow: requireOneOf('overflow', options.overflow ?? 'reject', ['reject', 'drop_lowest', 'wait']),
    agingMs: requirePositive('agingMs', options.agingMs ?? 10_000),
    stuckAfterMs: requirePositive('stuckAfterMs', options.stuckAfterMs ?? 5_000),
    workers: options.workers === undefined ? undefined : requireInteger('workers', options.workers),
    workerEntry: options.workerEntry,
  };
}

function checkRetry(retry: ParallelFetcherOptions['retry']): FetchPolicy['retry'] {
  if (retry === undefined) return { max: 0, baseMs: 100, capMs: 5_000 };
  requireKnown('retry', requireObject('retry', retry), ['max', 'baseMs', 'capMs']);
  const max = requireInteger('retry.max', retry.max);
  const baseMs = requirePositive('retry.baseMs', retry.baseMs);
  const capMs = requirePositive('retry.capMs', retry.capMs);
  if (capMs < baseMs) throw new RangeError(`retry.capMs must be at least retry.baseMs (${baseMs}), got ${capMs}`);
  return { max, baseMs, capMs };
}

function checkGroup(where: string, group: FetchGroupOptions): void {
  requireKnown(where, requireObject(where, group), ['concurrency', 'ratePerSecond', 'burst', 'shared']);
  const { concurrency, ratePerSecond, burst, shared } = group;
  if (concurrency !== undefined) requireInteger(`${where}.concurrency`, concurrency, 1);
  if (ratePerSecond !== undefined) requirePositive(`${where}.ratePerSecond`, ratePerSecond);
  if (burst !== undefined) {
    requireNonNegative(`${where}.burst`, burst);
    if (ratePerSecond === undefined) throw new TypeError(`${where}.burst adds to ${where}.ratePerSecond, which is not given`);
  }
  if (shared === undefined) return;
  if (ratePerSecond !== undefined) throw new TypeError(`${where} takes ratePerSecond or shared, got both`);
  requireMethods(`${where}.shared.limiter`, requireObject(`${where}.shared`, shared).limiter, ['acquire', 'sent', 'release']);
  if (!Array.isArray(shared.limits) || shared.limits.length === 0) {
    throw new TypeError(`${where}.shared.limits must be a list of at least one limit id`);
  }
  for (const limit of shared.limits as readonly string[]) requireText(`${where}.shared.limits`, limit);
}

/** Checks what a task says of itself. */
export function checkTask(task: {
  readonly run: unknown;
  readonly priority?: number;
  readonly deadlineAt?: number;
  readonly weight?: number;
  readonly costHintMs?: number;
  readonly group?: string;
  readonly costs?: readonly Cost[];
}): void {
  const { run, priority, deadlineAt, weight, costHintMs, group, costs } = task;
  if (typeof run !== 'function') requireFunction('task.run', run);
  if (priority !== undefined && !Number.isFinite(priority)) throw new RangeError(`task.priority must be a finite number, got ${priority}`);
  if (deadlineAt !== undefined && !Number.isFinite(deadlineAt)) throw new RangeError(`task.deadlineAt must be epoch milliseconds, got ${deadlineAt}`);
  if (weight !== undefined) requirePositive('task.weight', weight);
  if (costHintMs !== undefined) requireNonNegative('task.costHintMs', costHintMs);
  if (group !== undefined) requireText('task.group', group);
  if (costs !== undefined && !Array.isArray(costs)) throw new TypeError(`task.costs must be a list of limits and units, got ${typeof costs}`);
}
