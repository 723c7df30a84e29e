import type { VenueOrder } from '../contracts/broker.js';
import { add } from '../core/decimal.js';
import type { Entry, EntryBodies } from './order-entry.js';
import type { Leg, OrderModel, SendAttempt } from './order-model.js';
import { isNewer } from './order-states.js';

/**
 * The order after one more record. Pure; the same record twice is the same as once, and evidence may
 * come in any order: attempts are keyed by number, orders by venue id, fills by (venueOrderId, tradeId).
 */
export function reduce(model: OrderModel | undefined, entry: Entry): OrderModel {
  if (entry.type === 'prepared') return model ?? prepared(entry.body, entry.at);
  if (entry.type === 'settled') return settled(model, entry.body);
  if (model === undefined) throw new TypeError(`a journal must begin an intent with a "prepared" record, got "${entry.type}"`);
  const open = model.final === undefined ? model : reopened(model);
  switch (entry.type) {
    case 'sending':
      return sending(open, entry.body, entry.at);
    case 'unsent':
      return withOutcome(open, entry.body.attempt, 'absent');
    case 'rejected':
      return {
        ...withOutcome(open, entry.body.attempt, 'absent', 'rejected'),
        rejection: { code: entry.body.code, reason: entry.body.reason },
        reason: entry.body.reason,
      };
    case 'unknown':
      return unknown(open, entry.body);
    case 'seen':
      return seen(open, entry.body.order);
    case 'fill':
      return filled(open, entry.body);
    case 'absent':
      return {
        ...open,
        attempts: open.attempts.map((attempt) => (attempt.number <= entry.body.upTo ? { ...attempt, outcome: 'absent' } : attempt)),
      };
    case 'ended':
      return { ...open, ended: entry.body };
    case 'escalated':
      return { ...open, escalated: entry.body.reason };
    case 'cancel':
      return open.cancelReason === undefined ? { ...open, cancelReason: entry.body.reason } : open;
    case 'amending':
      return {
        ...open,
        amendment: entry.body,
        amendments: Math.max(open.amendments, entry.body.attempt),
        clientOrderIds: withId(open.clientOrderIds, entry.body.newClientOrderId),
      };
    case 'amended':
      return amended(open, entry.body);
    case 'replacing':
      return { ...open, replacing: entry.body };
    case 'replaced':
      return replaced(open, entry.body);
    case 'conflict':
      return { ...open, conflict: entry.body.reason };
    case 'halt':
      return open;
  }
}

/**
 * All records of an intent, oldest first, as an order; undefined where its `prepared` record never
 * became durable: then nothing was sent, and what else was noted of it means nothing.
 */
export function replay(entries: readonly Entry[]): OrderModel | undefined {
  const first = entries.find(({ type }) => type === 'prepared' || type === 'settled');
  if (first === undefined) return undefined;
  return entries.reduce<OrderModel>((model, entry) => (entry === first ? model : reduce(model, entry)), reduce(undefined, first));
}

function prepared(body: EntryBodies['prepared'], at: number): OrderModel {
  return {
    intent: body.intent,
    payloadHash: body.payloadHash,
    clientOrderId: body.clientOrderId,
    clientOrderIds: [body.clientOrderId],
    preparedAt: at,
    attempts: [],
    legs: [],
    fills: [],
    amendments: 0,
    qty: body.intent.qty,
    ...(body.intent.price === undefined ? undefined : { price: body.intent.price }),
    ...(body.linkedFrom === undefined ? undefined : { linkedFrom: body.linkedFrom }),
  };
}

function settled(model: OrderModel | undefined, body: EntryBodies['settled']): OrderModel {
  if ('aliasOf' in body) throw new TypeError(`an alias of ${body.aliasOf} is no order`);
  // With its history at hand the view follows from it; alone, the view is all that is left.
  if (model !== undefined && model.final === undefined) return model;
  const { view, payloadHash } = body;
  return {
    ...prepared({ intent: view.intent, clientOrderId: view.clientOrderId, payloadHash }, 0),
    final: Object.freeze({ ...view, fills: Object.freeze(view.fills), venueOrderIds: Object.freeze(view.venueOrderIds) }),
  };
}

// A late fill of a compacted order: its view becomes evidence again.
function reopened(model: OrderModel): OrderModel {
  const { final: view, ...rest } = model;
  if (view === undefined) return model;
  const [venueOrderId] = view.venueOrderIds;
  if (venueOrderId === undefined) {
    const state = view.state === 'rejected' ? 'rejected' : 'abandoned';
    return { ...rest, ended: { state, reason: view.reason ?? 'compacted' } };
  }
  const order: VenueOrder = {
    clientOrderId: view.clientOrderId,
    venueOrderId,
    state: view.state === 'filled' || view.state === 'canceled' || view.state === 'expired' || view.state === 'rejected' ? view.state : 'working',
    symbol: view.intent.symbol,
    side: view.intent.side,
    qty: view.intent.qty,
    filledQty: view.filledQty,
    ...(view.avgPrice === undefined ? undefined : { avgPrice: view.avgPrice }),
    venueTime: 0,
  };
  return {
    ...rest,
    legs: [{ order, venueOrderId, filled: view.fills.reduce((sum, fill) => add(sum, fill.qty), '0') }],
    fills: view.fills.map((fill) => ({ venueOrderId, fill })),
    ...(view.reason === undefined ? undefined : { reason: view.reason }),
  };
}

function sending(model: OrderModel, { attempt: number, ...stamp }: EntryBodies['sending'], at: number): OrderModel {
  if (model.attempts.some((attempt) => attempt.number === number)) return model;
  const added: SendAttempt = { number, at, ...stamp, outcome: 'open' };
  return { ...model, attempts: [...model.attempts, added] };
}

function withOutcome(model: OrderModel, number: number, outcome: SendAttempt['outcome'], answer?: 'rejected'): OrderModel {
  const said = answer === undefined ? undefined : { answer };
  return {
    ...model,
    attempts: model.attempts.map((attempt) =>
      attempt.number === number && attempt.outcome !== 'absent' ? { ...attempt, outcome, ...said } : attempt,
    ),
  };
}

function unknown(model: OrderModel, body: EntryBodies['unknown']): OrderModel {
  const attempts = model.attempts.map((attempt): SendAttempt => {
    if (attempt.number !== body.attempt || attempt.outcome === 'absent') return attempt;
    // An adapter may know of a later deadline than the one that was asked for, never of an earlier one.
    const fenceUntil = attempt.fenceUntil === undefined ? undefined : Math.max(attempt.fenceUntil, body.fenceUntil ?? 0);
    const answer: SendAttempt['answer'] = body.distorted === true ? 'distorted' : body.duplicate === true ? 'duplicate' : undefined;
    const said = answer === undefined || attempt.answer === 'distorted' ? undefined : { answer };
    return { ...attempt, outcome: 'unknown', ...(fenceUntil === undefined ? undefined : { fenceUntil }), ...said };
  });
  return { ...model, attempts, reason: body.reason };
}

function seen(model: OrderModel, order: VenueOrder): OrderModel {
  const at = model.legs.findIndex((leg) => leg.venueOrderId === order.venueOrderId);
  const leg = model.legs[at];
  if (leg === undefined) return { ...model, legs: [...model.legs, { order, venueOrderId: order.venueOrderId, filled: '0' }] };
  if (leg.order !== undefined && !isNewer(order, leg.order)) return model;
  return { ...model, legs: model.legs.with(at, { ...leg, order }) };
}

function filled(model: OrderModel, { venueOrderId, fill }: EntryBodies['fill']): OrderModel {
  if (model.fills.some((known) => known.fill.tradeId === fill.tradeId && known.venueOrderId === venueOrderId)) return model;
  const at = model.legs.findIndex((leg) => leg.venueOrderId === venueOrderId);
  const leg: Leg = model.legs[at] ?? { venueOrderId, filled: '0' };
  const grown: Leg = { ...leg, filled: add(leg.filled, fill.qty) };
  return {
    ...model,
    fills: [...model.fills, { venueOrderId, fill }],
    legs: at < 0 ? [...model.legs, grown] : model.legs.with(at, grown),
  };
}

function amended(model: OrderModel, { attempt, applied, reason }: EntryBodies['amended']): OrderModel {
  const { amendment, ...rest } = model;
  if (amendment === undefined || amendment.attempt !== attempt) return model;
  if (!applied) return { ...rest, reason };
  return {
    ...rest,
    qty: amendment.to.qty ?? model.qty,
    ...(amendment.to.price === undefined ? undefined : { price: amendment.to.price }),
  };
}

function replaced(model: OrderModel, body: EntryBodies['replaced']): OrderModel {
  const { replacing: _, ...rest } = model;
  return { ...rest, reason: body.reason, ...(body.linkedTo === undefined ? undefined : { linkedTo: body.linkedTo }) };
}

function withId(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids : [...ids, id];
}
