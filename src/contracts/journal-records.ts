import type { JournalRecord } from './journal.js';
import type { OrderState, OrderView } from './orders.js';

/**
 * What a store must know of the records that it keeps: which of them ends an intent. Everything else
 * in a body is the client's own.
 *
 * An intent is over when its newest record has this type; any later record (a late fill) opens it
 * again until the next one of this type. Compaction keeps that newest record and drops the others:
 * its body holds payload hash and final view. A body with `aliasOf` instead says that this id was
 * another intent's client order id; it is kept and dropped like any other.
 */
export const SETTLED = 'settled';

/** The body of the record that ends an intent. */
export type SettledBody = { readonly state: OrderState; readonly payloadHash: string; readonly view: OrderView } | { readonly aliasOf: string };

/** Whether the intent with these records, oldest first, is over. */
export function isSettled(records: readonly Pick<JournalRecord, 'type'>[]): boolean {
  return records.at(-1)?.type === SETTLED;
}
