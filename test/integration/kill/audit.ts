import { reportOf } from '../../../src/cli/journal/intent-report.js';
import type { VenueOrder } from '../../../src/contracts/broker.js';
import type { JournalRecord } from '../../../src/contracts/journal.js';
import { add, compare } from '../../../src/core/decimal.js';
import type { SimulatedVenue } from '../../../src/testing/index.js';

/** The venue's books held against the journal's; the first four must be 0. */
export interface BookAudit {
  /** Second venue orders for one intent. */
  readonly duplicates: number;
  /** Venue orders that the journal does not know. */
  readonly orphans: number;
  /** Intents that were acknowledged and are not in the journal, or that are neither over nor escalated. */
  readonly lost: number;
  /** Intents whose filled quantity is not what the venue filled. */
  readonly wronglyFilled: number;
  readonly intents: number;
  readonly venueOrders: number;
  readonly states: Readonly<Record<string, number>>;
  /** Ids of what is wrong, for a look with `venuekit journal`. */
  readonly findings: readonly string[];
}

// The last bot has cancelled what was still working.
const SETTLED_STATES = new Set(['filled', 'canceled', 'expired', 'rejected', 'abandoned', 'escalated']);

/**
 * Compares what the venue has with what the journal says, when everything is over.
 * @param durable - ids of the intents that the bots were told are durable
 */
export async function audit(
  venue: SimulatedVenue,
  journal: { intents(): AsyncIterable<readonly JournalRecord[]> },
  durable: ReadonlySet<string>,
): Promise<BookAudit> {
  const orders = venue.orders();
  const byClientId = new Map<string, VenueOrder[]>();
  for (const order of orders) {
    const id = order.clientOrderId ?? '';
    byClientId.set(id, [...(byClientId.get(id) ?? []), order]);
  }
  const findings: string[] = [];
  const counts = { duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0 };
  const note = (kind: keyof typeof counts, what: string): void => {
    counts[kind]++;
    findings.push(`${kind}: ${what}`);
  };
  const known = new Set<string>();
  const journalled = new Set<string>();
  const states: Record<string, number> = {};

  for await (const records of journal.intents()) {
    const [first, ...others] = records;
    if (first === undefined || first.type === 'halt') continue;
    const { intentId, state, view } = reportOf([first, ...others]);
    journalled.add(intentId);
    states[state] = (states[state] ?? 0) + 1;
    if (view === undefined || !SETTLED_STATES.has(state)) note('lost', `${intentId} is ${state}`);
    if (view === undefined) continue;
    for (const id of view.venueOrderIds) known.add(id);
    const atVenue = byClientId.get(view.clientOrderId) ?? [];
    for (const extra of atVenue.slice(1)) note('duplicates', `${intentId} has order ${extra.venueOrderId}, too`);
    const filled = atVenue.reduce((sum, order) => add(sum, order.filledQty), '0');
    if (compare(filled, view.filledQty) !== 0) note('wronglyFilled', `${intentId}: ${view.filledQty} here, ${filled} at the venue`);
  }
  for (const order of orders) if (!known.has(order.venueOrderId)) note('orphans', `${order.venueOrderId} (${order.clientOrderId})`);
  for (const id of durable) if (!journalled.has(id)) note('lost', `${id} was acknowledged`);
  return { ...counts, intents: journalled.size, venueOrders: orders.length, states, findings };
}
