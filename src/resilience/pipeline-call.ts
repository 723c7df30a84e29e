import { abortReason } from '../core/abort.js';
import { asError } from '../core/errors.js';
import type { Cost, Priority } from '../core/limits.js';
import { Timed } from './deadlines.js';
import { type AttemptOwner, PipelineAttemptRecord } from './pipeline-attempt.js';
import type { FailureClass, PipelineAttempt, RunOptions } from './pipeline-options.js';
import type { PipelinePolicies } from './pipeline-policies.js';
import { PolicyError } from './policy-error.js';

// The executor of a Promise runs at once, so one function can hand out the pair of every promise.
let resolveLatest: (value: never) => void;
let rejectLatest: (error: Error) => void;
const capture = (resolve: (value: never) => void, reject: (error: Error) => void): void => {
  resolveLatest = resolve;
  rejectLatest = reject;
};

// One for all: only its being there counts, and a fresh Error costs its stack.
const HEDGE_LOST = new Error('the other copy of this read was answered first');

/**
 * One call on its way through a {@link Pipeline}: the state that its attempts share. As an entry of
 * the deadlines it stands first for the moment to hedge, then for the deadline; while its first
 * attempt is alone in flight, that attempt's own time-out does for both.
 *
 * @internal
 */
export class PipelineCall<T> extends Timed implements AttemptOwner<T> {
  readonly promise: Promise<T>;
  readonly policies: PipelinePolicies;
  readonly work: (attempt: PipelineAttempt) => Promise<T>;
  readonly options: RunOptions;
  readonly costs: readonly Cost[];
  readonly priority: Priority;
  readonly startedAt: number;
  readonly deadlineAt: number;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
  isSettled = false;
  /** Whether the deadline is kept by this entry, rather than by the first attempt's. */
  isDeadlineKept = false;
  attempts = 0;
  primary: PipelineAttemptRecord<T> | undefined = undefined;
  second: PipelineAttemptRecord<T> | undefined = undefined;
  /** Ends waits for a turn or a backoff; made only when there is one. */
  waiting: AbortController | undefined = undefined;
  lastError: Error | undefined = undefined;

  constructor(
    policies: PipelinePolicies,
    work: (attempt: PipelineAttempt) => Promise<T>,
    options: RunOptions,
    costs: readonly Cost[],
    priority: Priority,
    deadlineMs: number,
    now: number,
  ) {
    super();
    this.promise = new Promise<T>(capture as never);
    this.resolve = resolveLatest as (value: T) => void;
    this.reject = rejectLatest;
    this.policies = policies;
    this.work = work;
    this.options = options;
    this.costs = costs;
    this.priority = priority;
    this.startedAt = now;
    this.deadlineAt = now + deadlineMs;
  }

  start(): void {
    const { policies, startedAt } = this;
    policies.budget?.earn();
    policies.hedge?.earn();
    try {
      if (this.takeTurn(startedAt)) this.send(startedAt);
      else void this.waitForTurn();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  /** For `addEventListener`: the caller has aborted. */
  handleEvent(): void {
    this.fail(abortReason(this.options.signal as AbortSignal));
  }

  /** Time to hedge, or the deadline. */
  expire(now: number): void {
    if (this.isSettled) return;
    if (now >= this.deadlineAt) {
      this.fail(this.#deadlineError());
      return;
    }
    this.keepDeadline(now);
    if (this.second === undefined && this.primary !== undefined && this.#takeHedge(now)) this.#launch(true, now);
  }

  keepDeadline(now: number): void {
    if (this.isDeadlineKept || this.isSettled) return;
    this.isDeadlineKept = true;
    this.policies.deadlines.remove(this);
    if (now < this.deadlineAt) this.policies.deadlines.add(this, this.deadlineAt - now, now);
    else this.fail(this.#deadlineError());
  }

  /** Passes all gates at once, or takes nothing. */
  takeTurn(now: number): boolean {
    const { breaker, bulkhead, limiter } = this.policies;
    if (breaker !== undefined && !breaker.allow()) return false;
    if (bulkhead !== undefined && !bulkhead.tryEnter()) {
      breaker?.ignore();
      return false;
    }
    if (limiter === undefined || this.costs.length === 0) return true;
    try {
      if (limiter.tryAcquire(this.costs, this, now)) return true;
    } catch (error) {
      bulkhead?.leave();
      breaker?.ignore();
      throw error;
    }
    bulkhead?.leave();
    breaker?.ignore();
    return false;
  }

  get symbol(): string | undefined {
    return this.options.symbol;
  }

  /** Sends the next attempt; the gates have been passed. */
  send(now: number): void {
    const attempt = this.#launch(false, now);
    if (this.isSettled || this.primary !== attempt || this.attempts > 1) return;
    const delayMs = this.options.hedge === false ? undefined : this.policies.hedge?.delayMs;
    if (delayMs !== undefined && now + delayMs < this.deadlineAt && !this.isDeadlineKept) this.policies.deadlines.add(this, delayMs, now);
  }

  /** Waits for the gates one after the other, a place first: units must not age while their call still queues. */
  async waitForTurn(): Promise<void> {
    const { breaker, bulkhead, limiter, clock } = this.policies;
    this.keepDeadline(clock.monotonic());
    if (this.isSettled) return;
    const signal = (this.waiting ??= new AbortController()).signal;
    let hasPlace = false;
    let holdsUnits = false;
    try {
      this.#requireClosed();
      if (bulkhead !== undefined) {
        await bulkhead.enter({ priority: this.priority, signal });
        hasPlace = true;
      }
      if (limiter !== undefined && this.costs.length > 0) {
        await limiter.acquire(this.costs, {
          priority: this.priority,
          signal,
          deadlineAt: this.deadlineAt,
          failFast: true,
          hold: true,
          ...(this.symbol !== undefined && { symbol: this.symbol }),
        });
        holdsUnits = true;
      }
      // Aborted in the same turn in which the last wait ended.
      if (signal.aborted) throw abortReason(signal);
      if (breaker !== undefined && !breaker.allow()) throw breaker.error(this.operation);
    } catch (error) {
      if (holdsUnits) limiter?.release(this.costs, this.#symbolOptions());
      if (hasPlace) bulkhead?.leave();
      this.fail(asError(error));
      return;
    }
    if (holdsUnits) limiter?.sent(this.costs, this.#symbolOptions());
    this.send(clock.monotonic());
  }

  get operation(): string {
    return this.options.operation ?? 'read';
  }

  succeed(attempt: PipelineAttemptRecord<T>, value: T, now: number): void {
    this.#settle();
    this.resolve(value);
    const loser = attempt === this.primary ? this.second : this.primary;
    if (loser === undefined) return;
    // At least so long: left out, the quantile would sink with every hedge that wins.
    if (loser === this.primary) this.policies.hedge?.observe(now - loser.sentAt);
    loser.giveUp('aborted', HEDGE_LOST, now);
  }

  /** The attempt has ended without a result. @param meaning - what that says of the next one. */
  attemptFailed(attempt: PipelineAttemptRecord<T>, error: Error, meaning: FailureClass, now: number): void {
    if (attempt === this.primary) this.primary = undefined;
    else this.second = undefined;
    if (this.isSettled) return;
    this.lastError = error;
    // The other copy may still answer.
    if (this.primary !== undefined || this.second !== undefined) return;
    const { policies } = this;
    if (now >= this.deadlineAt) {
      this.fail(this.#deadlineError());
      return;
    }
    if (!meaning.retry || this.attempts > policies.maxRetries) {
      this.fail(error);
      return;
    }
    if (policies.budget !== undefined && !policies.budget.trySpend()) {
      policies.reportExhausted(this.operation);
      const message = `Not sent again: the retry budget is spent; ${this.operation} had failed: ${error.message}`;
      this.fail(new PolicyError('RETRY_BUDGET', message, { cause: error }));
      return;
    }
    const delayMs = policies.backoff(this.attempts, meaning.retryAfterMs);
    if (now + delayMs >= this.deadlineAt) {
      this.fail(this.#tooLate(error, delayMs));
      return;
    }
    this.keepDeadline(now);
    void this.#retryAfter(delayMs);
  }

  /** Ends the call with `error`, and whatever of it is still under way. */
  fail(error: Error): void {
    if (this.isSettled) return;
    this.#settle();
    this.reject(error);
    this.waiting?.abort(error);
    const { primary, second } = this;
    if (primary === undefined && second === undefined) return;
    const now = this.policies.clock.monotonic();
    const outcome = error instanceof PolicyError && error.code === 'DEADLINE' ? 'timeout' : 'aborted';
    primary?.giveUp(outcome, error, now);
    second?.giveUp(outcome, error, now);
  }

  #launch(hedge: boolean, now: number): PipelineAttemptRecord<T> {
    if (!hedge) this.attempts++;
    const attempt = new PipelineAttemptRecord<T>(this, this.attempts, hedge, now);
    if (hedge) this.second = attempt;
    else this.primary = attempt;
    // Until something goes another way than the usual one, one entry keeps both time-out and deadline.
    const leftMs = this.deadlineAt - now;
    const { timeoutMs, deadlines } = this.policies;
    deadlines.add(attempt, this.isDeadlineKept || timeoutMs < leftMs ? timeoutMs : leftMs, now);
    void attempt.execute();
    return attempt;
  }

  // A hedge waits for nothing: where there is no room at once, the venue has enough to do.
  #takeHedge(now: number): boolean {
    const { breaker, hedge } = this.policies;
    if (breaker !== undefined && breaker.state !== 'closed') return false;
    if (!this.takeTurn(now)) return false;
    if (hedge?.trySpend()) return true;
    this.policies.bulkhead?.leave();
    breaker?.ignore();
    return false;
  }

  async #retryAfter(delayMs: number): Promise<void> {
    const { clock } = this.policies;
    try {
      await clock.sleep(delayMs, (this.waiting ??= new AbortController()).signal);
      if (this.isSettled) return;
      const now = clock.monotonic();
      if (this.takeTurn(now)) this.send(now);
      else await this.waitForTurn();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  #requireClosed(): void {
    const { breaker } = this.policies;
    if (breaker !== undefined && breaker.state !== 'closed' && breaker.retryAfterMs > 0) throw breaker.error(this.operation);
  }

  #settle(): void {
    this.isSettled = true;
    this.policies.deadlines.remove(this);
    this.options.signal?.removeEventListener('abort', this);
  }

  #symbolOptions(): { readonly symbol?: string } {
    return this.symbol === undefined ? {} : { symbol: this.symbol };
  }

  #deadlineError(): PolicyError {
    const ms = this.deadlineAt - this.startedAt;
    const message = `Given up: ${this.operation} ${this.attempts === 0 ? 'could not be sent' : 'had no answer'} within ${ms} ms`;
    return new PolicyError('DEADLINE', message, this.lastError === undefined ? {} : { cause: this.lastError });
  }

  #tooLate(error: Error, delayMs: number): PolicyError {
    const message = `Given up: the next attempt at ${this.operation} would come after its deadline; it had failed: ${error.message}`;
    return new PolicyError('DEADLINE', message, { cause: error, retryAfterMs: delayMs });
  }
}
