import type { OrderView } from '../../contracts/orders.js';
import type { Priority } from '../../core/limits.js';
import { type Endpoint, type FailureVerdict, GuardedEndpoints } from '../shared/guarded-endpoints.js';
import { objectOf } from '../shared/json.js';
import { OrderAnswers } from '../shared/order-answers.js';
import { OrderCalls, orderSideOf } from '../shared/order-calls.js';
import type { ResilientOptions } from '../shared/resilient-options.js';
import { SdkSession } from '../shared/sdk-session.js';
import type { Stoppable } from '../shared/stoppable.js';
import { KrakenAdapter, type KrakenAdapterParts } from './kraken-adapter.js';
import { costOfMethod } from './limits.js';
import { intentOf, requestOf } from './orders.js';
import type { KrakenWire, Params, WireAnswer, WireOutcome, WireRequest } from './wire.js';

/** A private method that reads, whatever it asks for; every private call of Kraken is a POST. */
const READS =
  /^(?:Balance|BalanceEx|CreditLines|TradeBalance|OpenOrders|ClosedOrders|QueryOrders|OrderAmends|TradesHistory|QueryTrades|OpenPositions|Ledgers|QueryLedgers|TradeVolume|Level3|ExportStatus|RetrieveExport|GetWebSocketsToken|GetApiKeyInfo|ListWalletAccounts|DepositMethods|DepositStatus|WithdrawMethods|WithdrawAddresses|WithdrawInfo|WithdrawStatus|Earn\/(?:Strategies|Allocations|AllocateStatus|DeallocateStatus))$/;
/** Said twice, they do no more than said once. */
const REPEATABLE = /^(?:CancelAll|CancelAllOrdersAfter|CancelOrderBatch)$/;
const CANCELLED = { count: 1 };

/** A call of the bot on its way, before limits and retries. */
export interface GatedCall extends WireRequest {
  /** Goes on the wire as the SDK does it, signed anew. */
  send(attempt: Stoppable): Promise<WireOutcome>;
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

  constructor(parts: OrderPathParts, options: Omit<ResilientOptions, 'cache'>) {
    this.#parts = parts;
    const { capabilities, clock } = options;
    const answers = new OrderAnswers();
    this.#adapter = new KrakenAdapter({
      wire: parts.wire,
      markets: parts.markets,
      tier: parts.tier,
      capabilities,
      clock,
      orderRequest: (intent, _id, clientOrderId) => requestOf(intent, clientOrderId),
      onOutcome: (operation, clientOrderId, outcome, verdict) => answers.note(operation, clientOrderId, outcome, verdict),
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
    const { order } = objectOf((await this.#look(venueOrderId)).descr, 'descr');
    return answerOf({ descr: { order }, txid: [venueOrderId] });
  }

  async #look(txid: string): Promise<Readonly<Record<string, unknown>>> {
    const call: Endpoint['call'] = ({ signal }) => this.#parts.wire.send({ api: 'private', method: 'QueryOrders', params: { txid } }, signal);
    const endpoint: Endpoint = { operation: 'find', costs: costOfMethod('QueryOrders'), priority: 'reconcile', call };
    const answer = (await this.#guarded.repeatable(endpoint, false)) as WireAnswer;
    return objectOf(objectOf(answer.json, 'QueryOrders')[txid], 'order');
  }
}

function isValidation({ validate }: Params): boolean {
  return validate === true || validate === 'true';
}

/** An answer of Kraken's form that it has not given in these words. */
function answerOf(json: object): WireAnswer {
  return { json, native: { error: [], result: json } };
}
