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
import type { PipelineAttempt } from '../resilience/pipeline-options.js';
import { PolicyError } from '../resilience/policy-error.js';
import type { FullPolicy } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';

/** How {@link GuardedReads.read} reads. */
export interface GuardedReadOptions extends CallOptions {
  /** `false`: no second copy. @defaultValue as the policy says */
  readonly hedge?: boolean;
  /** Concurrent reads of one key share a request. */
  readonly key?: string;
  /** What each attempt costs, where that depends on more than the operation's name. @defaultValue as the adapter says */
  readonly costs?: readonly Cost[];
  /** The work gets the pipeline's own record of the attempt, which costs nothing, and whose members can't be spread. @defaultValue false */
  readonly isBare?: boolean;
}

/** One attempt at a read. */
export interface ReadAttempt extends Attempt, Pick<PipelineAttempt, 'onGivenUp'> {}

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

  /** @throws what the last attempt threw, or a TradingError that names the policy that ended it. */
  read<T>(operation: string, work: (attempt: ReadAttempt) => Promise<T>, options: GuardedReadOptions): Promise<T> {
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

  async #run<T>(operation: string, work: (attempt: ReadAttempt) => Promise<T>, options: GuardedReadOptions): Promise<T> {
    const { signal, deadlineMs, priority, hedge } = options;
    try {
      return await this.#pipeline.run(options.isBare === true ? work : (attempt) => work(ownMembers(attempt, this.#calls.fenceMs)), {
        operation,
        costs: options.costs ?? this.#calls.costs(operation),
        ...(signal === undefined ? undefined : { signal }),
        ...(deadlineMs === undefined ? undefined : { deadlineMs }),
        ...(priority === undefined ? undefined : { priority }),
        ...(hedge === undefined ? undefined : { hedge }),
      });
    } catch (error) {
      redactError(error);
      if (!(error instanceof PolicyError)) throw error;
      const { code, message, retryAfterMs } = error;
      throw new TradingError(code, message, {
        cause: error.cause ?? error,
        retryable: true,
        ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
      });
    }
  }
}

// Adapters may spread what they get.
function ownMembers(attempt: PipelineAttempt, fenceMs: number | undefined): ReadAttempt {
  const { number, signal, venueNow } = attempt;
  return { number, signal, venueNow, ...(fenceMs === undefined ? undefined : { fenceMs }), onGivenUp: (listener) => attempt.onGivenUp(listener) };
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
