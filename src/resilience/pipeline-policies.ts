import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requirePositive } from '../core/options.js';
import { type Backoff, fullJitter } from './backoff.js';
import type { Bulkhead } from './bulkhead.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import { Deadlines } from './deadlines.js';
import type { Hedge } from './hedge.js';
import type { AttemptOutcome, FailureClass, PipelineAttempt, PipelineOptions } from './pipeline-options.js';
import type { Limiter } from './rate-limiter.js';
import type { RetryBudget } from './retry-budget.js';

const KNOWN: readonly (keyof PipelineOptions)[] = [
  'clock',
  'random',
  'timeoutMs',
  'deadlineMs',
  'retry',
  'classify',
  'budget',
  'breaker',
  'bulkhead',
  'limiter',
  'hedge',
  'deadlines',
  'venueNow',
  'onAttempt',
  'onBudgetExhausted',
  'logger',
];
const IS_FAULT: FailureClass = { retry: false, isVenueFault: true };

/** The policies of one pipeline, checked and with their defaults: what its calls share. @internal */
export class PipelinePolicies {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly deadlines: Deadlines;
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly budget: RetryBudget | undefined;
  readonly breaker: CircuitBreaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly limiter: Limiter | undefined;
  readonly hedge: Hedge | undefined;
  /** Whether anything needs to know how long a successful attempt took. */
  readonly isTimed: boolean;
  readonly deadlineMs: number;
  /** What an attempt must have been given for its time-out to speak against the venue. */
  readonly patienceMs: number;
  readonly #classify: ((error: Error) => FailureClass) | undefined;
  readonly #venueNow: (() => number) | undefined;
  readonly #onAttempt: PipelineOptions['onAttempt'];
  readonly #onBudgetExhausted: PipelineOptions['onBudgetExhausted'];
  readonly #logger: Logger;

  /** @throws RangeError or TypeError naming the option that can't be meant. */
  constructor(options: PipelineOptions) {
    requireKnown('Pipeline', options, KNOWN);
    const { clock, random, timeoutMs = 10_000, deadlineMs = 30_000, retry, classify, venueNow, onAttempt, onBudgetExhausted } = options;
    this.clock = requireMethods('clock', clock, ['now', 'monotonic', 'sleep', 'schedule']);
    this.timeoutMs = requirePositive('timeoutMs', timeoutMs);
    this.deadlineMs = requirePositive('deadlineMs', deadlineMs);
    this.patienceMs = Math.min(timeoutMs, deadlineMs);
    requireKnown('Pipeline retry', retry ?? {}, ['max', 'baseMs', 'capMs']);
    this.maxRetries = requireInteger('retry.max', retry?.max ?? 0);
    if (this.maxRetries > 0 && classify === undefined) throw new TypeError('classify must be a function where retry is given, got undefined');
    this.backoff = fullJitter({
      ...(retry?.baseMs !== undefined && { baseMs: retry.baseMs }),
      ...(retry?.capMs !== undefined && { capMs: retry.capMs }),
      ...(random !== undefined && { random }),
    });
    this.#classify = classify === undefined ? undefined : requireFunction('classify', classify);
    this.budget = options.budget;
    this.breaker = options.breaker;
    this.bulkhead = options.bulkhead;
    this.limiter = options.limiter;
    this.hedge = options.hedge;
    this.deadlines = options.deadlines ?? new Deadlines({ clock });
    this.#venueNow = venueNow;
    this.#onAttempt = onAttempt === undefined ? undefined : requireFunction('onAttempt', onAttempt);
    this.#onBudgetExhausted = onBudgetExhausted === undefined ? undefined : requireFunction('onBudgetExhausted', onBudgetExhausted);
    this.#logger = redactingLogger(options.logger);
    this.isTimed = [onAttempt, this.hedge, this.bulkhead?.adaptive].some((reader) => reader !== undefined);
  }

  /** What a failure means. A classifier that throws must not hide the failure. */
  classify(error: Error): FailureClass {
    if (this.#classify === undefined) return IS_FAULT;
    try {
      return this.#classify(error);
    } catch (thrown) {
      this.#logger.error({ error: asError(thrown) }, 'classify of a pipeline threw');
      return IS_FAULT;
    }
  }

  /** */
  venueNow(): number {
    return this.#venueNow === undefined ? this.clock.now() : this.#venueNow();
  }

  /** */
  report(outcome: AttemptOutcome, ms: number, attempt: PipelineAttempt, operation: string, error: Error | undefined): void {
    if (this.#onAttempt === undefined) return;
    try {
      this.#onAttempt(outcome, ms, attempt.number, attempt.hedge, operation, error);
    } catch (thrown) {
      this.#logger.error({ error: asError(thrown) }, 'onAttempt of a pipeline threw');
    }
  }

  /** */
  reportExhausted(operation: string): void {
    try {
      this.#onBudgetExhausted?.(operation);
    } catch (thrown) {
      this.#logger.error({ error: asError(thrown) }, 'onBudgetExhausted of a pipeline threw');
    }
  }
}
