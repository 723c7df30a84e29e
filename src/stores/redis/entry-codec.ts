import type { CacheEntry } from '../../contracts/cache-store.js';

/** What stands before the value, in plain text, so that the script that compares two entries need not parse values. */
export interface EntryHead {
  /** By the server's clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly eventTime: number | undefined;
  readonly seq: number | undefined;
  /** How far the writer's wall clock was ahead of the server's. */
  readonly aheadMs: number;
  readonly weight: number;
  readonly source: CacheEntry['source'];
}

const FLOATS = '$f64';

/** `sentAt|eventTime|seq|receivedAt|aheadMs|weight|source|` and the value as JSON, arrays of floats as their bytes. */
export function encodeEntry({ sentAt, eventTime, seq, receivedAt, aheadMs, weight, source }: EntryHead, value: unknown): string {
  const head = [sentAt.toFixed(3), eventTime ?? '', seq ?? '', receivedAt.toFixed(3), aheadMs.toFixed(3), weight, source].join('|');
  return `${head}|${JSON.stringify(value, hasFloats(value) ? floatsToBytes : undefined)}`;
}

/** @throws SyntaxError where it is something else */
export function decodeEntry(text: string): EntryHead & { readonly value: unknown } {
  const parts: string[] = [];
  let at = 0;
  for (let i = 0; i < 7; i++) {
    const end = text.indexOf('|', at);
    if (end < 0) throw new SyntaxError('it has no head');
    parts.push(text.slice(at, end));
    at = end + 1;
  }
  const [sentAt, eventTime, seq, receivedAt, aheadMs, weight, source] = parts as [string, string, string, string, string, string, string];
  const json = text.slice(at);
  return {
    sentAt: Number(sentAt),
    eventTime: eventTime === '' ? undefined : Number(eventTime),
    seq: seq === '' ? undefined : Number(seq),
    receivedAt: Number(receivedAt),
    aheadMs: Number(aheadMs),
    weight: Number(weight),
    source: source as CacheEntry['source'],
    value: JSON.parse(json, json.includes(FLOATS) ? bytesToFloats : undefined),
  };
}

function hasFloats(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some((member) => member instanceof Float64Array);
}

function floatsToBytes(_: string, value: unknown): unknown {
  if (!(value instanceof Float64Array)) return value;
  return { [FLOATS]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function bytesToFloats(_: string, value: unknown): unknown {
  const text = (value as { readonly [FLOATS]?: unknown } | null)?.[FLOATS];
  if (typeof text !== 'string') return value;
  const bytes = Buffer.from(text, 'base64');
  // A copy, for a buffer of the pool may begin anywhere.
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
