import type { Fault } from '../faults.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import type { Refusal } from '../venue/answers.js';

/** Kraken's own errors come with HTTP 200. */
export function failure(error: string): WireReply {
  return ok({ error: [error] });
}

export function result(value: unknown): WireReply {
  return ok({ error: [], result: value });
}

export function invalid(argument: string): WireReply {
  return failure(`EGeneral:Invalid arguments:${argument}`);
}

export const UNKNOWN_PAIR: WireReply = failure('EQuery:Unknown asset pair');

/**
 * Kraken's words for why the venue did not act. Source: docs.kraken.com, error messages, and the errors that ccxt knows. What is said of a
 * client order id that is taken is not documented, only that it is refused; the words are those that users report.
 * @param isOrder - whether the matching engine's counter has refused, or that of the REST API.
 */
export function refusalReply({ reason }: Refusal, isOrder: boolean): WireReply {
  switch (reason) {
    case 'too_many_requests':
      return failure(isOrder ? 'EOrder:Rate limit exceeded' : 'EAPI:Rate limit exceeded');
    case 'banned':
      return failure('EGeneral:Temporary lockout');
    case 'timestamp_outside_fence':
      return failure('EService:Deadline elapsed');
    case 'fence_too_long':
      return invalid('deadline');
    case 'unknown_symbol':
      return UNKNOWN_PAIR;
    case 'price_filter':
      return failure('EOrder:Tick size check failed');
    case 'lot_size':
      return invalid('volume');
    case 'min_notional':
      return failure('EOrder:Cost minimum not met');
    case 'bad_client_id':
      return invalid('cl_ord_id');
    case 'bad_parameter':
      return failure('EGeneral:Invalid arguments');
    case 'unknown_order':
      return failure('EOrder:Unknown order');
    case 'would_match':
      return failure('EOrder:Post only order');
    case 'rejected':
    case 'bad_list':
      return REJECTED;
    case 'insufficient_funds':
      return failure('EOrder:Insufficient funds');
    case 'duplicate_client_id':
      return invalid('cl_ord_id not unique');
  }
}

export const REJECTED: WireReply = failure('EOrder:Invalid order');

/** What Kraken says in place of an HTTP status of its own. */
const WORDS: Readonly<Record<number, string>> = {
  408: 'EService:Timeout',
  418: 'EGeneral:Temporary lockout',
  429: 'EAPI:Rate limit exceeded',
  500: 'EGeneral:Internal error',
  503: 'EService:Unavailable',
  504: 'EService:Timeout',
};

/** What a `status` fault answers: the error that says the same, with HTTP 200, or the bare status of the gateway before it. */
export function statusReply({ status = 503 }: Fault): WireReply {
  const words = WORDS[status];
  return words === undefined ? { status, body: undefined } : failure(words);
}
