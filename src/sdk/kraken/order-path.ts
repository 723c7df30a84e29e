import { randomUUID } from 'node:crypto';
import type { OrderIntent, OrderView } from '../../contracts/orders.js';
import { systemClock } from '../../core/clock.js';
import type { Priority } from '../../core/limits.js';
import { factsOf, withFacts } from '../shared/error-facts.js';
import { type Endpoint, type FailureVerdict, GuardedEndpoints } from '../shared/guarded-endpoints.js';
import { objectOf } from '../shared/json.js';
import { OrderAnswers } from '../shared/order-answers.js';
import { OrderCalls, orderSideOf } from '../shared/order-calls.js';
import type { ResilientOptions } from '../shared/resilient-options.js';
import { SdkSession } from '../shared/sdk-session.js';
import type { Stoppable } from '../shared/stoppable.js';
import { Amendments } from './amendments.js';
import { answerOf, Batches } from './batches.js';
import { deadlineOf, KrakenAdapter, type KrakenAdapterParts } from './kraken-adapter.js';
import { costOfMethod } from './limits.js';
import { type AmendTarget, amendParams, amendTargetOf, intentOf, isAmended, requestOf } from './orders.js';
import type { KrakenWire, Params, WireAnswer, WireOutcome, WireRequest } from './wire.js';

/** A private method that reads, whatever it asks for; every private call of Kraken is a POST. */
const READS =
  /^(?:Balance|BalanceEx|CreditLines|TradeBalance|OpenOrders|ClosedOrders|QueryOrders|OrderAmends|TradesHistory|QueryTrades|OpenPositions|Ledgers|QueryLedgers|TradeVolume|Level3|ExportStatus|RetrieveExport|GetWebSocketsToken|GetApiKeyInfo|ListWalletAccounts|DepositMethods|DepositStatus|WithdrawMethods|WithdrawAddresses|WithdrawInfo|WithdrawStatus|Earn\/(?:Strategies|Allocations|AllocateStatus|DeallocateStatus))$/;
/** Said twice, they do no more than said once. */
const REPEATABLE = /^(?:CancelAll|CancelAllOrdersAfter|CancelOrderBatch)$/;
const CANCELLED = { count: 1 };
const LOOK_EVERY_MS = 500;

/** A call of the bot on its way, before limits and retries. */
export interface GatedCall extends WireRequest {
  /** Goes on the wire as the SDK does it, signed anew. @param params - instead of the call's own */
  send(attempt: Stoppable, params?: Params): Promise<WireOutcome>;
}

/** What {@link OrderPath} is made of. */
export interface OrderPathParts extends Pick<KrakenAdapterParts, 'markets' | 'tier'> {
  readonly wire: KrakenWire;
  /** How the order path calls a pair of the venue; undefined where it knows none of that name. */
  readonly symbolOf: (pair: string) => string | undefined;
  /** Whether the SDK has what it needs to sign. Without, its own error is the answer. */
  readonly canSign: () => boolean;
  readonly timeoutMs: number;
}

/**
 * Every REST call of an SDK for Kraken, sorted: orders and cancels go through the order path, reads through limits and
 * retries, and every other write is sent once, within the limits.
 */
export class OrderPath {
  readonly session: SdkSession;
  readonly #parts: OrderPathParts;
  readonly #adapter: KrakenAdapter;
  readonly #guarded: GuardedEndpoints;
  readonly #orders: OrderCalls;
  readonly #amendments = new Amendments();
  readonly #batches: Batches;

  constructor(parts: OrderPathParts, options: Omit<ResilientOptions, 'cache'>) {
    this.#parts = parts;
    const { capabilities, clock = systemClock } = options;
    this.#batches = new Batches(parts.wire, clock);
    const answers = new OrderAnswers();
    this.#adapter = new KrakenAdapter({
      wire: parts.wire,
      markets: parts.markets,
      tier: parts.tier,
      capabilities,
      clock,
      sendOrder: (intent, params, attempt) => this.#batches.send(intent.intentId, params, attempt),
      orderRequest: (intent, _id, clientOrderId) => requestOf(intent, clientOrderId),
      amendRequest: (ref, to) => this.#amendments.requestFor(ref) ?? amendParams(ref, to),
      onOutcome: (operation, clientOrderId, outcome, verdict) => {
        if (operation === 'amend') this.#amendments.note(clientOrderId, outcome);
        else answers.note(operation, clientOrderId, outcome, verdict);
      },
    });
    this.session = new SdkSession(orderSideOf(this.#adapter), parts.timeoutMs, options, () => parts.canSign());
    this.#orders = new OrderCalls(this.session, answers, {
      placed: (view) => this.#found(view),
      cancelled: () => Promise.resolve(answerOf(CANCELLED)),
    });
    this.#guarded = new GuardedEndpoints(this.session, (facts, error) => this.#adapter.failure({ facts, error }));
  }

  /** The way of one call. */
  async route(call: GatedCall): Promise<WireAnswer> {
    const { api, method } = call;
    if (api === 'public') return this.#repeatable(call, 'read');
    if (method === 'AddOrder' && this.#parts.canSign()) return this.#place(call);
    if (method === 'CancelOrder' && this.#parts.canSign()) return this.#cancel(call);
    if (method === 'AddOrderBatch' && this.#parts.canSign()) return this.#placeBatch(call);
    if (method === 'AmendOrder' && this.#parts.canSign()) return this.#amend(call);
    if (READS.test(method)) return this.#repeatable(call, 'read');
    if (REPEATABLE.test(method)) return this.#repeatable(call, 'cancel');
    return this.#once(call);
  }

  async #place(call: GatedCall): Promise<WireAnswer> {
    const intent = intentOf(call.params, this.#parts.symbolOf);
    if (intent !== undefined) return (await this.#orders.place(intent)) as WireAnswer;
    // Only looked at: it makes no order.
    return isValidation(call.params) ? this.#repeatable(call, 'read') : this.#once(call);
  }

  /** Each order of the batch as an order of the order path. Where one of them can't be, nothing is known of the others alone: the batch is sent once. */
  async #placeBatch(call: GatedCall): Promise<WireAnswer> {
    const intents = this.#intentsOf(call.params);
    if (intents === undefined) return isValidation(call.params) ? this.#repeatable(call, 'read') : this.#once(call);
    const ids = intents.map(({ intentId }) => intentId);
    this.#batches.begin(ids);
    const placed = await Promise.allSettled(intents.map((intent) => this.#orders.place(intent).finally(() => this.#batches.leave(intent.intentId))));
    const failures = placed.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (failures.length === 0) {
      const orders = placed.map((one) => {
        const { descr, txid } = ((one as PromiseFulfilledResult<unknown>).value as WireAnswer).json as { descr: unknown; txid: readonly unknown[] };
        return { txid: txid[0], descr };
      });
      return answerOf({ orders });
    }
    // What is open outweighs what is certain.
    const failure = failures.find((one) => factsOf(one)?.sent === 'maybe') ?? failures[0];
    const { client } = this.session;
    const handles = ids.flatMap((id) => client.order(id) ?? []);
    throw withFacts(failure, { ...(factsOf(failure) ?? { code: 'NOT_SENT', sent: 'no' }), handles });
  }

  /** Undefined unless the order path can keep account of every order, and tell it from the others. */
  #intentsOf({ pair, orders, nonce: _, ...rest }: Params): readonly (OrderIntent & { readonly intentId: string })[] | undefined {
    if (!Array.isArray(orders) || Object.values(rest).some((value) => value !== undefined)) return undefined;
    const intents: (OrderIntent & { readonly intentId: string })[] = [];
    for (const row of orders as readonly Params[]) {
      const intent = intentOf({ ...row, pair }, this.#parts.symbolOf);
      if (intent === undefined) return undefined;
      intents.push({ ...intent, intentId: intent.intentId ?? randomUUID() });
    }
    const ids = new Set(intents.map(({ intentId }) => intentId));
    return ids.size < intents.length || [...ids].some((id) => this.#batches.has(id)) ? undefined : intents;
  }

  async #cancel(call: GatedCall): Promise<WireAnswer> {
    const { txid, cl_ord_id: clientOrderId } = call.params;
    const open = this.#orders.open({
      ...(typeof clientOrderId === 'string' ? { clientOrderId } : {}),
      ...(typeof txid === 'string' ? { venueOrderId: txid } : {}),
    });
    // What the order path does not know, or knows to be over, is the venue's to answer.
    const ask = (): Promise<WireAnswer> => this.#cancelUnkept(call);
    return open === undefined ? ask() : ((await this.#orders.cancel(open, ask)) as WireAnswer);
  }

  /** A cancel by what the caller knows of the order. Made again after a doubtful outcome, it may find the order gone: by itself. */
  async #cancelUnkept(call: GatedCall): Promise<WireAnswer> {
    let isDoubtful = false;
    try {
      return await this.#repeatable(call, 'cancel', (verdict) => {
        isDoubtful ||= verdict.kind === 'unknown';
      });
    } catch (error) {
      const { txid } = call.params;
      if (!isDoubtful || typeof txid !== 'string') throw error;
      const shown = await this.#look(txid).catch(() => undefined);
      if (shown?.status === 'canceled') return answerOf(CANCELLED);
      throw error;
    }
  }

  /** Of an order of the order path by that, with its journal. Of any other it is said again, since the same values twice are the same as once; distances are not. */
  async #amend(call: GatedCall): Promise<WireAnswer> {
    const to = amendTargetOf(call.params);
    if (to === undefined) return this.#once(call);
    const { txid, cl_ord_id: clientOrderId } = call.params;
    const open = this.#orders.open({
      ...(typeof clientOrderId === 'string' ? { clientOrderId } : {}),
      ...(typeof txid === 'string' ? { venueOrderId: txid } : {}),
    });
    const isKept =
      open !== undefined && this.#adapter.capabilities.amend === 'in_place' && (to.price === undefined || open.intent.price !== undefined);
    if (!isKept) return this.#amendUnkept(call, to);
    try {
      return (await this.#amendments.amend(this.session, open, call.params, to)) ?? (await this.#amended(open.venueOrderIds[0]));
    } catch (error) {
      // Over, or being cancelled, by now: that is the venue's to say.
      if (factsOf(error)?.code === 'INVALID') return this.#amendUnkept(call, to);
      throw error;
    }
  }

  async #amendUnkept(call: GatedCall, to: AmendTarget): Promise<WireAnswer> {
    const { fence } = this.#adapter.capabilities;
    let isDoubtful = false;
    // Late, it must not undo what the bot has asked for since.
    const endpoint: Endpoint = {
      ...this.#endpoint(call, 'place'),
      call: (attempt) => call.send(attempt, { ...call.params, ...deadlineOf(attempt.venueNow, fence?.defaultMs) }),
    };
    try {
      return (await this.#guarded.repeatable(endpoint, false, (verdict) => {
        isDoubtful ||= verdict.kind === 'unknown';
      })) as WireAnswer;
    } catch (error) {
      const { txid } = call.params;
      const shown = isDoubtful && typeof txid === 'string' ? await this.#look(txid).catch(() => undefined) : undefined;
      if (shown !== undefined && isAmended(shown, to)) return this.#amended(txid as string);
      const known = factsOf(error);
      throw isDoubtful && known !== undefined && known.code !== 'REJECTED'
        ? withFacts(error, { ...known, code: 'OUTCOME_UNKNOWN', sent: 'maybe' })
        : error;
    }
  }

  /** What AmendOrder would have answered to what is seen to be done. */
  async #amended(venueOrderId: string | undefined): Promise<WireAnswer> {
    const rows = await this.#ask('OrderAmends', { order_id: venueOrderId }).then(
      (json) => objectOf(json, 'OrderAmends').amends,
      () => undefined,
    );
    const last: unknown = Array.isArray(rows) ? rows.at(-1) : undefined;
    const { amend_id } = (last ?? {}) as { readonly amend_id?: unknown };
    return answerOf(typeof amend_id === 'string' ? { amend_id } : {});
  }

  #repeatable(call: GatedCall, priority: Priority, onFailure?: (verdict: FailureVerdict) => void): Promise<WireAnswer> {
    // A hedge of a private read would take a nonce of its own, and hold up what comes after it.
    return this.#guarded.repeatable(this.#endpoint(call, priority), call.api === 'public', onFailure) as Promise<WireAnswer>;
  }

  #once(call: GatedCall): Promise<WireAnswer> {
    return this.#guarded.once(this.#endpoint(call, 'place'), call.method) as Promise<WireAnswer>;
  }

  #endpoint(call: GatedCall, priority: Priority): Endpoint {
    const { api, method } = call;
    return {
      operation: method,
      costs: api === 'public' ? [] : costOfMethod(method).filter(({ limit }) => limit === 'rest'),
      priority,
      call: (attempt) => call.send(attempt),
    };
  }

  /** What AddOrder would have answered to an order that was not adopted from the answer to its sending. */
  async #found(view: OrderView): Promise<WireAnswer> {
    const [venueOrderId = ''] = view.venueOrderIds;
    const { order } = objectOf((await this.#lookUntilShown(venueOrderId)).descr, 'descr');
    return answerOf({ descr: { order }, txid: [venueOrderId] });
  }

  async #look(txid: string): Promise<Readonly<Record<string, unknown>>> {
    return objectOf(objectOf(await this.#ask('QueryOrders', { txid }), 'QueryOrders')[txid], 'order');
  }

  /** What has been seen may not show on every replica yet. */
  async #lookUntilShown(txid: string): Promise<Readonly<Record<string, unknown>>> {
    const { clock } = this.session;
    const until = clock.monotonic() + this.#adapter.capabilities.visibilityLagMs;
    for (;;) {
      try {
        return await this.#look(txid);
      } catch (error) {
        if (clock.monotonic() >= until) throw error;
        await clock.sleep(LOOK_EVERY_MS);
      }
    }
  }

  async #ask(method: string, params: Params): Promise<unknown> {
    const call: Endpoint['call'] = ({ signal }) => this.#parts.wire.send({ api: 'private', method, params }, signal);
    const endpoint: Endpoint = { operation: 'find', costs: costOfMethod(method), priority: 'reconcile', call };
    return ((await this.#guarded.repeatable(endpoint, false)) as WireAnswer).json;
  }
}

function isValidation({ validate }: Params): boolean {
  return validate === true || validate === 'true';
}
