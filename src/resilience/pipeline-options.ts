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
  /**
   * Says once, and at once where it has happened, that the attempt is given up. What `signal` says, for work that can't be aborted and
   * only stops waiting: a signal with one listener costs more than all policies of a call. One listener an attempt.
   */
  onGivenUp(listener: (reason: Error) => void): void;
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
  /** What a failure means; needed for retries. A timeout is always worth a retry. @defaultValue nothing is retried, and speaks against the venue */
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
  readonly operation?: string;
  readonly signal?: AbortSignal;
  /** @defaultValue the pipeline's */
  readonly deadlineMs?: number;
  /** @defaultValue `'read'` */
  readonly priority?: Priority;
  /** What each attempt costs of the venue's limits. @defaultValue nothing */
  readonly costs?: readonly Cost[];
  readonly symbol?: string;
  /** `false`: this call is never hedged. @defaultValue true, where the pipeline hedges */
  readonly hedge?: boolean;
}

/** Of a call that says nothing: known by its identity, so that what it does not say need not be looked for. @internal */
export const NO_OPTIONS: RunOptions = {};
