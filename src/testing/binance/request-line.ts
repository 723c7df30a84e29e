import type { Cost, Limit } from '../../core/limits.js';
import type { Fault, Plan } from '../faults.js';
import { LimitMeter, type LimitUse } from '../venue/limit-meter.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import { authenticate, type VenueCredentials } from './authenticate.js';
import type { Endpoint, Request } from './endpoint.js';
import { failure, refusalReply, type WireReply } from './wire-reply.js';

// What every answer reports, whether or not the venue is told to keep limits.
const REPORTED: readonly Limit[] = [
  { id: 'weight', scope: 'ip', kind: 'window', units: Number.MAX_SAFE_INTEGER, perMs: 60_000 },
  { id: 'orders', scope: 'account', kind: 'window', units: Number.MAX_SAFE_INTEGER, perMs: 10_000 },
];

/** A request that has come in whole, over whichever protocol. */
export interface Incoming {
  readonly endpoint: Endpoint;
  readonly params: URLSearchParams;
  readonly key: string | undefined;
  /** What the signature is over; either form counts. */
  readonly signed: readonly string[];
  /** The connection has logged on with a key: signatures may be left out. */
  readonly isLoggedOn?: boolean;
}

/** What one request used of the limits that are reported. */
export type Usage = readonly LimitUse[];

/** The way back to the caller. */
export interface AnswerPort {
  answer(reply: WireReply, usage: Usage): void;
  /** Something else than an answer, as a fault says; resolves when it is done. */
  strike(fault: Fault, reply: WireReply): Promise<void>;
}

/** What requests pass on their way through a served venue: delays, faults, limits, signatures, and then the endpoint. */
export class RequestLine {
  readonly core: VenueCore;
  readonly account: string;
  readonly #credentials: VenueCredentials;
  readonly #closing: AbortSignal;
  readonly #reported = new LimitMeter(REPORTED, { afterIgnored: 1, firstMs: 1, longestMs: 1 });

  constructor(core: VenueCore, credentials: VenueCredentials, account: string, closing: AbortSignal) {
    this.core = core;
    this.#credentials = credentials;
    this.account = account;
    this.#closing = closing;
  }

  async travel(incoming: Incoming, port: AnswerPort): Promise<void> {
    const plan = this.core.plan(incoming.endpoint.operation);
    const legMs = (this.core.latency?.draw() ?? 0) / 2;
    await this.wait(legMs + plan.delayBeforeMs);
    if (plan.before !== undefined) return port.strike(plan.before, failure(-1000, 'An unknown error occurred.', 500));
    const reply = await this.#act(incoming, plan);
    await this.wait(legMs + plan.delayAfterMs);
    if (plan.after !== undefined) return port.strike(plan.after, reply);
    port.answer(reply, this.#usage(incoming));
  }

  /** Cut short when the venue closes: what was under way ends at once. */
  async wait(ms: number): Promise<void> {
    if (ms > 0 && !this.#closing.aborted) await this.core.clock.sleep(ms, this.#closing).catch(() => {});
  }

  /** Whether a signed request may pass; undefined where it may. */
  check({ key, signed, params, isLoggedOn }: Omit<Incoming, 'endpoint'>): WireReply | undefined {
    return authenticate(this.core, this.#credentials, { key, signed, params, isLoggedOn: isLoggedOn === true });
  }

  async #act(incoming: Incoming, plan: Plan): Promise<WireReply> {
    const { core } = this;
    const costs = this.#costs(incoming);
    this.#reported.admit(core.clock.monotonic(), costs.reported, this.account, undefined);
    const refusal = core.admit(plan, costs.kept, this.account, incoming.params.get('symbol') ?? undefined);
    if (refusal !== undefined) return refusalReply(refusal, core.venueClock.venueNow());
    if (plan.reject?.when === 'before') return failure(-2010, 'Order rejected.');
    let order: OrderRecord | undefined;
    const placed = (made: OrderRecord): void => {
      order = made;
    };
    let reply = this.#run(incoming, plan, placed);
    if (plan.duplicate !== undefined) reply = await this.#deliverAgain(incoming, plan, plan.duplicate, reply, placed);
    if (plan.reject !== undefined && order !== undefined) core.engine.rejectLater(order, plan.reject.ms ?? 0);
    return reply;
  }

  #run(incoming: Incoming, plan: Plan, placed: Request['placed']): WireReply {
    const { core, account } = this;
    const { endpoint, params, key } = incoming;
    return core.act(plan, () => {
      const refused = endpoint.signed ? this.check(incoming) : endpoint.needsKey === true ? keyRefusal(key, this.#credentials) : undefined;
      return refused ?? endpoint.run({ core, account, params, asOf: () => core.asOf(plan), plan, placed });
    });
  }

  async #deliverAgain(incoming: Incoming, plan: Plan, fault: Fault, first: WireReply, placed: Request['placed']): Promise<WireReply> {
    const { ms = 0 } = fault;
    if (fault.when === 'after') {
      await this.wait(ms);
      return this.#run(incoming, plan, placed);
    }
    const { agenda } = this.core;
    if (ms === 0) this.#run(incoming, plan, placed);
    else agenda.plan(agenda.now + ms, () => this.#run(incoming, plan, placed));
    return first;
  }

  #costs({ endpoint, params }: Incoming): { readonly kept: readonly Cost[]; readonly reported: readonly Cost[] } {
    const weight = typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight(params);
    const isOrder = endpoint.operation === 'place';
    const kept = this.core.meter.limits.flatMap(({ id, scope }) => {
      if (scope === 'ip') return [{ limit: id, units: weight }];
      return isOrder || (scope === 'symbol' && endpoint.operation === 'cancel') ? [{ limit: id, units: 1 }] : [];
    });
    const reported = [{ limit: 'weight', units: weight }, ...(isOrder ? [{ limit: 'orders', units: 1 }] : [])];
    return { kept, reported };
  }

  #usage(incoming: Incoming): Usage {
    return this.#reported.uses(this.core.clock.monotonic(), this.#costs(incoming).reported, this.account, undefined);
  }
}

function keyRefusal(key: string | undefined, credentials: VenueCredentials): WireReply | undefined {
  if (key === undefined || key === '') return failure(-2014, 'API-key format invalid.', 401);
  return key === credentials.apiKey ? undefined : failure(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
}

/** What a `status` fault answers. */
export function statusReply(fault: Fault): WireReply {
  const status = fault.status ?? 503;
  const code = fault.code ?? (status === 429 || status === 418 ? -1003 : status === 408 || status === 504 ? -1007 : -1000);
  const retryAfterMs = fault.ms === undefined ? undefined : { retryAfterMs: fault.ms };
  return { ...failure(code, MESSAGES[code] ?? 'An unknown error occurred while processing the request.', status), ...retryAfterMs };
}

const MESSAGES: Readonly<Record<number, string>> = {
  [-1003]: 'Too much request weight used; please wait before sending more requests.',
  [-1007]: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
  [-1021]: 'Timestamp for this request is outside of the recvWindow.',
};
