import { asError } from '../core/errors.js';
import { Timed } from './deadlines.js';
import type { AttemptOutcome, FailureClass, PipelineAttempt, RunOptions } from './pipeline-options.js';
import type { PipelinePolicies } from './pipeline-policies.js';
import { PolicyError } from './policy-error.js';

/** The call that an attempt belongs to, as its attempts see it. @internal */
export interface AttemptOwner<T> {
  readonly policies: PipelinePolicies;
  readonly options: RunOptions;
  readonly operation: string;
  /** Monotonic ms. */
  readonly deadlineAt: number;
  readonly work: (attempt: PipelineAttempt) => Promise<T>;
  expire(now: number): void;
  succeed(attempt: PipelineAttemptRecord<T>, value: T, now: number): void;
  attemptFailed(attempt: PipelineAttemptRecord<T>, error: Error, meaning: FailureClass, now: number): void;
}

const TIMED_OUT: FailureClass = { retry: true, isVenueFault: true };

/**
 * One request of a call, and the record that its work gets. It has two ends: it is
 * decided when it answers, fails, times out or is given up, and it settles when the work is over,
 * which is when its place in the bulkhead becomes free.
 *
 * @internal
 */
export class PipelineAttemptRecord<T> extends Timed implements PipelineAttempt {
  readonly number: number;
  readonly hedge: boolean;
  readonly call: AttemptOwner<T>;
  readonly sentAt: number;
  isDecided = false;
  controller: AbortController | undefined = undefined;
  abortedBy: Error | undefined = undefined;
  signedAt: number | undefined = undefined;

  constructor(call: AttemptOwner<T>, number: number, hedge: boolean, now: number) {
    super();
    this.call = call;
    this.number = number;
    this.hedge = hedge;
    this.sentAt = now;
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

  async execute(): Promise<void> {
    const { call } = this;
    const { policies } = call;
    let value: T;
    try {
      value = await call.work(this);
    } catch (error) {
      policies.bulkhead?.leave();
      if (!this.isDecided) this.#failed(asError(error));
      return;
    }
    if (!this.isDecided) this.#succeeded(value);
    policies.bulkhead?.leave();
  }

  expire(now: number): void {
    if (this.isDecided) return;
    const { call } = this;
    if (now >= call.deadlineAt) {
      call.expire(now);
      return;
    }
    const error = new PolicyError('DEADLINE', `Given up: ${call.operation} had no answer within ${call.policies.timeoutMs} ms`);
    this.giveUp('timeout', error, now);
    call.attemptFailed(this, error, TIMED_OUT, now);
  }

  /** Nobody waits for it any more. */
  giveUp(outcome: AttemptOutcome, reason: Error, now: number): void {
    if (this.isDecided) return;
    this.isDecided = true;
    const { policies, operation } = this.call;
    policies.deadlines.remove(this);
    // A caller in more of a hurry than the pipeline proves nothing.
    const isVenueFault = outcome === 'timeout' && now - this.sentAt >= policies.patienceMs;
    if (isVenueFault) policies.breaker?.failure(now);
    else policies.breaker?.ignore();
    if (isVenueFault) this.#observeLoad('lost', now);
    policies.report(outcome, now - this.sentAt, this, operation, reason);
    this.abortedBy = reason;
    this.controller?.abort(reason);
  }

  #succeeded(value: T): void {
    this.isDecided = true;
    const { call } = this;
    const { policies } = call;
    policies.deadlines.remove(this);
    let now = this.sentAt;
    if (policies.isTimed) {
      now = policies.clock.monotonic();
      policies.breaker?.success(now);
      policies.hedge?.observe(now - this.sentAt);
      this.#observeLoad('ok', now);
      policies.report('ok', now - this.sentAt, this, call.operation, undefined);
    }
    call.succeed(this, value, now);
  }

  #failed(error: Error): void {
    this.isDecided = true;
    const { call } = this;
    const { policies } = call;
    const now = policies.clock.monotonic();
    policies.deadlines.remove(this);
    const meaning = policies.classify(error);
    const isFault = meaning.isVenueFault ?? meaning.retry;
    // An answer that only speaks against the call proves that the venue is well.
    if (isFault) policies.breaker?.failure(now);
    else policies.breaker?.success(now);
    this.#observeLoad(isFault ? 'lost' : 'ok', now);
    policies.report('failed', now - this.sentAt, this, call.operation, error);
    call.attemptFailed(this, error, meaning, now);
  }

  #observeLoad(sign: 'ok' | 'lost', now: number): void {
    const bulkhead = this.call.policies.bulkhead;
    bulkhead?.adaptive?.observe(sign, now - this.sentAt, bulkhead.inFlight);
  }
}
