import type { JournalRecord } from '../../contracts/journal.js';
import { requireInteger, requireNonNegative, requireText } from '../../core/options.js';

/** A record as it is written. */
export interface EncodedRecord {
  readonly account: string;
  readonly intentId: string;
  readonly at: number;
  readonly epoch: number;
  readonly type: string;
  /** JSON. */
  readonly body: string;
}

/**
 * Checks a record and makes JSON of its body, before the commit that it will share with others.
 * @throws TypeError or RangeError naming the member
 */
export function encodeRecord(record: Omit<JournalRecord, 'sequence'>): EncodedRecord {
  const { account, intentId, at, epoch, type } = record;
  requireText('account', account);
  requireText('intentId', intentId);
  requireText('type', type);
  requireNonNegative('at', at);
  requireInteger('epoch', epoch);
  return { account, intentId, at, epoch, type, body: toJson(record.body, `${type} of intent ${intentId}`) };
}

function toJson(body: unknown, whose: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(body);
  } catch (cause) {
    throw new TypeError(`body of record ${whose} must be serialisable as JSON: ${(cause as Error).message}`, { cause });
  }
  if (json === undefined) throw new TypeError(`body of record ${whose} must be serialisable as JSON, got ${typeof body}`);
  return json;
}
