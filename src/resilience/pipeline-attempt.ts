import { asError } from '../core/errors.js';
import { AttemptWatch, RELEASED } from './attempt-watch.js';
import type { AttemptOutcome, FailureClass, PipelineAttempt, RunOptions } from './pipeline-options.js';
import type { PipelinePolicies } from './pipeline-policies.js';
import { PolicyError } from './policy-error.js';

/** The call that an attempt belongs to, as its attempts see it. @internal */
export interface AttemptOwner<T> {
  readonly policies: PipelinePolicies;
  readonly options: RunOptions;
  readonly operation: string;
  readonly work: (attempt: PipelineAttempt) => Promise<T>;
  /** Whether it still times itself by the watch of `attempt`. */
  needsWatchOf(attempt: PipelineAttemptRecord<T>): boolean;
  /** The entry of `attempt` in the deadlines has come up. */
  expire(attempt: PipelineAttemptRecord<T>, now: number): void;
  succeed(attempt: PipelineAttemptRecord<T>, value: T, now: number): void;
  attemptFailed(attempt: PipelineAttemptRecord<T>, error: Error, meaning: FailureClass, now: number): void;
}

const TIMED_OUT: FailureClass = { retry: true, isVenueFault: true };

/**
 * One request of a call, and the record that its work gets. It has two ends: it is decided when it
 * answers, fails, times out or is given up, and it settles when the work is over, which is when its
 * place in the bulkhead becomes free. It is made per call, so its methods are `private` and not `#`
 * (a class with `#` methods brands every object it makes), and it extends nothing (the fields of a
 * derived class double the cost of making one).
 *
 * @internal
 */
export class PipelineAttemptRecord<T> implements PipelineAttempt {
  readonly number: number;
  readonly hedge: boolean;
  readonly call: AttemptOwner<T>;
  watch: AttemptWatch;
  isDecided = false;
  private controller: AbortController | undefined = undefined;
  private abortedBy: Error | undefined = undefined;
  private signedAt: number | undefined = undefined;

  constructor(call: AttemptOwner<T>, number: number, hedge: boolean) {
    this.call = call;
    this.number = number;
    this.hedge = hedge;
    this.watch = AttemptWatch.of(this);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortedBy !== undefined) this.controller.abort(this.abortedBy);
    }
    return this.controller.signal;
  }

  get venueNow(): number {
    return (this.signedAt ??= this.call.policies.venueNow());
  }

  execute(): void {
    const { watch } = this;
    let answer: Promise<T>;
    watch.isWorking = true;
    try {
      answer = this.call.work(this);
    } catch (error) {
      watch.isWorking = false;
      this.failed(error);
      return;
    }
    watch.observe(answer);
  }

  /** The work gave a value. */
  succeeded(value: T): void {
    if (!this.isDecided) this.decideWell(value);
    this.call.policies.bulkhead?.leave();
    this.releaseWatch();
  }

  /** The work threw. */
  failed(thrown: unknown): void {
    this.call.policies.bulkhead?.leave();
    if (!this.isDecided) this.decideBadly(asError(thrown));
    this.releaseWatch();
  }

  expire(now: number): void {
    this.call.expire(this, now);
  }

  /** Gives its watch back, unless the work or the call still needs it. */
  releaseWatch(): void {
    const { watch } = this;
    if (watch === RELEASED || watch.isWorking || this.call.needsWatchOf(this)) return;
    this.watch = RELEASED;
    watch.release();
  }

  timeOut(now: number): void {
    if (this.isDecided) return;
    const { call } = this;
    const error = new PolicyError('DEADLINE', `Given up: ${call.operation} had no answer within ${call.policies.timeoutMs} ms`);
    this.giveUp('timeout', error, now);
    call.attemptFailed(this, error, TIMED_OUT, now);
  }

  /** Nobody waits for it any more. */
  giveUp(outcome: AttemptOutcome, reason: Error, now: number): void {
    if (this.isDecided) return;
    this.isDecided = true;
    const { policies, operation } = this.call;
    policies.deadlines.remove(this.watch);
    // A caller in more of a hurry than the pipeline proves nothing.
    const isVenueFault = outcome === 'timeout' && now - this.watch.sentAt >= policies.patienceMs;
    if (isVenueFault) policies.breaker?.failure(now);
    else policies.breaker?.ignore();
    if (isVenueFault) this.observeLoad('lost', now);
    policies.report(outcome, now - this.watch.sentAt, this, operation, reason);
    this.abortedBy = reason;
    this.controller?.abort(reason);
  }

  private decideWell(value: T): void {
    this.isDecided = true;
    const { call } = this;
    const { policies } = call;
    policies.deadlines.remove(this.watch);
    // The clock costs as much as all the rest: the breaker's slices do with the time of the send.
    const { sentAt } = this.watch;
    policies.breaker?.success(sentAt);
    call.succeed(this, value, policies.isTimed ? this.measure() : sentAt);
  }

  /** Tells how long it took to whom that matters. @returns the time. */
  private measure(): number {
    const { policies, operation } = this.call;
    const now = policies.clock.monotonic();
    policies.hedge?.observe(now - this.watch.sentAt);
    this.observeLoad('ok', now);
    policies.report('ok', now - this.watch.sentAt, this, operation, undefined);
    return now;
  }

  private decideBadly(error: Error): void {
    this.isDecided = true;
    const { call } = this;
    const { policies } = call;
    const now = policies.clock.monotonic();
    policies.deadlines.remove(this.watch);
    const meaning = policies.classify(error);
    const isFault = meaning.isVenueFault ?? meaning.retry;
    // An answer that only speaks against the call proves that the venue is well.
    if (isFault) policies.breaker?.failure(now);
    else policies.breaker?.success(now);
    this.observeLoad(isFault ? 'lost' : 'ok', now);
    policies.report('failed', now - this.watch.sentAt, this, call.operation, error);
    call.attemptFailed(this, error, meaning, now);
  }

  private observeLoad(sign: 'ok' | 'lost', now: number): void {
    const bulkhead = this.call.policies.bulkhead;
    bulkhead?.adaptive?.observe(sign, now - this.watch.sentAt, bulkhead.inFlight);
  }
}
