import { abortReason } from '../core/abort.js';
import { rejection } from './call-extras.js';
import { PipelineCall } from './pipeline-call.js';
import { NO_OPTIONS, type PipelineAttempt, type PipelineOptions, type RunOptions } from './pipeline-options.js';
import { PipelinePolicies } from './pipeline-policies.js';

/**
 * All policies of a read in one: deadline, retries with backoff and budget, breaker, bulkhead, rate
 * limiter and hedge. A call that succeeds at once passes them without an Error, an AbortController,
 * a timer or a closure being made for it; one record, of the call and its first attempt, carries
 * everything. With a single policy it is the way to use that policy alone.
 *
 * Only for what may be made twice: a retry and a hedge are second requests.
 *
 * @example
 * const pipeline = new Pipeline({ clock, deadlineMs: 5_000, retry: { max: 3 }, budget, breaker, limiter, classify });
 * const book = await pipeline.run((attempt) => fetchBook('BTC/USDT', attempt.signal), { costs });
 */
export class Pipeline {
  readonly #policies: PipelinePolicies;

  /** @throws RangeError or TypeError naming the option that can't be meant. */
  constructor(options: PipelineOptions) {
    this.#policies = new PipelinePolicies(options);
  }

  /**
   * Runs `work` until it succeeds, it is not worth another attempt, or the deadline has come.
   * @throws what the last attempt threw; {@link PolicyError} with DEADLINE, RATE_LIMITED, BANNED,
   * CIRCUIT_OPEN, BULKHEAD_FULL or RETRY_BUDGET (the venue's failure, if there was one, as its cause);
   * the reason of `options.signal`.
   */
  run<T>(work: (attempt: PipelineAttempt) => Promise<T>, options: RunOptions = NO_OPTIONS): Promise<T> {
    const policies = this.#policies;
    const { signal, deadlineMs = policies.deadlineMs } = options;
    if (signal?.aborted || !(deadlineMs > 0)) return refuse(options, deadlineMs);
    return new PipelineCall<T>(policies, work, options, undefined, 1, false).begin(deadlineMs);
  }
}

function refuse(options: RunOptions, deadlineMs: number): Promise<never> {
  const { signal } = options;
  return rejection(options, signal?.aborted ? abortReason(signal) : new RangeError(`deadlineMs must be above 0, got ${deadlineMs}`));
}
