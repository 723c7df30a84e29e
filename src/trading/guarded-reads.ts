import type { Attempt, Cost } from '../contracts/broker.js';
import type { CallOptions } from '../contracts/calls.js';
import type { Bus } from '../contracts/events.js';
import { TradingError } from '../contracts/trading-error.js';
import { abortable } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { isVenueKitError } from '../core/errors.js';
import { type Logger, redactError } from '../core/logger.js';
import type { Random } from '../core/random.js';
import { Hedge } from '../resilience/hedge.js';
import { Pipeline } from '../resilience/pipeline.js';
import type { PipelineAttempt, RunOptions } from '../resilience/pipeline-options.js';
import { PolicyError } from '../resilience/policy-error.js';
import type { FullPolicy } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';

/** How {@link GuardedReads.read} reads. */
export interface GuardedReadOptions extends CallOptions, Pick<RunOptions, 'isDetached' | 'retryTimeouts' | 'asThrown'> {
  /** `false`: no second copy. @defaultValue as the policy says */
  readonly hedge?: boolean | undefined;
  /** Concurrent reads of one key share a request. */
  readonly key?: string;
  /** What each attempt costs, where that depends on more than the operation's name. @defaultValue as the adapter says */
  readonly costs?: readonly Cost[];
  /** The work gets the pipeline's own record of the attempt, which costs nothing, and whose members can't be spread. @defaultValue false */
  readonly isBare?: boolean;
}

/** The bot's own reads, behind every policy: retried, hedged, within the limits, failing fast while the venue is down. */
export class GuardedReads {
  readonly #pipeline: Pipeline;
  readonly #calls: VenueCalls;
  readonly #shared = new Map<string, Promise<unknown>>();

  constructor(parts: {
    readonly venue: string;
    readonly calls: VenueCalls;
    readonly policy: FullPolicy;
    readonly clock: Clock;
    readonly random: Random;
    readonly bus: Bus;
    readonly logger: Logger;
  }) {
    const { venue, calls, policy, bus } = parts;
    this.#calls = calls;
    this.#pipeline = new Pipeline({
      clock: parts.clock,
      random: parts.random,
      logger: parts.logger,
      timeoutMs: policy.timeoutMs,
      deadlineMs: policy.deadlineMs,
      retry: policy.retry,
      classify: (error) => ({ retry: isWorthRetrying(error), ...retryAfterOf(error) }),
      budget: calls.budget,
      breaker: calls.reading,
      bulkhead: calls.reads,
      limiter: calls.limiter,
      ...(policy.hedge === false ? undefined : { hedge: new Hedge({ ...policy.hedge, budget: calls.budget }) }),
      venueNow: () => calls.clock.now(),
      onAttempt: (outcome, ms, attempt, hedge, operation) => {
        // A copy that lost its race is neither answered nor failed.
        if (outcome !== 'aborted' && bus.has('venue.call'))
          bus.emit('venue.call', { venue, operation, attempt, ms, outcome: outcome === 'ok' ? 'ok' : 'failed', hedge });
      },
      onBudgetExhausted: () => bus.has('budget.exhausted') && bus.emit('budget.exhausted', { scope: 'read' }),
    });
  }

  /** @throws what the last attempt threw, or a TradingError that names the policy that ended it; `asThrown` may change either. */
  read<T>(operation: string, work: (attempt: Attempt) => Promise<T>, options: GuardedReadOptions): Promise<T> {
    const { key } = options;
    if (key === undefined) return this.#run(operation, work, options);
    const existing = this.#shared.get(key) as Promise<T> | undefined;
    if (existing !== undefined) return abortable(existing, options.signal);
    // The signal of one caller must not end what others share.
    const { signal, ...rest } = options;
    const shared = this.#run(operation, work, rest).finally(() => this.#shared.delete(key));
    this.#shared.set(key, shared);
    return abortable(shared, signal);
  }

  #run<T>(operation: string, work: (attempt: Attempt) => Promise<T>, options: GuardedReadOptions): Promise<T> {
    const {
      signal,
      deadlineMs,
      priority,
      hedge,
      isBare,
      isDetached,
      retryTimeouts,
      costs = this.#calls.costs(operation),
      asThrown = readError,
    } = options;
    const { fenceMs } = this.#calls;
    return this.#pipeline.run(isBare === true ? work : (attempt) => work(ownMembers(attempt, fenceMs)), {
      operation,
      costs,
      signal,
      deadlineMs,
      priority,
      hedge,
      isDetached,
      retryTimeouts,
      asThrown,
    });
  }
}

/** What the caller of a read gets for an error: what a policy refused is a TradingError, everything else as it is, without secrets. */
export function readError(error: Error): Error {
  redactError(error);
  if (!(error instanceof PolicyError)) return error;
  const { code, message, retryAfterMs } = error;
  return new TradingError(code, message, {
    cause: error.cause ?? error,
    retryable: true,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  });
}

// Adapters may spread what they get.
function ownMembers({ number, signal, venueNow }: PipelineAttempt, fenceMs: number | undefined): Attempt {
  return { number, signal, venueNow, ...(fenceMs === undefined ? undefined : { fenceMs }) };
}

// A read can be made again whatever went wrong, unless the call itself is at fault.
function isWorthRetrying(error: Error): boolean {
  const declared = (error as { retryable?: unknown }).retryable;
  if (typeof declared === 'boolean') return declared;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return false;
  return !isVenueKitError(error, 'AUTH') && !isVenueKitError(error, 'INVALID') && !isVenueKitError(error, 'CLOSED');
}

function retryAfterOf(error: Error): { readonly retryAfterMs?: number } {
  const told = (error as { retryAfterMs?: unknown }).retryAfterMs;
  return typeof told === 'number' && told >= 0 ? { retryAfterMs: told } : {};
}
