import type { JournalRecord } from '../../contracts/journal.js';
import type { OrderView } from '../../contracts/orders.js';
import type { Entry } from '../../trading/order-entry.js';
import { type SendAttempt, viewOf } from '../../trading/order-model.js';
import { replay } from '../../trading/order-reducer.js';

/** What the journal tells of one intent. */
export interface IntentReport {
  readonly intentId: string;
  readonly account: string;
  /** Of the order; `alias`, `halt` or `unreadable` where the records are none of an order. */
  readonly state: string;
  /** Epoch ms of the newest record. */
  readonly updatedAt: number;
  readonly view?: OrderView;
  readonly attempts: readonly SendAttempt[];
  /** Every record, oldest first; of a compacted intent the final one alone. */
  readonly evidence: readonly {
    readonly sequence: number;
    readonly at: number;
    readonly epoch: number;
    readonly type: string;
    readonly body: unknown;
  }[];
}

/** Reads the records of one intent, oldest first, as the trading client would at its start. */
export function reportOf(records: readonly [JournalRecord, ...JournalRecord[]]): IntentReport {
  const [{ intentId, account }] = records;
  const newest = records[records.length - 1] as JournalRecord;
  return {
    intentId,
    account,
    updatedAt: newest.at,
    ...orderOf(records),
    evidence: records.map(({ sequence, at, epoch, type, body }) => ({ sequence, at, epoch, type, body })),
  };
}

function orderOf(records: readonly JournalRecord[]): Pick<IntentReport, 'state' | 'view' | 'attempts'> {
  const [first] = records;
  if (first?.type === 'halt') return { state: 'halt', attempts: [] };
  if (first?.type === 'settled' && typeof first.body === 'object' && first.body !== null && 'aliasOf' in first.body)
    return { state: 'alias', attempts: [] };
  try {
    const model = replay(records as readonly Entry[]);
    if (model === undefined) return { state: 'unreadable', attempts: [] };
    const view = viewOf(model);
    return { state: view.state, view, attempts: model.attempts };
  } catch {
    // Written by another client, or by a newer one: the records themselves are shown all the same.
    return { state: 'unreadable', attempts: [] };
  }
}
