import type { Fault } from '../faults.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Refusal } from '../venue/answers.js';

/** As Alpaca says no: a code of eight digits that begin with the status, and words. Source: docs.alpaca.markets, Trading API, orders, responses. */
export function failure(code: number, message: string, more: object = {}): WireReply {
  return { status: statusOf(code), body: { ...more, code, message } };
}

// 40010001 is the one code whose status is not in its first digits: a bad parameter comes back as 422.
function statusOf(code: number): number {
  return code === 40_010_001 ? 422 : Math.floor(code / 100_000);
}

export function notFound(what: string): WireReply {
  return failure(40_410_000, what);
}

export function unprocessable(message: string): WireReply {
  return failure(42_210_000, message);
}

/** Alpaca's words for why the venue did not act. */
export function refusalReply(refusal: Refusal): WireReply {
  const { reason, message, retryAfterMs = 0 } = refusal;
  switch (reason) {
    // Alpaca bans nobody: who goes on gets the same answer for longer.
    case 'too_many_requests':
    case 'banned':
      return { ...failure(42_910_000, 'rate limit exceeded'), retryAfterMs };
    case 'duplicate_client_id':
      return failure(40_010_001, 'client_order_id must be unique');
    case 'bad_client_id':
      return failure(40_010_001, 'client_order_id must be no more than 128 characters');
    case 'insufficient_funds':
      return failure(40_310_000, 'insufficient buying power');
    case 'unknown_symbol':
      return unprocessable(message.replace('Invalid symbol:', 'asset not found for'));
    case 'min_notional':
      return failure(40_310_000, 'cost basis must be >= minimal amount of order');
    case 'rejected':
      return failure(40_310_000, 'order rejected');
    default:
      return unprocessable(message);
  }
}

const CODES: Readonly<Record<number, readonly [code: number, message: string]>> = {
  401: [40_110_000, 'request is not authorized'],
  403: [40_310_000, 'forbidden'],
  404: [40_410_000, 'resource not found'],
  422: [42_210_000, 'unprocessable'],
  429: [42_910_000, 'rate limit exceeded'],
};

/** What a `status` fault answers. */
export function statusReply(fault: Fault): WireReply {
  const status = fault.status ?? 503;
  const [code, message] = CODES[status] ?? [status * 100_000 + 10_000, 'internal server error occurred'];
  const retryAfterMs = fault.ms === undefined ? undefined : { retryAfterMs: fault.ms };
  return { status, body: { code: fault.code ?? code, message }, ...retryAfterMs };
}
