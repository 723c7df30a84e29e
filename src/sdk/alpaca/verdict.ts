import type { FailureVerdict } from '../shared/guarded-endpoints.js';
import { type HeaderReader, type HttpFacts, numberIn, readerOf, wasNeverConnected } from '../shared/http-facts.js';

/** How an answer of Alpaca is recognised, what it proves, and where that is from. */
export interface ErrorRow {
  readonly status: number;
  /** Absent: any code, or none. */
  readonly code?: number;
  readonly message?: RegExp;
  readonly verdict: 'refused' | 'rejected' | 'duplicate';
  readonly source: string;
}

const REFERENCE = 'docs.alpaca.markets, Trading API reference';

/**
 * What Alpaca's answers prove; the first row that fits counts. Whatever is not here is an unknown outcome: 408, 5xx,
 * pages of a gateway, bodies that end in the middle. The SDKs' error classes take no part in it.
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  { status: 429, verdict: 'refused', source: 'docs.alpaca.markets, usage limits: refused before it is acted on; X-RateLimit-Reset says until when' },
  {
    status: 422,
    code: 40_010_001,
    message: /client_order_id must be unique/i,
    verdict: 'duplicate',
    source: `${REFERENCE}, POST /v2/orders: client_order_id is unique for good`,
  },
  { status: 400, verdict: 'rejected', source: `${REFERENCE}: the request is not understood` },
  { status: 401, verdict: 'rejected', source: `${REFERENCE}: 40110000, the credentials are not accepted` },
  {
    status: 403,
    code: 40_310_000,
    verdict: 'rejected',
    source: `${REFERENCE}, POST /v2/orders: buying power or quantity is not sufficient, or the account is restricted`,
  },
  { status: 404, code: 40_410_000, verdict: 'rejected', source: `${REFERENCE}: order or position is not found` },
  { status: 422, verdict: 'rejected', source: `${REFERENCE}: 42210000 and 40010001, the input is not accepted, or the order is over` },
];

/** A 403 or 404 in other words than Alpaca's comes from what stands before it: the request did not pass. */
const FIREWALL = 403;

interface VenueFault {
  readonly code: number | undefined;
  readonly message: string;
}

/** Reads a failure by what the venue answered, never by the class of the SDK's error. @param now - epoch ms, for times that headers state */
export function verdictOf(call: HttpFacts, error: unknown, now: number): FailureVerdict {
  if (!call.sent) return { kind: 'not_sent', cause: error };
  const { status } = call;
  if (status === undefined) return wasNeverConnected(error) ? { kind: 'not_sent', cause: error } : { kind: 'unknown', cause: error };
  const fault = faultIn(call.body);
  const row = ERROR_TABLE.find(
    (one) =>
      one.status === status &&
      (one.code === undefined || one.code === fault?.code) &&
      (one.message === undefined || one.message.test(fault?.message ?? '')),
  );
  if (row === undefined || (fault === undefined && row.verdict !== 'refused')) {
    if (status === FIREWALL && fault === undefined) return { kind: 'refused', cause: error, ban: true };
    if (fault !== undefined && (status === 403 || status === 404)) return { kind: 'rejected', code: String(fault.code ?? status), cause: error };
    return { kind: 'unknown', cause: error };
  }
  switch (row.verdict) {
    case 'refused': {
      const retryAfterMs = retryAfterOf(readerOf(call.headers), now);
      return { kind: 'refused', cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    case 'duplicate':
      return { kind: 'duplicate', cause: error };
    default:
      return { kind: 'rejected', code: String(fault?.code ?? status), cause: error };
  }
}

/** How long a refusal asks to wait: Retry-After in seconds, else the reset of the limit in epoch seconds. Undefined where neither is there. */
export function retryAfterOf(header: HeaderReader, now: number): number | undefined {
  const seconds = numberIn(header, 'retry-after');
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
  const reset = numberIn(header, 'x-ratelimit-reset');
  return Number.isFinite(reset) ? Math.max(0, reset * 1_000 - now) : undefined;
}

// Alpaca's errors are JSON with a message, and mostly a code: anything else is somebody else's answer.
function faultIn(body: string | undefined): VenueFault | undefined {
  if (body === undefined) return undefined;
  try {
    const parsed = JSON.parse(body) as { code?: unknown; message?: unknown } | null;
    if (typeof parsed !== 'object' || parsed === null || typeof parsed.message !== 'string') return undefined;
    return { code: typeof parsed.code === 'number' ? parsed.code : undefined, message: parsed.message };
  } catch {
    return undefined;
  }
}

/** What Alpaca says in an answer of its own; nothing where it is somebody else's. */
export function messageIn(body: string | undefined): string {
  return faultIn(body)?.message ?? '';
}

/** Whether a look-up says that there is no such order. */
export function isNotFound(call: HttpFacts): boolean {
  return call.status === 404 && faultIn(call.body) !== undefined;
}
