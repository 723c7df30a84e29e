import type { VenueOrder } from '../contracts/broker.js';
import type { Fill } from '../contracts/orders.js';
import { VenueKitError } from '../core/errors.js';

/** A fill with the order that it belongs to, as listings give it. */
export interface ListedFill {
  readonly venueOrderId: string;
  readonly clientOrderId?: string;
  readonly fill: Fill;
}

/**
 * What an adapter lists as an order, where it can be matched with one at all: whether its quantities
 * can be meant is judged where it is known whose it is.
 * @throws VenueKitError BAD_ANSWER where it can't: such a listing is a failed read.
 */
export function requireOrderShape(row: VenueOrder): VenueOrder {
  const { venueOrderId, symbol, clientOrderId } = objectOf(row, 'an order');
  if (isText(venueOrderId) && isText(symbol) && (clientOrderId === undefined || typeof clientOrderId === 'string')) return row;
  throw badRow('an order without the venue order id and symbol that it is known by');
}

/** As {@link requireOrderShape}, for fills. */
export function requireFillShape(row: ListedFill): ListedFill {
  const { venueOrderId, fill } = objectOf(row, 'a fill');
  if (isText(venueOrderId) && isFillShape(fill)) return row;
  throw badRow('a fill without the venue order id and trade id that it is known by');
}

/** Whether it is a fill that can be told from others. */
export function isFillShape(fill: unknown): fill is Fill {
  return typeof fill === 'object' && fill !== null && isText((fill as { tradeId?: unknown }).tradeId);
}

function objectOf(row: unknown, what: string): Record<string, unknown> {
  if (typeof row !== 'object' || row === null) throw badRow(`${row === null ? 'null' : typeof row} for ${what}`);
  return row as Record<string, unknown>;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function badRow(what: string): VenueKitError {
  return new VenueKitError('BAD_ANSWER', `The adapter shows ${what}; what it has read counts as not read`);
}
