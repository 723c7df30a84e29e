import QuickLRU from 'quick-lru';
import type { Attempt, VenueOrder, Verdict } from '../../../contracts/broker.js';
import type { OrderHandle, OrderIntent, OrderView } from '../../../contracts/orders.js';
import { throwIfAborted } from '../../../core/abort.js';
import { VenueKitError } from '../../../core/errors.js';
import { withFacts } from '../../shared/error-facts.js';
import type { HttpFacts } from '../../shared/http-facts.js';
import { type Json, listOf, objectOf } from '../../shared/json.js';
import { verdictOf } from '../verdict.js';
import type { BinanceWire, Params, WireAnswer, WireOutcome } from '../wire.js';
import { CANCEL_REPLACE, type CompositeExtra, compositeRequestOf, ORDER, oldOrderOf, plainOf } from './composite-requests.js';
import { acceptedOrder, millis, stamped } from './orders.js';

const REMEMBERED = 500;
const ORDER_LIST = '/api/v3/orderList';
export const CANCELLED = 'CANCELED';
/** How an order ends that nobody has cancelled. */
export const OVER_BY_ITSELF: readonly string[] = ['FILLED', 'EXPIRED', 'EXPIRED_IN_MATCH', 'REJECTED'];
/** Between two looks at what may not show yet. */
export const LOOK_EVERY_MS = 250;
/** Source: binance-spot-api-docs, errors.md: of cancel and new order one has failed, or both. */
const PARTLY = -2021;
const RESTRICTED = 'Order was not canceled due to cancel restrictions.';
const FAILED = -2022;

/** What it is made of. */
export interface CompositeParts {
  readonly wire: BinanceWire;
  readonly find: (ref: { readonly symbol: string; readonly clientOrderId: string }, attempt: Attempt) => Promise<VenueOrder | 'not_found'>;
  /** A read of an order's endpoint for the answer to the bot, behind limits and retries. */
  readonly ask: (path: string, query: Params) => Promise<WireAnswer>;
  /** An answer in the SDK's own form that the venue has not given in these words. @param like - one that it has given */
  readonly answered: (like: WireAnswer, json: object, path: string) => WireAnswer;
  readonly onOutcome: (clientOrderId: string, outcome: WireOutcome, verdict: Verdict['kind']) => void;
  /** Whether another replacement of the same order has made its new order, or may have. */
  readonly isReplaced: (old: Params, clientOrderId: string) => boolean;
  readonly handleOf: (intentId: string) => OrderHandle | undefined;
  readonly visibilityLagMs: number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Orders that are made by other requests than POST /api/v3/order, under the same rules: looked up by the id of the new order, of
 * which the fence proves that it can't come any more, and then sent again.
 *
 * A replacement is two steps, and one of them may have been taken alone. So before it is sent again the old order is looked at: cancelled, by
 * this request by all that is known, the new order alone is placed; else the same request goes out, whose refusal is the venue's own.
 */
export class CompositeOrders {
  readonly #parts: CompositeParts;
  /** Ids whose sendings up to now have certainly done nothing. */
  readonly #untouched = new QuickLRU<string, true>({ maxSize: REMEMBERED });
  /** Who has cancelled an order by all that is known here: a replacement, by its id, or the bot. */
  readonly #cancelledBy = new QuickLRU<string, string>({ maxSize: REMEMBERED });
  /** The SDK's errors of replacements that made the new order and could not cancel the old one. */
  readonly #halves = new QuickLRU<string, unknown>({ maxSize: REMEMBERED });

  constructor(parts: CompositeParts) {
    this.#parts = parts;
  }

  async place(intent: OrderIntent, composite: CompositeExtra, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const isReplacing = composite.path === CANCEL_REPLACE;
    const isDoubtful = isReplacing && attempt.number > 1 && !this.#untouched.delete(clientOrderId);
    if (isDoubtful) {
      try {
        const old = await this.#old(composite.request, attempt);
        if (old?.status === CANCELLED && this.#isOurs(composite.request, old, clientOrderId, attempt))
          return await this.#placeAlone(intent, composite, clientOrderId, attempt);
      } catch (cause) {
        return { kind: 'not_sent', cause };
      }
    }
    const outcome = await this.#send(composite.path, compositeRequestOf(composite, clientOrderId), attempt);
    const verdict = isReplacing
      ? await this.#replaced(intent, composite, clientOrderId, attempt, outcome)
      : 'error' in outcome
        ? verdictOf(outcome.facts, outcome.error)
        : acceptedList(outcome.result.json, intent, clientOrderId);
    if (isReplacing && hasCancelled(outcome)) this.noteCancelled(composite.request, clientOrderId);
    if (verdict.kind === 'not_sent' || (verdict.kind === 'refused' && !hasCancelled(outcome))) this.#untouched.set(clientOrderId, true);
    this.#parts.onOutcome(clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  /** What the request would have been answered, for an order that was not adopted from the answer to it. */
  async found(view: OrderView, composite: CompositeExtra): Promise<WireAnswer> {
    const { clientOrderId } = view;
    const half = this.#halves.get(clientOrderId);
    if (half !== undefined) {
      this.#halves.delete(clientOrderId);
      const handle = this.#parts.handleOf(view.intent.intentId);
      throw withFacts(half, { code: 'REJECTED', sent: 'yes', clientOrderId, ...(handle === undefined ? {} : { handle }) });
    }
    const { symbol } = composite.request;
    const [venueOrderId] = view.venueOrderIds;
    const made = await this.#look(
      ORDER,
      venueOrderId === undefined ? { symbol, origClientOrderId: clientOrderId } : { symbol, orderId: venueOrderId },
    );
    const order = transacted(made.json);
    if (composite.path !== CANCEL_REPLACE) return this.list({ orderListId: order.orderListId });
    const old = transacted((await this.#look(ORDER, oldOrderOf(composite.request))).json);
    const isCancelled = old.status === CANCELLED;
    const json = {
      cancelResult: isCancelled ? 'SUCCESS' : 'FAILURE',
      newOrderResult: 'SUCCESS',
      cancelResponse: isCancelled ? old : { code: -2011, msg: 'Unknown order sent.' },
      newOrderResponse: order,
    };
    return this.#parts.answered(made, json, composite.path);
  }

  /** A list with its orders, as the answer to its placing or cancelling shows it. */
  async list(query: Params): Promise<WireAnswer> {
    const answer = await this.#look(ORDER_LIST, query);
    const list = objectOf(answer.json, 'order list');
    const orderReports: Json[] = [];
    for (const row of listOf(list.orders, 'orders')) {
      const { symbol, orderId } = objectOf(row, 'order');
      orderReports.push(transacted((await this.#look(ORDER, { symbol, orderId })).json));
    }
    return this.#parts.answered(answer, { ...list, orderReports }, ORDER_LIST);
  }

  // What has been seen may not show on every replica yet.
  async #look(path: string, query: Params): Promise<WireAnswer> {
    for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
      try {
        return await this.#parts.ask(path, query);
      } catch (error) {
        if (waitedMs >= this.#parts.visibilityLagMs) throw error;
        await this.#parts.pause(LOOK_EVERY_MS);
      }
    }
  }

  /** How the old order stands; undefined where the venue does not know it any more. @throws where nobody could say */
  async #old(request: Params, attempt: Attempt): Promise<Json | undefined> {
    const params = stamped(oldOrderOf(request), attempt);
    const outcome = await this.#parts.wire.send({ method: 'GET', path: ORDER, params, isSigned: true, areLimitsKept: true }, attempt.signal);
    if ('result' in outcome) return objectOf(outcome.result.json, 'order');
    if (verdictOf(outcome.facts, outcome.error).kind === 'rejected') return undefined;
    throw outcome.error;
  }

  /** Whether this request can have cancelled the old order: not before it was first sent, and nobody else is known to have done it. */
  #isOurs(request: Params, old: Json, clientOrderId: string, attempt: Attempt): boolean {
    if (isBefore(old, attempt) || this.#parts.isReplaced(request, clientOrderId)) return false;
    return this.#keysOf(request).every((key) => (this.#cancelledBy.get(key) ?? clientOrderId) === clientOrderId);
  }

  /** Somebody has asked for the end of an order. @param by - the client order id of the replacement, or what else */
  noteCancelled(order: Params, by: string): void {
    for (const key of this.#keysOf(order)) this.#cancelledBy.set(key, by);
  }

  #keysOf({
    symbol,
    cancelOrderId,
    cancelOrigClientOrderId,
    orderId = cancelOrderId,
    origClientOrderId = cancelOrigClientOrderId,
  }: Params): string[] {
    const names = [orderId === undefined ? undefined : ['id', `${orderId as string | number}`], origClientOrderId].filter(
      (name) => name !== undefined,
    );
    return names.map((name) => JSON.stringify([symbol, name]));
  }

  async #placeAlone(intent: OrderIntent, { request }: CompositeExtra, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const outcome = await this.#send(ORDER, { ...plainOf(request), newClientOrderId: clientOrderId }, attempt);
    if ('result' in outcome) return acceptedOrder(outcome.result.json, sentOrder(intent, clientOrderId));
    const verdict = verdictOf(outcome.facts, outcome.error);
    this.#parts.onOutcome(clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  #send(path: string, params: Params, attempt: Attempt): Promise<WireOutcome> {
    return this.#parts.wire.send({ method: 'POST', path, params: stamped(params, attempt), isSigned: true, areLimitsKept: true }, attempt.signal);
  }

  async #replaced(intent: OrderIntent, composite: CompositeExtra, clientOrderId: string, attempt: Attempt, outcome: WireOutcome): Promise<Verdict> {
    const sent = sentOrder(intent, clientOrderId);
    if ('result' in outcome) {
      try {
        return acceptedOrder(objectOf(outcome.result.json, 'replacement').newOrderResponse, sent);
      } catch (cause) {
        return { kind: 'unknown', cause };
      }
    }
    const verdict = verdictOf(outcome.facts, outcome.error);
    const failure = failureIn(outcome.facts);
    if (failure === undefined) return verdict;
    const { code, newOrderResult, newOrderResponse } = failure;
    if (newOrderResult === 'SUCCESS') {
      const accepted = acceptedOrder(newOrderResponse, sent);
      if (accepted.kind === 'accepted') this.#halves.set(clientOrderId, outcome.error);
      return accepted;
    }
    if (newOrderResult === 'FAILURE') return refusedHalf(newOrderResponse, verdict);
    // Of two halves one is done, and the SDK does not show which.
    if (code === PARTLY) return { kind: 'unknown', cause: outcome.error };
    // Kept from being cancelled by what the bot has asked for, it is not over.
    if (messageOf(failure.cancelResponse) === RESTRICTED) return verdict;
    return this.#notAttempted(intent, composite, clientOrderId, attempt, verdict);
  }

  /**
   * The old order could not be cancelled. Filled or expired, or over before this request, it was not cancelled by it, and that is the answer. Else the same request may
   * have come before and done it all, which shows within the visibility lag.
   */
  async #notAttempted(intent: OrderIntent, { request }: CompositeExtra, clientOrderId: string, attempt: Attempt, verdict: Verdict): Promise<Verdict> {
    const { symbol } = intent;
    try {
      for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
        const old = await this.#old(request, attempt);
        if (old !== undefined && OVER_BY_ITSELF.includes(String(old.status))) return verdict;
        // Who else may have cancelled it proves nothing of this request.
        if (old?.status === CANCELLED && isBefore(old, attempt)) return verdict;
        const found = await this.#parts.find({ symbol, clientOrderId }, attempt);
        if (found !== 'not_found') return { kind: 'accepted', order: found };
        if (waitedMs > this.#parts.visibilityLagMs) return verdict;
        await this.#parts.pause(LOOK_EVERY_MS);
        throwIfAborted(attempt.signal);
      }
    } catch (cause) {
      return { kind: 'unknown', cause };
    }
  }
}

/** Whether an order was over before the request was first sent. */
function isBefore(old: Json, { since = -Infinity }: Attempt): boolean {
  return millis(old, 'updateTime') < since;
}

interface HalfFailure {
  readonly code: number;
  readonly cancelResult?: unknown;
  readonly newOrderResult?: unknown;
  readonly newOrderResponse?: unknown;
  readonly cancelResponse?: unknown;
}

function messageOf(response: unknown): unknown {
  return typeof response === 'object' && response !== null ? (response as { msg?: unknown }).msg : undefined;
}

/** What an answer says of the two halves of a replacement; undefined for one that is about neither. */
function failureIn({ body }: HttpFacts): HalfFailure | undefined {
  try {
    const { code, data } = JSON.parse(body ?? '') as { code?: unknown; data?: Omit<HalfFailure, 'code'> };
    return code === PARTLY || code === FAILED ? { code, ...data } : undefined;
  } catch {
    return undefined;
  }
}

function hasCancelled(outcome: WireOutcome): boolean {
  return 'result' in outcome || failureIn(outcome.facts)?.cancelResult === 'SUCCESS';
}

/** The new order was attempted, and refused: by its own code, which the code of the whole hides. */
function refusedHalf(response: unknown, verdict: Exclude<Verdict, { kind: 'accepted' }>): Verdict {
  if (verdict.kind !== 'rejected') return verdict;
  return verdictOf({ sent: true, status: 400, body: JSON.stringify(response) }, verdict.cause);
}

function acceptedList(answer: unknown, intent: OrderIntent, clientOrderId: string): Verdict {
  try {
    const reports = listOf(objectOf(answer, 'order list').orderReports, 'orderReports').map((row) => objectOf(row, 'order'));
    const head = reports.find((report) => report.clientOrderId === clientOrderId);
    if (head === undefined) throw new VenueKitError('BAD_ANSWER', 'the answer to an order list does not show the order that was asked for');
    return acceptedOrder(head, sentOrder(intent, clientOrderId));
  } catch (cause) {
    // Answered with success, but not with the list: whatever it is, it proves nothing.
    return { kind: 'unknown', cause };
  }
}

function sentOrder({ symbol, side, qty, quoteQty, price }: OrderIntent, clientOrderId: string): Parameters<typeof acceptedOrder>[1] {
  return { symbol, side, qty: quoteQty === undefined ? qty : undefined, price, clientOrderId };
}

/** An order as the answer to its placing calls its time. */
function transacted(json: unknown): Json {
  const order = objectOf(json, 'order');
  return { ...order, transactTime: order.updateTime ?? order.time };
}
