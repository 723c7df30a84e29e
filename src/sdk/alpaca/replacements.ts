import type { Attempt, BrokerAdapter, VenueOrder, Verdict } from '../../contracts/broker.js';
import type { OrderIntent } from '../../contracts/orders.js';
import { throwIfAborted } from '../../core/abort.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, objectOf } from '../shared/json.js';
import type { SdkOutcome } from '../shared/order-answers.js';
import { decimalIn, MULTI_LEG, MULTI_LEG_SIDE, pathSymbol, typeOf } from './orders.js';
import { isNotFound, messageIn } from './verdict.js';
import type { AlpacaWire, WireOutcome } from './wire.js';

const LOOK_EVERY_MS = 250;
/** States that an order does not leave. `replaced`, which is one too, says by which. */
const OVER = ['filled', 'canceled', 'expired', 'rejected'];
/** Source: docs.alpaca.markets, PATCH /v2/orders/{id}: an order in one of these states can't be replaced. The words around them are not documented. */
const REPLACED_WORDS = /\b(?:replaced|pending_replace)"? (?:state|status)\b/;

/** What is sent for an intent that takes the place of another order. */
interface ReplacementExtra {
  /** Alpaca's id of the order that is replaced. */
  readonly replaces: string;
  readonly request: Json;
}

/** The terms of an order that the request to replace it leaves as they are. */
export type OldTerms = Pick<OrderIntent, 'symbol' | 'side' | 'type' | 'price'>;

/** What is replaced, where an intent is to replace an order. */
export function replacementOf({ extra }: Pick<OrderIntent, 'extra'>): ReplacementExtra | undefined {
  return typeof extra?.replaces === 'string' ? (extra as unknown as ReplacementExtra) : undefined;
}

/** @returns undefined for an order that the order path can't keep account of. */
export function oldTermsOf(order: Json): OldTerms | undefined {
  if (order.order_class === MULTI_LEG) return { symbol: MULTI_LEG, side: MULTI_LEG_SIDE, type: 'market' };
  const { symbol, side } = order;
  const type = typeOf(order);
  if (typeof symbol !== 'string' || symbol === '' || type === undefined || (side !== 'buy' && side !== 'sell')) return undefined;
  const price = decimalIn(order.limit_price);
  return { symbol: pathSymbol(symbol), side, type, ...(price === undefined ? {} : { price }) };
}

/**
 * The intent of a request to replace an order. The request goes on the wire as it is, under the id that the journal has. How much the new order is over
 * is left to Alpaca: it is not documented what becomes of what the old one had filled.
 *
 * @returns undefined for what lacks a price.
 */
export function replacementIntentOf(replaces: string, body: Json, { symbol, side, type, price: oldPrice }: OldTerms): OrderIntent | undefined {
  const hasPrice = type === 'limit' || type === 'stop_limit';
  const price = hasPrice ? (decimalIn(body.limit_price) ?? oldPrice) : undefined;
  if (hasPrice && price === undefined) return undefined;
  const id = body.client_order_id;
  const request = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  return {
    ...(typeof id === 'string' && id !== '' ? { intentId: id } : {}),
    symbol,
    side,
    type,
    qty: '0',
    ...(price === undefined ? {} : { price }),
    extra: { replaces, request } satisfies ReplacementExtra,
  };
}

/** What it is made of. */
interface ReplacementParts {
  readonly wire: AlpacaWire;
  readonly find: BrokerAdapter['find'];
  /** What the answer to a placement proved. */
  readonly judged: (outcome: WireOutcome) => Verdict;
  readonly onOutcome: (clientOrderId: string, outcome: SdkOutcome, verdict: Verdict['kind']) => void;
  readonly visibilityLagMs: number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Orders that take the place of another one, by PATCH /v2/orders/{id}, under the rules of any order: looked up by the client order id of the new
 * one, which Alpaca takes once and for good. An order can be replaced once, which says more: a refusal may come of an earlier sending that went well,
 * and where the old order is over otherwise, no sending can come to anything any more.
 */
export class Replacements {
  readonly #parts: ReplacementParts;

  constructor(parts: ReplacementParts) {
    this.#parts = parts;
  }

  async place(intent: OrderIntent, { replaces, request }: ReplacementExtra, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const { wire, judged, onOutcome } = this.#parts;
    const body = { ...request, client_order_id: clientOrderId };
    const outcome = await wire.send({ method: 'PATCH', path: `/v2/orders/${replaces}`, body }, attempt.signal);
    let verdict = judged(outcome);
    if (verdict.kind === 'rejected' && mayHaveBeenDone(outcome, attempt))
      verdict = await this.#refused(intent, replaces, clientOrderId, attempt, verdict);
    onOutcome(clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  /** What a refusal means, by what has become of the old order. */
  async #refused(intent: OrderIntent, replaces: string, clientOrderId: string, attempt: Attempt, verdict: Refusal): Promise<Verdict> {
    const { visibilityLagMs, pause } = this.#parts;
    const { symbol } = intent;
    try {
      for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
        const old = await this.#old(replaces, attempt);
        const isReplaced = old?.status === 'replaced';
        if (!isReplaced && OVER.includes(String(old?.status))) return { ...verdict, isFinal: true };
        const by = old?.replaced_by;
        const made = await this.#parts.find({ symbol, clientOrderId, ...(typeof by === 'string' ? { venueOrderId: by } : {}) }, attempt);
        if (made !== 'not_found') return isMadeOf(made, clientOrderId) ? { kind: 'accepted', order: made } : { ...verdict, isFinal: true };
        // Of an order that lives the refusal stands for this sending alone. What has replaced it must show.
        if (waitedMs > visibilityLagMs)
          return isReplaced
            ? { kind: 'unknown', cause: new VenueKitError('BAD_ANSWER', 'an order was replaced, and by what is not shown') }
            : verdict;
        await pause(LOOK_EVERY_MS);
        throwIfAborted(attempt.signal);
      }
    } catch (cause) {
      return { kind: 'unknown', cause };
    }
  }

  /** How the old order stands; undefined where Alpaca shows none. @throws where nobody could say */
  async #old(id: string, { signal }: Attempt): Promise<Json | undefined> {
    const outcome = await this.#parts.wire.send({ method: 'GET', path: `/v2/orders/${id}` }, signal);
    if ('result' in outcome) return objectOf(outcome.result.json, 'order');
    if (isNotFound(outcome.facts)) return undefined;
    throw outcome.error;
  }
}

type Refusal = Extract<Verdict, { kind: 'rejected' }>;

/** Whether an earlier sending, or the same one delivered twice, may have replaced the order that this one could not. */
function mayHaveBeenDone(outcome: WireOutcome, { number }: Attempt): boolean {
  return number > 1 || ('error' in outcome && REPLACED_WORDS.test(messageIn(outcome.facts.body)));
}

function isMadeOf(order: VenueOrder, clientOrderId: string): boolean {
  return order.clientOrderId === clientOrderId;
}
