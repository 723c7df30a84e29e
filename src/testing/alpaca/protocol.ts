import { randomUUID } from 'node:crypto';
import type { ReplyHeaders } from '../served/http-port.js';
import type { Protocol } from '../served/request-line.js';
import type { VenueClock } from '../venue/venue-clock.js';
import { failure, refusalReply, statusReply } from './wire-reply.js';

/** Source: docs.alpaca.markets, usage limits: 200 requests a minute and account. */
const PER_MINUTE = 200;

/** What Alpaca says of every request alike: each counts one. */
export const ALPACA: Protocol = {
  reported: [{ id: 'requests', scope: 'account', kind: 'window', units: PER_MINUTE, perMs: 60_000 }],
  units: () => 1,
  refusal: refusalReply,
  rejected: failure(40_310_000, 'order rejected'),
  failed: { status: 500, body: { code: 50_010_000, message: 'internal server error occurred' } },
  status: statusReply,
};

/**
 * X-RateLimit-* and X-Request-ID on every answer; no Retry-After, which Alpaca does not promise.
 * Source: docs.alpaca.markets, usage limits; the headers that @alpacahq/alpaca-trade-api 4 reads.
 */
export function replyHeadersOf(limit: number | undefined, clock: VenueClock): ReplyHeaders {
  return (reply, usage) => {
    const isRefused = reply.status === 429;
    const allowed = limit ?? PER_MINUTE;
    const used = usage[0]?.used ?? 0;
    // A venue that keeps no limit never says that none is left.
    const left = isRefused ? 0 : Math.max(limit === undefined ? 1 : 0, allowed - used);
    const resetMs = clock.venueNow() + (reply.retryAfterMs ?? 60_000);
    return {
      'x-ratelimit-limit': String(allowed),
      'x-ratelimit-remaining': String(left),
      'x-ratelimit-reset': String(Math.ceil(resetMs / 1_000)),
      'x-request-id': randomUUID().replaceAll('-', ''),
    };
  };
}
