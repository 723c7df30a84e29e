import type { Clock } from '../core/clock.js';
import type { Cost, Priority } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';
import type { Bulkhead } from './bulkhead.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { Deadlines } from './deadlines.js';
import type { Hedge } from './hedge.js';
import type { Limiter } from './rate-limiter.js';
import type { RetryBudget } from './retry-budget.js';

/** What a failure means for the policies. */
export interface FailureClass {
  /** Whether the same call may be made again. */
  readonly retry: boolean;
  /** Whether it speaks against the venue (for breaker and adaptive concurrency) rather than against the call. @defaultValue as `retry` */
  readonly isVenueFault?: boolean;
  /** What the venue asked to wait, ms. */
  readonly retryAfterMs?: number;
}

/**
 * How an attempt ended: `timeout` is its own or the call's deadline; `aborted` is the caller's abort
 * or a hedge that lost.
 */
export type AttemptOutcome = 'ok' | 'failed' | 'timeout' | 'aborted';

/** What the work of a {@link Pipeline} gets. */
export interface PipelineAttempt {
  /** From 1; a hedge has the number of the attempt that it doubles. */
  readonly number: number;
  /** Whether this is the second copy of an attempt. */
  readonly hedge: boolean;
  /** Aborts when the attempt is given up. Made when it is first read. */
  readonly signal: AbortSignal;
  /** The time to sign, read once, when first asked for. */
  readonly venueNow: number;
}

/** The policies of a {@link Pipeline}. Whatever is left out does not act. */
export interface PipelineOptions {
  readonly clock: Clock;
  /** For backoff. @defaultValue the platform's generator */
  readonly random?: Random;
  /** Of one attempt. @defaultValue 10_000 */
  readonly timeoutMs?: number;
  /** Of a call, over all its attempts and waits. @defaultValue 30_000 */
  readonly deadlineMs?: number;
  /** Further attempts after the first, and their backoff with full jitter. @defaultValue none */
  readonly retry?: { readonly max: number; readonly baseMs?: number; readonly capMs?: number };
  /** What a failure means; needed for retries. A timeout is worth a retry unless the call says otherwise. @defaultValue nothing is retried, and speaks against the venue */
  readonly classify?: (error: Error) => FailureClass;
  readonly budget?: RetryBudget;
  readonly breaker?: CircuitBreaker;
  readonly bulkhead?: Bulkhead;
  readonly limiter?: Limiter;
  readonly hedge?: Hedge;
  /** Shared lists of deadlines. @defaultValue its own */
  readonly deadlines?: Deadlines;
  /** What {@link PipelineAttempt.venueNow} gives. @defaultValue the clock's `now` */
  readonly venueNow?: () => number;
  /** Hears of each attempt that was sent, once it is decided. What it throws is logged. */
  readonly onAttempt?: (outcome: AttemptOutcome, ms: number, attempt: number, hedge: boolean, operation: string, error: Error | undefined) => void;
  /** Hears of a retry that the budget refused. */
  readonly onBudgetExhausted?: (operation: string) => void;
  /** Hears of hooks that throw. @defaultValue silence */
  readonly logger?: Logger;
}

/** What one call may say of itself. */
export interface RunOptions {
  /** For messages and hooks. @defaultValue `'read'` */
  readonly operation?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue the pipeline's */
  readonly deadlineMs?: number | undefined;
  /** @defaultValue `'read'` */
  readonly priority?: Priority | undefined;
  /** What each attempt costs of the venue's limits. @defaultValue nothing */
  readonly costs?: readonly Cost[] | undefined;
  readonly symbol?: string | undefined;
  /** `false`: this call is never hedged. @defaultValue true, where the pipeline hedges */
  readonly hedge?: boolean | undefined;
  /** `false`: an attempt that has timed out may have done its work, and is not made again. @defaultValue true */
  readonly retryTimeouts?: boolean | undefined;
  /**
   * The work takes no signal and goes on when it is given up: its place in the bulkhead becomes free then, and not when it is
   * over, which may be never. @defaultValue false
   */
  readonly isDetached?: boolean | undefined;
  /** What the caller gets in place of an error: where it would be wrapped in a function that catches, a call that succeeds pays for that, too. */
  readonly asThrown?: ((error: Error) => unknown) | undefined;
}

/** Of a call that says nothing: known by its identity, so that what it does not say need not be looked for. @internal */
export const NO_OPTIONS: RunOptions = {};
