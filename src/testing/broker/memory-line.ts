import { abortable, abortReason } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import type { Cost, LimitObservation } from '../../core/limits.js';
import { type Fault, type Plan, SILENCE_MS, UNDISTURBED, type VenueOperation } from '../faults.js';
import { type Answer, refuse } from '../venue/answers.js';
import type { Stamp, VenueCore } from '../venue/venue-core.js';
import type { Delivery } from './delivery.js';

/** One call as it goes over the line. */
export interface Call<T> {
  readonly operation: VenueOperation;
  readonly costs: readonly Cost[];
  readonly symbol: string | undefined;
  readonly signal: AbortSignal;
  readonly stamp: Stamp | undefined;
  /** What the venue does with it; `plan` tells a lookup how stale to be. */
  readonly work: (plan: Plan) => Answer<T>;
  /** Takes back what was accepted, for accept-then-reject. */
  readonly takeBack?: (afterMs: number) => void;
}

/**
 * The network between a broker and its venue, in memory: latency and faults on both sides of what
 * the venue does. Once sent, a request arrives, however soon its caller gives up.
 */
export class MemoryLine {
  readonly #core: VenueCore;
  readonly #account: string;
  readonly #observers = new Set<(seen: LimitObservation) => void>();

  constructor(core: VenueCore, account: string) {
    this.#core = core;
    this.#account = account;
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    this.#observers.add(listener);
    return { [Symbol.dispose]: () => void this.#observers.delete(listener) };
  }

  /** @throws the signal's reason when it aborts first. */
  send<T>(call: Call<T>): Promise<Delivery<T>> {
    if (call.signal.aborted) return Promise.reject(abortReason(call.signal));
    const core = this.#core;
    const plan = core.plan(call.operation);
    const refusal = core.admit(plan, call.costs, this.#account, call.symbol);
    if (plan === UNDISTURBED && core.latency === undefined) {
      const answer = refusal ?? this.#arrive(call, plan);
      this.#tell(call, answer.ok ? undefined : answer.retryAfterMs);
      return Promise.resolve({ kind: 'answer', answer });
    }
    return abortable(this.#travel(call, plan, refusal), call.signal);
  }

  async #travel<T>(call: Call<T>, plan: Plan, refusal: Answer<T> | undefined): Promise<Delivery<T>> {
    const { clock, latency } = this.#core;
    const legMs = (latency?.draw() ?? 0) / 2;
    if (legMs + plan.delayBeforeMs > 0) await clock.sleep(legMs + plan.delayBeforeMs);
    const delivery = await this.#atTheVenue(call, plan, refusal);
    if (legMs + plan.delayAfterMs > 0) await clock.sleep(legMs + plan.delayAfterMs);
    this.#tell(call, retryAfterOf(delivery));
    return delivery;
  }

  async #atTheVenue<T>(call: Call<T>, plan: Plan, refusal: Answer<T> | undefined): Promise<Delivery<T>> {
    if (plan.before !== undefined) return this.#strike(plan.before, call.signal);
    if (refusal !== undefined) return { kind: 'answer', answer: refusal };
    if (plan.reject?.when === 'before') return { kind: 'answer', answer: refuse('rejected', 'The venue rejected it.') };
    let answer = this.#arrive(call, plan);
    if (plan.duplicate !== undefined) answer = await this.#deliverAgain(call, plan, plan.duplicate, answer);
    if (plan.reject !== undefined && answer.ok) call.takeBack?.(plan.reject.ms ?? 0);
    return plan.after === undefined ? { kind: 'answer', answer } : this.#strike(plan.after, call.signal);
  }

  #arrive<T>(call: Call<T>, plan: Plan): Answer<T> {
    return this.#core.act(plan, () => this.#core.checkStamp(call.stamp) ?? call.work(plan));
  }

  async #deliverAgain<T>(call: Call<T>, plan: Plan, fault: Fault, first: Answer<T>): Promise<Answer<T>> {
    const { agenda, clock } = this.#core;
    const afterMs = fault.ms ?? 0;
    if (fault.when === 'after') {
      if (afterMs > 0) await clock.sleep(afterMs);
      return this.#arrive(call, plan);
    }
    if (afterMs === 0) this.#arrive(call, plan);
    else agenda.plan(agenda.now + afterMs, () => this.#arrive(call, plan));
    return first;
  }

  async #strike(fault: Fault, signal: AbortSignal): Promise<Delivery<never>> {
    switch (fault.kind) {
      case 'drop':
        await this.#core.clock.sleep(fault.ms ?? SILENCE_MS, signal);
        return broken('ETIMEDOUT', 'No answer came; the connection has failed.');
      case 'reset':
        return broken('ECONNRESET', 'The connection was reset.');
      case 'half_body':
        return broken('CUT_BODY', 'The answer ended in the middle.');
      case 'html':
        return { kind: 'http', status: fault.status ?? 503, code: undefined, retryAfterMs: undefined };
      default:
        return { kind: 'http', status: fault.status ?? 503, code: fault.code, retryAfterMs: fault.ms };
    }
  }

  // As an SDK reads the headers of every answer.
  #tell(call: Call<unknown>, retryAfterMs: number | undefined): void {
    if (this.#observers.size === 0 || call.costs.length === 0) return;
    const { clock, meter } = this.#core;
    for (const { limit, used } of meter.uses(clock.monotonic(), call.costs, this.#account, call.symbol)) {
      const capacity = limit.kind === 'window' ? limit.units : limit.max;
      const seen: LimitObservation = {
        limit: limit.id,
        used,
        remaining: Math.max(0, capacity - used),
        ...(retryAfterMs !== undefined && { blockedUntil: clock.now() + retryAfterMs }),
      };
      for (const observer of this.#observers) observer(seen);
    }
  }
}

function retryAfterOf(delivery: Delivery<unknown>): number | undefined {
  if (delivery.kind === 'http') return delivery.retryAfterMs;
  return delivery.kind === 'answer' && !delivery.answer.ok ? delivery.answer.retryAfterMs : undefined;
}

function broken(code: string, message: string): Delivery<never> {
  return { kind: 'broken', cause: new VenueKitError(code, message) };
}
