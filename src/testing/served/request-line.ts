import type { Cost, Limit } from '../../core/limits.js';
import type { Fault, Plan, VenueOperation } from '../faults.js';
import type { Refusal } from '../venue/answers.js';
import { LimitMeter, type LimitUse } from '../venue/limit-meter.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import type { WireReply } from './wire-reply.js';

/** What the venue acts on a request with. */
export interface RequestContext {
  readonly core: VenueCore;
  readonly account: string;
  /** The engine time that lookups show. */
  readonly asOf: () => number;
  readonly plan: Plan;
  /** Told of an order that was placed, for accept-then-reject. */
  readonly placed: (order: OrderRecord) => void;
}

/** A request that has come in whole, over whichever protocol. */
export interface Incoming {
  /** What faults call it. */
  readonly operation: VenueOperation;
  /** As the protocol counts it. */
  readonly weight: number;
  readonly symbol: string | undefined;
  /** How many orders it counts as, where that is not one. */
  readonly orders?: number | undefined;
  /** What the venue does with it, credentials checked first. */
  readonly run: (context: RequestContext) => WireReply;
}

/** How a protocol says what has nothing to do with the endpoint. */
export interface Protocol {
  /** What every answer reports, whether or not the venue is told to keep limits. */
  readonly reported: readonly Limit[];
  /** What a request uses of a limit; 0: nothing. */
  units(limit: Limit, incoming: Incoming): number;
  /** @param incoming - what was refused. */
  refusal(refusal: Refusal, venueNow: number, incoming: Incoming): WireReply;
  /** An order that is thrown out for no reason of its own. */
  readonly rejected: WireReply;
  /** What stands for an answer that never came to be. */
  readonly failed: WireReply;
  /** What a `status` fault answers. */
  status(fault: Fault, venueNow: number): WireReply;
}

/** What one request used of the limits that are reported. */
export type Usage = readonly LimitUse[];

/** The way back to the caller. */
export interface AnswerPort {
  answer(reply: WireReply, usage: Usage): void;
  /** Something else than an answer, as a fault says; resolves when it is done. */
  strike(fault: Fault, reply: WireReply): Promise<void>;
}

/** What requests pass on their way through a served venue: delays, faults, limits, and then the endpoint. */
export class RequestLine {
  readonly core: VenueCore;
  readonly account: string;
  readonly protocol: Protocol;
  readonly #closing: AbortSignal;
  readonly #reported: LimitMeter;

  constructor(core: VenueCore, protocol: Protocol, account: string, closing: AbortSignal) {
    this.core = core;
    this.protocol = protocol;
    this.account = account;
    this.#closing = closing;
    const unlimited = protocol.reported.map((limit) => (limit.kind === 'window' ? { ...limit, units: Number.MAX_SAFE_INTEGER } : limit));
    this.#reported = new LimitMeter(unlimited, { afterIgnored: 1, firstMs: 1, longestMs: 1 });
  }

  async travel(incoming: Incoming, port: AnswerPort): Promise<void> {
    const plan = this.core.plan(incoming.operation);
    const legMs = (this.core.latency?.draw() ?? 0) / 2;
    await this.wait(legMs + plan.delayBeforeMs);
    if (plan.before !== undefined) return port.strike(plan.before, this.protocol.failed);
    const reply = await this.#act(incoming, plan);
    await this.wait(legMs + plan.delayAfterMs);
    if (plan.after !== undefined) return port.strike(plan.after, reply);
    port.answer(reply, this.#usage(incoming));
  }

  /** Cut short when the venue closes: what was under way ends at once. */
  async wait(ms: number): Promise<void> {
    if (ms > 0 && !this.#closing.aborted) await this.core.clock.sleep(ms, this.#closing).catch(() => {});
  }

  async #act(incoming: Incoming, plan: Plan): Promise<WireReply> {
    const { core, protocol } = this;
    this.#reported.admit(core.clock.monotonic(), this.#costs(protocol.reported, incoming), this.account, undefined);
    const refusal = core.admit(plan, this.#costs(core.meter.limits, incoming), this.account, incoming.symbol);
    if (refusal !== undefined) return protocol.refusal(refusal, core.venueClock.venueNow(), incoming);
    if (plan.reject?.when === 'before') return protocol.rejected;
    let order: OrderRecord | undefined;
    const placed = (made: OrderRecord): void => {
      order = made;
    };
    let reply = this.#run(incoming, plan, placed);
    if (plan.duplicate !== undefined) reply = await this.#deliverAgain(incoming, plan, plan.duplicate, reply, placed);
    if (plan.reject !== undefined && order !== undefined) core.engine.rejectLater(order, plan.reject.ms ?? 0);
    return reply;
  }

  #run(incoming: Incoming, plan: Plan, placed: RequestContext['placed']): WireReply {
    const { core, account } = this;
    return core.act(plan, () => incoming.run({ core, account, asOf: () => core.asOf(plan), plan, placed }));
  }

  async #deliverAgain(incoming: Incoming, plan: Plan, fault: Fault, first: WireReply, placed: RequestContext['placed']): Promise<WireReply> {
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

  #costs(limits: readonly Limit[], incoming: Incoming): readonly Cost[] {
    return limits.flatMap((limit) => {
      const units = this.protocol.units(limit, incoming);
      return units > 0 ? [{ limit: limit.id, units }] : [];
    });
  }

  #usage(incoming: Incoming): Usage {
    const { reported } = this.protocol;
    const uses = this.#reported.uses(this.core.clock.monotonic(), this.#costs(reported, incoming), this.account, undefined);
    return uses.map(({ limit, used }) => ({ limit: reported.find(({ id }) => id === limit.id) ?? limit, used }));
  }
}
