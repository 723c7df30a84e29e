import type { Incoming, Protocol } from '../served/request-line.js';
import type { WireReply } from '../served/wire-reply.js';
import type { OrderRecord } from '../venue/order-record.js';
import { failure, REJECTED, refusalReply, statusReply } from './wire-reply.js';

/** What a cancel adds to the matching engine's counter, by the age of the order in seconds. Source: docs.kraken.com, Spot trading limits. */
const CANCEL_UNITS: readonly (readonly [below: number, units: number])[] = [
  [5, 8],
  [10, 6],
  [15, 5],
  [45, 4],
  [90, 2],
  [300, 1],
];

export function cancelUnits(order: OrderRecord | undefined, venueNow: number): number {
  if (order === undefined) return 0;
  const age = (venueNow - order.createdVenueTime) / 1_000;
  return CANCEL_UNITS.find(([below]) => age < below)?.[1] ?? 0;
}

/**
 * What Kraken says of every request alike. A limit by account is the counter of the REST API, a limit by symbol that of
 * the matching engine; answers tell of neither.
 */
export const KRAKEN: Protocol = {
  reported: [],
  units: ({ scope }, incoming) => (isOrder(incoming) === (scope === 'symbol') ? incoming.weight : 0),
  refusal: (refusal, _now, incoming): WireReply => refusalReply(refusal, isOrder(incoming)),
  rejected: REJECTED,
  failed: failure('EGeneral:Internal error'),
  status: statusReply,
};

function isOrder({ operation }: Incoming): boolean {
  return operation === 'place' || operation === 'cancel';
}
