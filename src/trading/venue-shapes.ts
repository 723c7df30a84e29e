import type { VenueOrder, Verdict } from '../contracts/broker.js';
import type { Fill } from '../contracts/orders.js';
import { VenueKitError } from '../core/errors.js';

/** A fill with the order that it belongs to, as listings give it. */
export interface ListedFill {
  readonly venueOrderId: string;
  readonly clientOrderId?: string;
  readonly symbol?: string;
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
  throw badAnswer('an order without the venue order id and symbol that it is known by');
}

/** As {@link requireOrderShape}, for fills. */
export function requireFillShape(row: ListedFill): ListedFill {
  const { venueOrderId, fill } = objectOf(row, 'a fill');
  if (isText(venueOrderId) && isFillShape(fill)) return row;
  throw badAnswer('a fill without the venue order id and trade id that it is known by');
}

/** What an adapter shows of an order that was looked for. @throws VenueKitError BAD_ANSWER for anything else: such a look-up is a failed read. */
export function requireFound(found: VenueOrder | 'not_found'): VenueOrder | 'not_found' {
  return found === 'not_found' ? found : requireOrderShape(found);
}

const VERDICTS: readonly unknown[] = ['accepted', 'not_sent', 'refused', 'rejected', 'duplicate', 'unknown'] satisfies Verdict['kind'][];

/** What an adapter says of a write, where it can be one. @throws VenueKitError BAD_ANSWER where it can't: nothing is known then. */
export function requireVerdict(verdict: Verdict): Verdict {
  const { kind, order } = objectOf(verdict, 'a verdict');
  if (!VERDICTS.includes(kind)) throw badAnswer(`a verdict of kind ${JSON.stringify(kind)}`);
  if (kind === 'accepted') requireOrderShape(order as VenueOrder);
  return verdict.kind === 'refused' && !isWait(verdict.retryAfterMs) ? withoutWait(verdict) : verdict;
}

// An unreadable Retry-After would otherwise pass for one of no time at all.
function withoutWait({ retryAfterMs: _, ...verdict }: Extract<Verdict, { kind: 'refused' }>): Verdict {
  return verdict;
}

function isWait(ms: number | undefined): boolean {
  return ms === undefined || (Number.isFinite(ms) && ms >= 0);
}

/** Whether it is a fill that can be told from others. */
export function isFillShape(fill: unknown): fill is Fill {
  return typeof fill === 'object' && fill !== null && isText((fill as { tradeId?: unknown }).tradeId);
}

function objectOf(row: unknown, what: string): Record<string, unknown> {
  if (typeof row !== 'object' || row === null) throw badAnswer(`${row === null ? 'null' : typeof row} for ${what}`);
  return row as Record<string, unknown>;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** VenueKitError BAD_ANSWER. */
export function badAnswer(what: string): VenueKitError {
  return new VenueKitError('BAD_ANSWER', `The adapter shows ${what}; what it has read counts as not read`);
}
