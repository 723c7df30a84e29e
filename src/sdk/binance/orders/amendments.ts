import QuickLRU from 'quick-lru';
import type { Attempt, BrokerAdapter, OrderRef, Verdict } from '../../../contracts/broker.js';
import type { OrderHandle, OrderView } from '../../../contracts/orders.js';
import { TradingError } from '../../../contracts/trading-error.js';
import { isVenueKitError } from '../../../core/errors.js';
import { type ErrorFacts, withFacts } from '../../shared/error-facts.js';
import { objectOf } from '../../shared/json.js';
import { verdictOf } from '../verdict.js';
import type { BinanceWire, GatedCall, Params, WireAnswer } from '../wire.js';
import { decimalIn, keptOf } from './order-requests.js';
import { stamped, venueOrderOf } from './orders.js';

export const AMEND = '/api/v3/order/amend/keepPriority';
/** ORDER_AMEND_REJECTED: also of an order that is as small already. Source: binance-spot-api-docs, errors.md. */
const REFUSED = '-2038';
const REMEMBERED = 500;

/** What it is made of. */
export interface AmendmentParts {
  readonly wire: BinanceWire;
  /** Amends an order of the journal. @throws TradingError */
  readonly replace: (intentId: string, qty: string) => Promise<OrderView>;
  readonly handleOf: (intentId: string) => OrderHandle | undefined;
  /** The answer to the amendment that the order shows as done; undefined where it does not. */
  readonly done: (call: GatedCall) => Promise<WireAnswer | undefined>;
  /** The same for one that is known to be done, which may not show on every replica yet. */
  readonly shown: (call: GatedCall) => Promise<WireAnswer | undefined>;
}

/** One request of the bot while it is under way, and what the SDK said of its latest sending. */
interface Asked {
  readonly request: Params;
  answer?: WireAnswer;
  error?: unknown;
}

/**
 * Orders of the journal made smaller where they stand (`order/amend/keepPriority`): recorded before it is sent, under the timestamp that is
 * signed, and sent again only once it is proved that the first sending has not been taken and can't be any more. After a restart the
 * journal knows that one was under way, and what became of it.
 */
export class Amendments {
  readonly #parts: AmendmentParts;
  readonly #asked = new Map<string, Asked>();
  /** Those whose answer this process has heard: to repeat one is to ask for another. */
  readonly #heard = new QuickLRU<string, true>({ maxSize: REMEMBERED });

  constructor(parts: AmendmentParts) {
    this.#parts = parts;
  }

  /** The sending of it: as the bot has asked for it, under the id that it has given, or else that of the journal. */
  readonly send: NonNullable<BrokerAdapter['amend']> = async (ref, to, attempt: Attempt): Promise<Verdict> => {
    const asked = this.#asked.get(nameOf(ref));
    if (asked === undefined) return { kind: 'not_sent', cause: new Error('nobody waits for this amendment any more') };
    const params = stamped({ ...asked.request, newClientOrderId: asked.request.newClientOrderId ?? to.newClientOrderId }, attempt);
    const outcome = await this.#parts.wire.send({ method: 'PUT', path: AMEND, params, isSigned: true, areLimitsKept: true }, attempt.signal);
    if ('error' in outcome) {
      asked.error = outcome.error;
      return verdictOf(outcome.facts, outcome.error);
    }
    const verdict = accepted(outcome.result.json, ref.symbol);
    if (verdict.kind === 'accepted') asked.answer = outcome.result;
    return verdict;
  };

  /** Whether nobody in this process has heard yet that an order was made so small: one before it may have done it. */
  isUnheard(request: Params, view: OrderView): boolean {
    return !this.#heard.has(`${nameOfView(view)} ${decimalIn(request, 'newQty')}`);
  }

  /**
   * @returns undefined where the order path can't amend it: whatever is wrong with the request or the order, the venue says so.
   * @throws the SDK's error, or a TradingError where the SDK had none, with what is known of it beside it.
   */
  async amend(call: GatedCall, view: OrderView): Promise<WireAnswer | undefined> {
    const { intent, clientOrderId } = view;
    const { intentId } = intent;
    const qty = decimalIn(call.params, 'newQty');
    const name = nameOfView(view);
    if (qty === undefined || this.#asked.has(name)) return undefined;
    const asked: Asked = { request: keptOf(call.params) };
    this.#asked.set(name, asked);
    try {
      await this.#parts.replace(intentId, qty);
      const answer = asked.answer ?? (await this.#parts.shown(call));
      if (answer === undefined)
        throw new TradingError('DEADLINE', `Order ${intentId} is made smaller, and the venue does not show it yet.`, { sent: 'yes', intentId });
      this.#heard.set(`${name} ${qty}`, true);
      return answer;
    } catch (error) {
      if (!isVenueKitError(error)) throw error;
      const { code, sent, venueCode, cause } = error as Partial<TradingError>;
      if (code === undefined || sent === undefined) throw error;
      if (code === 'INVALID') return undefined;
      if (venueCode === REFUSED && this.isUnheard(call.params, view)) {
        const answer = await this.#parts.done(call);
        if (answer !== undefined) return answer;
      }
      const handle = this.#parts.handleOf(intentId);
      const known = { clientOrderId, ...(handle === undefined ? {} : { handle }) };
      if (code === 'REJECTED') throw withFacts(cause, { code, sent: 'yes', ...known });
      const facts: ErrorFacts = { code, sent: code === 'OUTCOME_UNKNOWN' ? 'maybe' : sent, ...known };
      throw withFacts(code === 'OUTCOME_UNKNOWN' || (code === 'DEADLINE' && sent === 'no') ? (asked.error ?? error) : error, facts);
    } finally {
      this.#asked.delete(name);
    }
  }
}

// The venue counts its orders by symbol.
function nameOf({ symbol, venueOrderId }: Pick<OrderRef, 'symbol'> & { readonly venueOrderId?: string | undefined }): string {
  return `${symbol} ${venueOrderId}`;
}

function nameOfView({ intent: { symbol }, venueOrderIds }: OrderView): string {
  return nameOf({ symbol, venueOrderId: venueOrderIds.at(-1) });
}

function accepted(answer: unknown, symbol: string): Verdict {
  try {
    const { transactTime, amendedOrder } = objectOf(answer, 'amendment');
    const { qty, cumulativeQuoteQty, clientOrderId, ...order } = objectOf(amendedOrder, 'amendedOrder');
    const json = { ...order, clientOrderId, origClientOrderId: clientOrderId, origQty: qty, cummulativeQuoteQty: cumulativeQuoteQty };
    return { kind: 'accepted', order: venueOrderOf({ ...json, updateTime: transactTime }, symbol) };
  } catch (cause) {
    return { kind: 'unknown', cause };
  }
}
