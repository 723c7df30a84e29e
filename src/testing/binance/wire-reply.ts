import type { Fault } from '../faults.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Refusal } from '../venue/answers.js';

export function failure(code: number, msg: string, status = 400): WireReply {
  return { status, body: { code, msg } };
}

export function missing(parameter: string): WireReply {
  return failure(-1102, `Mandatory parameter '${parameter}' was not sent, was empty/null, or malformed.`);
}

/** Binance's words for why the venue did not act. Source: developers.binance.com, spot API, error codes. */
export function refusalReply(refusal: Refusal, venueNow: number): WireReply {
  const { reason, message, retryAfterMs = 0 } = refusal;
  switch (reason) {
    case 'too_many_requests':
      return { ...failure(-1003, 'Too much request weight used; please wait before sending more requests.', 429), retryAfterMs };
    case 'banned':
      return {
        ...failure(-1003, `Way too much request weight used; IP banned until ${Math.ceil(venueNow + retryAfterMs)}.`, 418),
        retryAfterMs,
      };
    case 'timestamp_outside_fence':
      return failure(-1021, message);
    case 'fence_too_long':
      return failure(-1131, "'recvWindow' must be less than 60000.");
    case 'unknown_symbol':
      return failure(-1121, 'Invalid symbol.');
    case 'price_filter':
      return failure(-1013, 'Filter failure: PRICE_FILTER');
    case 'lot_size':
      return failure(-1013, 'Filter failure: LOT_SIZE');
    case 'min_notional':
      return failure(-1013, 'Filter failure: NOTIONAL');
    case 'bad_client_id':
      return failure(-1100, "Illegal characters found in parameter 'newClientOrderId'.");
    case 'bad_parameter':
      return failure(-1100, message);
    case 'unknown_order':
      return failure(-2011, message);
    case 'rejected':
      return failure(-2010, 'Order rejected.');
    // No money and a client id that is taken share one code; only the words differ.
    case 'insufficient_funds':
    case 'duplicate_client_id':
    case 'would_match':
    case 'bad_list':
      return failure(-2010, message);
  }
}

/** What a `status` fault answers. */
export function statusReply(fault: Fault, venueNow: number): WireReply {
  const status = fault.status ?? 503;
  const code = fault.code ?? (status === 429 || status === 418 ? -1003 : status === 408 || status === 504 ? -1007 : -1000);
  const retryAfterMs = fault.ms === undefined ? undefined : { retryAfterMs: fault.ms };
  // How long a ban lasts stands in its words, too.
  if (status === 418 && fault.ms !== undefined && fault.code === undefined)
    return refusalReply({ ok: false, reason: 'banned', message: '', retryAfterMs: fault.ms }, venueNow);
  return { ...failure(code, MESSAGES[code] ?? 'An unknown error occurred while processing the request.', status), ...retryAfterMs };
}

const MESSAGES: Readonly<Record<number, string>> = {
  [-1003]: 'Too much request weight used; please wait before sending more requests.',
  [-1007]: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
  [-1021]: 'Timestamp for this request is outside of the recvWindow.',
};
