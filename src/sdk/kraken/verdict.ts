import type { FailureVerdict } from '../shared/guarded-endpoints.js';
import { type HttpFacts, numberIn, readerOf, wasNeverConnected } from '../shared/http-facts.js';

/** How an error of Kraken is recognised, what it proves, and where that is from. */
export interface ErrorRow {
  readonly error: RegExp;
  readonly verdict: 'refused' | 'rejected' | 'duplicate' | 'unknown';
  /** Whose counter is full. */
  readonly limit?: 'rest' | 'engine';
  readonly isBan?: true;
  readonly resyncClock?: true;
  readonly retryAfterMs?: number;
  readonly source: string;
}

const GUIDE = 'docs.kraken.com, Spot error messages';
const SUPPORT = 'support.kraken.com, API error messages';
const SDK = "krakenfx/kraken-api-sdk, Kraken's own SDK, error handling";
const LOCKOUT_MS = 15 * 60_000;

/**
 * What Kraken's errors prove, the first row that fits; they come with HTTP 200. Whatever is not here is an unknown outcome.
 * ccxt's error classes take no part in it: `EService:Timeout` and `Deadline elapsed` are plain ExchangeErrors there.
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  {
    error: /^E(?:API|Auth):Rate limit exceeded|^E(?:General|Auth):Too many requests/,
    verdict: 'refused',
    limit: 'rest',
    source: `${SDK}: the counter of the REST API is full; restricted for a few seconds`,
  },
  {
    error: /^EService: ?Throttled/,
    verdict: 'refused',
    limit: 'rest',
    source: `${SDK}: too many requests at once; says until when, in epoch seconds`,
  },
  {
    error: /^EOrder:(?:Domain rate|Rate) limit exceeded/,
    verdict: 'refused',
    limit: 'engine',
    source: `${GUIDE}, and Spot trading limits: the matching engine rejects what is over its counter of the pair, or of the account`,
  },
  {
    error: /^EGeneral:Temporary lockout/,
    verdict: 'refused',
    isBan: true,
    retryAfterMs: LOCKOUT_MS,
    source: `${SUPPORT}: too many calls with a wrong key, signature or nonce; about 15 minutes`,
  },
  {
    error: /^EGeneral:Invalid arguments:.*deadline/i,
    verdict: 'refused',
    resyncClock: true,
    source: 'docs.kraken.com, Add order: a deadline is 2 to 60 seconds ahead, else an invalid argument. The words after that are not documented',
  },
  {
    error: /^EService:Deadline elapsed/,
    verdict: 'unknown',
    source: `${GUIDE}: "the request timed out according to the deadline", which does not say that the engine has not acted`,
  },
  {
    error: /^EAPI:Invalid nonce/,
    verdict: 'unknown',
    source: `${GUIDE}: one nonce counts once. Delivered twice, a request gets this the second time, when the first may have been executed`,
  },
  {
    error: /^EService:Market in (?:cancel_only|post_only|limit_only) mode/,
    verdict: 'rejected',
    source: `${GUIDE}: the request can't be made at this time`,
  },
  {
    error: /^EService:|^EGeneral:Internal error|^EDatabase:/,
    verdict: 'unknown',
    source: `${GUIDE}, and knowm/XChange #1899: orders were executed behind such errors`,
  },
  {
    error: /^E(?:Order|General):.*(?:duplicate|cl_ord_id not unique|cl_ord_id.*(?:already|in use))/i,
    verdict: 'duplicate',
    source:
      'docs.kraken.com, Spot client order identifiers: unique among open orders, which it verifies; its words are not documented. Users report "EGeneral:Invalid arguments:cl_ord_id not unique"; the others are assumptions. A duplicate is looked up, and adopted only where all agrees',
  },
  {
    error: /^EGeneral:Invalid arguments:cl_ord_id/,
    verdict: 'rejected',
    source:
      'docs.kraken.com, Spot client order identifiers: a UUID, or up to 18 characters; users report these words, alone, for an id of another form',
  },
  { error: /^EOrder:/, verdict: 'rejected', source: `${GUIDE}; ${SDK}: EOrder is a refusal of the order` },
  { error: /^EGeneral:(?:Invalid arguments|Permission denied|Unknown method)/, verdict: 'rejected', source: `${GUIDE}: the request is not acted on` },
  { error: /^EAPI:(?:Invalid key|Invalid signature|Bad request)/, verdict: 'rejected', source: `${GUIDE}: not authenticated` },
  {
    error: /^E(?:Query|Trade|Account|Auth|BM|Funding|Session):/,
    verdict: 'rejected',
    source: `${GUIDE}: the request, the account or its permissions`,
  },
];

/** A page that is not Kraken's: what stands before it has not let the request pass. */
const FIREWALL = 403;
const TOO_MANY = 429;
const OK = 200;
const DOUBT: ErrorRow = { error: /^/, verdict: 'unknown', source: 'not listed' };

/** What a failure proved, and which counter has refused. */
export interface KrakenVerdict {
  readonly verdict: FailureVerdict;
  readonly limit?: 'rest' | 'engine';
}

/** Reads a failure by what the venue answered, never by the class of the SDK's error. @param now - epoch ms, for times that errors state */
export function verdictOf(call: HttpFacts, error: unknown, now: number): KrakenVerdict {
  if (!call.sent) return { verdict: { kind: 'not_sent', cause: error } };
  const { status } = call;
  if (status === undefined) return { verdict: wasNeverConnected(error) ? { kind: 'not_sent', cause: error } : { kind: 'unknown', cause: error } };
  if (status === TOO_MANY) {
    const seconds = numberIn(readerOf(call.headers), 'retry-after');
    return { verdict: { kind: 'refused', cause: error, ...(seconds >= 0 ? { retryAfterMs: seconds * 1_000 } : {}) }, limit: 'rest' };
  }
  const errors = errorsIn(call.body);
  if (status === FIREWALL && errors.length === 0) return { verdict: { kind: 'refused', cause: error, ban: true } };
  if (status !== OK || errors.length === 0) return { verdict: { kind: 'unknown', cause: error } };
  const rows = errors.map((words) => [words, ERROR_TABLE.find((row) => row.error.test(words)) ?? DOUBT] as const);
  // Of several the one that proves least counts.
  const [words, row] = rows.find(([, one]) => one.verdict === 'unknown') ?? rows[0]!;
  return { verdict: verdictBy(row, words, error, now), ...(row.limit === undefined ? {} : { limit: row.limit }) };
}

function verdictBy(row: ErrorRow, words: string, cause: unknown, now: number): FailureVerdict {
  switch (row.verdict) {
    case 'refused': {
      const retryAfterMs = row.retryAfterMs ?? untilIn(words, now);
      return {
        kind: 'refused',
        cause,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(row.isBan === undefined ? {} : { ban: true }),
        ...(row.resyncClock === undefined ? {} : { resyncClock: true }),
      };
    }
    case 'rejected':
      return { kind: 'rejected', code: words, cause };
    default:
      return { kind: row.verdict, cause };
  }
}

/** Of `EService: Throttled: 1733815269`. */
function untilIn(words: string, now: number): number | undefined {
  const seconds = /Throttled:\s*(\d{9,11})/.exec(words)?.[1];
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1_000 - now);
}

/** Kraken's errors in an answer; warnings are none. */
function errorsIn(body: string | undefined): readonly string[] {
  if (body === undefined) return [];
  try {
    const parsed = JSON.parse(body) as { error?: unknown } | null;
    const errors = Array.isArray(parsed?.error) ? (parsed.error as readonly unknown[]) : [];
    return errors.filter((one): one is string => typeof one === 'string' && one.startsWith('E'));
  } catch {
    return [];
  }
}

/** Whether a look-up by Kraken's id says that there is no such order. */
export function isNotFound({ verdict }: KrakenVerdict): boolean {
  return verdict.kind === 'rejected' && /^E(?:Order|Query):(?:Invalid|Unknown) order/.test(verdict.code);
}
