import { abortReason } from '../core/abort.js';
import { asError } from '../core/errors.js';
import type { Cost, Priority } from '../core/limits.js';
import { AttemptWatch, RELEASED } from './attempt-watch.js';
import { type Asked, type Detour, newAsked, newDetour, rejection } from './call-extras.js';
import type { Hedge } from './hedge.js';
import { type AttemptOutcome, type FailureClass, NO_OPTIONS, type PipelineAttempt, type RunOptions } from './pipeline-options.js';
import type { PipelinePolicies } from './pipeline-policies.js';
import { PolicyError } from './policy-error.js';
import type { Limiter } from './rate-limiter.js';

const TIMED_OUT: FailureClass = { retry: true, isVenueFault: true };
const TIMED_OUT_FOR_GOOD: FailureClass = { retry: false, isVenueFault: true };
const NO_COSTS: readonly Cost[] = [];
// One for all: only its being there counts, and a fresh Error costs its stack.
const HEDGE_LOST = new Error('the other copy of this read was answered first');

/**
 * One call on its way through a {@link Pipeline}, and its first attempt, mostly the only one, which is
 * what its work gets; each further attempt is a record of the same class that points to it. One record
 * for both is cheaper to make than two. It times itself by the watch of its first attempt: that
 * entry in the deadlines stands for what comes next, the moment to hedge, the first attempt's time-out,
 * or the deadline.
 *
 * An attempt has two ends: it is decided when it answers, fails, times out or is given up, and it
 * settles when the work is over, which is when its place in the bulkhead becomes free.
 *
 * Made per call, its methods are `private` and not `#` (a class with `#` methods brands every object it
 * makes), and it extends nothing (the fields of a derived class double the cost of making one).
 *
 * @internal
 */
export class PipelineCall<T> implements PipelineAttempt {
  // Of each attempt.
  readonly policies: PipelinePolicies;
  readonly work: (attempt: PipelineAttempt) => Promise<T>;
  readonly options: RunOptions;
  readonly number: number;
  readonly hedge: boolean;
  /** The first attempt. */
  private readonly call: PipelineCall<T>;
  private watch: AttemptWatch;
  private isDecided = false;
  private asked: Asked | undefined = undefined;
  // Of the call, on its first attempt.
  private resolve: ((outcome: T | Promise<never>) => void) | undefined = undefined;
  private isSettled = false;
  /** Whether its entry in the deadlines stands for the moment to hedge. */
  private isHedgeNext = false;
  private attempts = 0;
  /** The latest attempt, while it is undecided. */
  private primary: PipelineCall<T> | undefined = undefined;
  private detour: Detour<PipelineCall<T>> | undefined = undefined;

  /** @param first - the call that a further attempt belongs to. @param number - of the attempt, from 1. */
  constructor(
    policies: PipelinePolicies,
    work: (attempt: PipelineAttempt) => Promise<T>,
    options: RunOptions,
    first: PipelineCall<T> | undefined,
    number: number,
    hedge: boolean,
  ) {
    this.policies = policies;
    this.work = work;
    this.options = options;
    this.call = first ?? this;
    this.number = number;
    this.hedge = hedge;
    this.watch = AttemptWatch.of(this);
  }

  /** Starts it. @returns what its caller waits for. */
  begin(deadlineMs: number): Promise<T> {
    // Optimised, this function is part of its caller and never made.
    const { policies, options, watch } = this;
    // Without its second function, which is then never made: a failure resolves it with a promise that is rejected.
    const promise = new Promise<T>((resolve) => {
      this.resolve = resolve;
    });
    // Kept in the watch and not passed on: a number that is handed from function to function may be boxed.
    const now = policies.clock.monotonic();
    watch.sentAt = now;
    watch.deadlineAt = now + deadlineMs;
    if (options !== NO_OPTIONS) options.signal?.addEventListener('abort', this, { once: true });
    policies.budget?.earn();
    policies.hedge?.earn();
    if (this.takeTurn(now)) this.sendFirst(deadlineMs);
    else void this.waitForTurn(now);
    return promise;
  }

  /** For `addEventListener`: the caller has aborted. */
  handleEvent(): void {
    this.fail(abortReason(this.options.signal as AbortSignal));
  }

  /** What its entry stood for has come. */
  private comeUp(now: number): void {
    if (this.isSettled) return;
    if (now >= this.watch.deadlineAt) {
      this.fail(this.deadlineError());
      return;
    }
    if (this.primary === this && now >= this.watch.sentAt + this.policies.timeoutMs) {
      this.timeOut(now);
      return;
    }
    if (this.isHedgeNext) {
      this.isHedgeNext = false;
      if (this.primary === this && this.takeHedge(now)) this.launch(true, now);
    }
    this.watchNext(now);
  }

  // Exact to the millisecond, but of a duration that hardly any other call has: not for the usual path.
  private watchNext(now: number): void {
    if (this.isSettled) return;
    const timeOutAt = this.primary === this ? this.watch.sentAt + this.policies.timeoutMs : Infinity;
    const nextAt = Math.min(this.watch.deadlineAt, timeOutAt);
    this.isHedgeNext = false;
    this.policies.deadlines.remove(this.watch);
    if (nextAt > now) this.policies.deadlines.add(this.watch, nextAt - now, now);
    else this.comeUp(now);
  }

  /** Passes all gates at once, or takes nothing. */
  takeTurn(now: number): boolean {
    const { breaker, bulkhead, limiter } = this.policies;
    if (breaker !== undefined && !breaker.allow()) return false;
    if (bulkhead !== undefined && !bulkhead.tryEnter()) {
      breaker?.ignore();
      return false;
    }
    return limiter === undefined || this.takeUnits(limiter, now);
  }

  private takeUnits(limiter: Limiter, now: number): boolean {
    const { costs } = this.options;
    if (costs === undefined) return true;
    try {
      if (limiter.tryAcquire(costs, this, now)) return true;
    } catch (error) {
      // Costs that can't be meant.
      this.fail(asError(error));
    }
    this.policies.bulkhead?.leave();
    this.policies.breaker?.ignore();
    return false;
  }

  get priority(): Priority {
    return this.options.priority ?? 'read';
  }

  get symbol(): string | undefined {
    return this.options.symbol;
  }

  private sendFirst(leftMs: number): void {
    const { policies, watch } = this;
    this.attempts = 1;
    this.primary = this;
    const endMs = Math.min(policies.timeoutMs, leftMs);
    const nextMs = policies.hedge === undefined ? endMs : this.untilHedge(policies.hedge, endMs);
    policies.deadlines.add(watch, nextMs, watch.sentAt);
    this.execute();
  }

  private untilHedge(hedge: Hedge, endMs: number): number {
    const { delayMs } = hedge;
    if (delayMs === undefined || delayMs >= endMs || this.options.hedge === false) return endMs;
    this.isHedgeNext = true;
    return delayMs;
  }

  private launch(hedge: boolean, now: number): void {
    if (!hedge) this.attempts++;
    const attempt = new PipelineCall<T>(this.policies, this.work, this.options, this, this.attempts, hedge);
    attempt.watch.sentAt = now;
    if (hedge) this.onDetour().hedge = attempt;
    else this.primary = attempt;
    this.policies.deadlines.add(attempt.watch, this.policies.timeoutMs, now);
    attempt.execute();
  }

  /** Sends the next attempt; the gates have been passed. */
  send(now: number): void {
    if (this.attempts > 0) {
      this.launch(false, now);
      return;
    }
    this.policies.deadlines.remove(this.watch);
    this.watch.sentAt = now;
    this.sendFirst(this.watch.deadlineAt - now);
  }

  /** Waits for the gates one after the other, a place first: units must not age while their call still queues. */
  async waitForTurn(now: number): Promise<void> {
    const { breaker, bulkhead, limiter, clock } = this.policies;
    this.watchNext(now);
    if (this.isSettled) return;
    const signal = (this.onDetour().waiting ??= new AbortController()).signal;
    const { costs = NO_COSTS } = this.options;
    let hasPlace = false;
    let holdsUnits = false;
    let sentAt = now;
    try {
      this.requireClosed();
      if (bulkhead !== undefined) {
        await bulkhead.enter({ priority: this.priority, signal });
        hasPlace = true;
      }
      while (limiter !== undefined && costs.length > 0 && !holdsUnits) {
        await limiter.acquire(costs, {
          priority: this.priority,
          signal,
          deadlineAt: this.watch.deadlineAt,
          failFast: true,
          hold: true,
          ...(this.symbol !== undefined && { symbol: this.symbol }),
        });
        // An answer that came in the same turn may have blocked what was granted before it.
        if (limiter.blockedUntil(costs) === undefined) holdsUnits = true;
        else limiter.release(costs, this.symbolOptions());
      }
      // Aborted in the same turn in which the last wait ended.
      if (signal.aborted) throw abortReason(signal);
      // Granted with the last tick of its time: too late to be answered.
      sentAt = clock.monotonic();
      if (sentAt >= this.watch.deadlineAt) throw this.deadlineError();
      if (breaker !== undefined && !breaker.allow()) throw breaker.error(this.operation);
    } catch (error) {
      if (holdsUnits) limiter?.release(costs, this.symbolOptions());
      if (hasPlace) bulkhead?.leave();
      this.fail(asError(error));
      return;
    }
    if (holdsUnits) limiter?.sent(costs, this.symbolOptions());
    this.send(sentAt);
  }

  get operation(): string {
    return this.options.operation ?? 'read';
  }

  succeed(attempt: PipelineCall<T>, value: T, now: number): void {
    this.settle();
    this.resolve?.(value);
    const loser = attempt === this.primary ? this.detour?.hedge : this.primary;
    if (loser !== undefined) this.giveUpLoser(loser, now);
    if (attempt !== this) this.releaseWatch();
  }

  private giveUpLoser(loser: PipelineCall<T>, now: number): void {
    // At least so long: left out, the quantile would sink with every hedge that wins.
    if (loser === this.primary) this.policies.hedge?.observe(now - loser.watch.sentAt);
    loser.giveUp('aborted', HEDGE_LOST, now);
  }

  /** The attempt has ended without a result. @param meaning - what that says of the next one. */
  attemptFailed(attempt: PipelineCall<T>, error: Error, meaning: FailureClass, now: number): void {
    if (attempt === this.primary) this.primary = undefined;
    const detour = this.onDetour();
    if (attempt === detour.hedge) detour.hedge = undefined;
    if (this.isSettled) return;
    detour.lastError = error;
    if (this.primary !== undefined || detour.hedge !== undefined) {
      // The other copy may still answer.
      this.watchNext(now);
      return;
    }
    const { policies } = this;
    if (now >= this.watch.deadlineAt) {
      this.fail(this.deadlineError());
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
    if (now + delayMs >= this.watch.deadlineAt) {
      this.fail(this.tooLate(error, delayMs));
      return;
    }
    this.watchNext(now);
    void this.retryAfter(delayMs);
  }

  /** Ends the call with `error`, and whatever of it is still under way. */
  fail(error: Error): void {
    if (this.isSettled) return;
    this.settle();
    this.resolve?.(rejection(this.options, error));
    this.detour?.waiting?.abort(error);
    const { primary } = this;
    const hedge = this.detour?.hedge;
    if (primary !== undefined || hedge !== undefined) {
      const now = this.policies.clock.monotonic();
      const outcome = error instanceof PolicyError && error.code === 'DEADLINE' ? 'timeout' : 'aborted';
      primary?.giveUp(outcome, error, now);
      hedge?.giveUp(outcome, error, now);
    }
    this.releaseWatch();
  }

  // A hedge waits for nothing: where there is no room at once, the venue has enough to do.
  private takeHedge(now: number): boolean {
    const { breaker, hedge } = this.policies;
    if (breaker !== undefined && breaker.state !== 'closed') return false;
    if (hedge === undefined || !hedge.trySpend()) return false;
    if (this.takeTurn(now)) return true;
    hedge.refund();
    return false;
  }

  private async retryAfter(delayMs: number): Promise<void> {
    const { clock } = this.policies;
    try {
      await clock.sleep(delayMs, (this.onDetour().waiting ??= new AbortController()).signal);
      if (this.isSettled) return;
      const now = clock.monotonic();
      if (now >= this.watch.deadlineAt) throw this.deadlineError();
      if (this.takeTurn(now)) this.send(now);
      else await this.waitForTurn(now);
    } catch (error) {
      this.fail(asError(error));
    }
  }

  private requireClosed(): void {
    const { breaker } = this.policies;
    if (breaker !== undefined && breaker.state !== 'closed' && breaker.retryAfterMs > 0) throw breaker.error(this.operation);
  }

  private settle(): void {
    this.isSettled = true;
    if (this.watch.list !== undefined) this.policies.deadlines.remove(this.watch);
    if (this.options !== NO_OPTIONS) this.options.signal?.removeEventListener('abort', this);
  }

  private symbolOptions(): { readonly symbol?: string } {
    return this.symbol === undefined ? {} : { symbol: this.symbol };
  }

  private deadlineError(): PolicyError {
    const ms = this.options.deadlineMs ?? this.policies.deadlineMs;
    const message = `Given up: ${this.operation} ${this.attempts === 0 ? 'could not be sent' : 'had no answer'} within ${ms} ms`;
    const cause = this.detour?.lastError;
    return new PolicyError('DEADLINE', message, cause === undefined ? {} : { cause });
  }

  private tooLate(error: Error, delayMs: number): PolicyError {
    const message = `Given up: the next attempt at ${this.operation} would come after its deadline; it had failed: ${error.message}`;
    return new PolicyError('DEADLINE', message, { cause: error, retryAfterMs: delayMs });
  }

  get signal(): AbortSignal {
    const asked = this.wasAsked();
    if (asked.controller === undefined) {
      asked.controller = new AbortController();
      if (asked.abortedBy !== undefined) asked.controller.abort(asked.abortedBy);
    }
    return asked.controller.signal;
  }

  get venueNow(): number {
    return (this.wasAsked().signedAt ??= this.policies.venueNow());
  }

  // Made when there is something to keep: of most calls there is nothing.
  private wasAsked(): Asked {
    return (this.asked ??= newAsked());
  }

  private onDetour(): Detour<PipelineCall<T>> {
    return (this.detour ??= newDetour());
  }

  execute(): void {
    const { watch } = this;
    let answer: Promise<T>;
    watch.isWorking = true;
    try {
      answer = this.work(this);
    } catch (error) {
      watch.isWorking = false;
      this.failed(error);
      return;
    }
    watch.observe(answer);
  }

  /** The work gave a value. */
  succeeded(value: T): void {
    const wasGivenUp = this.isDecided;
    if (!wasGivenUp) this.decideWell(value);
    this.leave(wasGivenUp);
    this.releaseWatch();
  }

  /** The work threw. */
  failed(thrown: unknown): void {
    const wasGivenUp = this.isDecided;
    this.leave(wasGivenUp);
    if (!wasGivenUp) this.decideBadly(asError(thrown));
    this.releaseWatch();
  }

  private leave(wasGivenUp: boolean): void {
    if (!wasGivenUp || this.options.isDetached !== true) this.policies.bulkhead?.leave();
  }

  expire(now: number): void {
    if (this.call === this) this.comeUp(now);
    else this.timeOut(now);
  }

  /** Gives its watch back, unless the work or the call still needs it. */
  releaseWatch(): void {
    const { watch } = this;
    if (watch === RELEASED || watch.isWorking || (this.call === this && !this.isSettled)) return;
    this.watch = RELEASED;
    watch.release();
  }

  timeOut(now: number): void {
    if (this.isDecided) return;
    const error = new PolicyError('DEADLINE', `Given up: ${this.operation} had no answer within ${this.policies.timeoutMs} ms`);
    this.giveUp('timeout', error, now);
    this.call.attemptFailed(this, error, this.options.retryTimeouts === false ? TIMED_OUT_FOR_GOOD : TIMED_OUT, now);
  }

  /** Nobody waits for it any more. */
  giveUp(outcome: AttemptOutcome, reason: Error, now: number): void {
    if (this.isDecided) return;
    this.isDecided = true;
    const { policies, operation } = this;
    policies.deadlines.remove(this.watch);
    // A caller in more of a hurry than the pipeline proves nothing.
    const isVenueFault = outcome === 'timeout' && now - this.watch.sentAt >= policies.patienceMs;
    if (isVenueFault) policies.breaker?.failure(now);
    else policies.breaker?.ignore();
    if (isVenueFault) this.observeLoad('lost', now);
    policies.report(outcome, now - this.watch.sentAt, this, operation, reason);
    const asked = this.wasAsked();
    asked.abortedBy = reason;
    asked.controller?.abort(reason);
    if (this.options.isDetached === true) policies.bulkhead?.leave();
  }

  private decideWell(value: T): void {
    this.isDecided = true;
    const { policies } = this;
    policies.deadlines.remove(this.watch);
    // The clock costs as much as all the rest: the breaker's slices do with the time of the send.
    const { sentAt } = this.watch;
    policies.breaker?.success(sentAt);
    this.call.succeed(this, value, policies.isTimed ? this.measure() : sentAt);
  }

  /** Tells how long it took to whom that matters. @returns the time. */
  private measure(): number {
    const { policies, operation } = this;
    const now = policies.clock.monotonic();
    policies.hedge?.observe(now - this.watch.sentAt);
    this.observeLoad('ok', now);
    policies.report('ok', now - this.watch.sentAt, this, operation, undefined);
    return now;
  }

  private decideBadly(error: Error): void {
    this.isDecided = true;
    const { policies } = this;
    const now = policies.clock.monotonic();
    policies.deadlines.remove(this.watch);
    const meaning = policies.classify(error);
    const isFault = meaning.isVenueFault ?? meaning.retry;
    // An answer that only speaks against the call proves that the venue is well.
    if (isFault) policies.breaker?.failure(now);
    else policies.breaker?.success(now);
    this.observeLoad(isFault ? 'lost' : 'ok', now);
    policies.report('failed', now - this.watch.sentAt, this, this.operation, error);
    this.call.attemptFailed(this, error, meaning, now);
  }

  private observeLoad(sign: 'ok' | 'lost', now: number): void {
    const bulkhead = this.policies.bulkhead;
    bulkhead?.adaptive?.observe(sign, now - this.watch.sentAt, bulkhead.inFlight);
  }
}
