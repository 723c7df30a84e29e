import type { VenueOrder } from '../../contracts/broker.js';
import type { JournalRecord } from '../../contracts/journal.js';
import type { OrderIntent } from '../../contracts/orders.js';
import type { Entry, EntryBodies } from '../../trading/order-entry.js';

type Sentences = { readonly [K in keyof EntryBodies]: (body: EntryBodies[K]) => string };

const SENTENCES: Sentences = {
  prepared: ({ intent, clientOrderId, linkedFrom }) =>
    `${intentInWords(intent)}, as ${clientOrderId}${linkedFrom === undefined ? '' : `, the remainder of ${linkedFrom}`}`,
  sending: ({ attempt, venueNow, fenceUntil }) => `attempt ${attempt}, signed ${clockTime(venueNow)}${fence(fenceUntil)}`,
  unsent: ({ attempt, why, reason }) => `attempt ${attempt} made no order (${why}): ${reason}`,
  rejected: ({ attempt, code, reason }) => `attempt ${attempt} rejected by the venue with ${code}: ${reason}`,
  unknown: ({ attempt, reason, fenceUntil }) => `nobody knows what became of attempt ${attempt}: ${reason}${fence(fenceUntil)}`,
  seen: ({ order, by }) => `${by}: ${orderInWords(order)}`,
  fill: ({ fill, venueOrderId }) => `${fill.qty} at ${fill.price}, trade ${fill.tradeId} of order ${venueOrderId}`,
  absent: ({ upTo, misses, venueTime, provenPast }) =>
    `attempts up to ${upTo} made no order: ${misses} misses, the last at ${clockTime(venueTime)}, after ${clockTime(provenPast)}`,
  ended: ({ state, reason }) => `${state}: ${reason}`,
  escalated: ({ reason }) => reason,
  cancel: ({ reason }) => reason,
  amending: ({ attempt, to, newClientOrderId, fenceUntil }) => `amendment ${attempt} to ${target(to)}, as ${newClientOrderId}${fence(fenceUntil)}`,
  amended: ({ attempt, applied, reason }) => `amendment ${attempt} ${applied ? 'applied' : 'not applied'}: ${reason}`,
  replacing: ({ to, linkedTo }) => `to ${target(to)}, the remainder as ${linkedTo}`,
  replaced: ({ linkedTo, reason }) => (linkedTo === undefined ? reason : `${reason}, as ${linkedTo}`),
  conflict: ({ reason, live }) => `${reason}: ${live.map(orderInWords).join('; ')}`,
  settled: (body) => ('aliasOf' in body ? aliasInWords(body.aliasOf) : `${body.state}, ${body.view.filledQty} filled`),
  halt: ({ mode, symbol, reason }) => `${symbol ?? 'everything'} ${mode}: ${reason}`,
};

/** What a record says, in words; its body as JSON where it is none of this version's. */
export function sentenceOf(record: Pick<JournalRecord, 'type' | 'body'>): string {
  const say = SENTENCES[record.type as Entry['type']] as ((body: unknown) => string) | undefined;
  try {
    return say?.(record.body) ?? JSON.stringify(record.body);
  } catch {
    return JSON.stringify(record.body);
  }
}

/** The order that was asked for. */
export function intentInWords({ side, qty, symbol, type, price, stopPrice, timeInForce }: OrderIntent): string {
  const parts = [side, qty, symbol, type];
  if (price !== undefined) parts.push(`at ${price}`);
  if (stopPrice !== undefined) parts.push(`stop ${stopPrice}`);
  if (timeInForce !== undefined) parts.push(timeInForce);
  return parts.join(' ');
}

// What the journal keeps for itself goes on under another id; an order has but the one.
function aliasInWords(id: string): string {
  return id.startsWith('@') ? `what still holds is under ${id}` : `a client order id of ${id}`;
}

function orderInWords({ venueOrderId, state, filledQty, qty, venueTime }: VenueOrder): string {
  return `order ${venueOrderId} ${state}, ${filledQty} of ${qty} filled, at ${clockTime(venueTime)}`;
}

function target({ qty, price }: { readonly qty?: string; readonly price?: string }): string {
  return [qty, price === undefined ? undefined : `price ${price}`].filter((part) => part !== undefined).join(', ');
}

function fence(until: number | undefined): string {
  return until === undefined ? '' : `, void after ${clockTime(until)}`;
}

/** UTC, to the millisecond, since that is what fences are compared by. */
export function clockTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').replace('Z', '');
}
