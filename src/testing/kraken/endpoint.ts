import type { VenueOperation } from '../faults.js';
import type { RequestContext } from '../served/request-line.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Desk } from '../venue/desk.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import { pairAltname, pairId, pairWsname } from './asset-codes.js';
import type { Ids } from './ids.js';

/** One request as an endpoint sees it. */
export interface Request extends RequestContext {
  readonly params: URLSearchParams;
  readonly ids: Ids;
}

export interface Endpoint {
  /** What faults call it. */
  readonly operation: VenueOperation | ((params: URLSearchParams) => VenueOperation);
  readonly isPrivate: boolean;
  /** What it adds to the counter of the REST API; orders and cancels are counted by the matching engine instead. */
  readonly counts: number;
  readonly run: (request: Request) => WireReply;
}

/** The desk of a pair by its id, altname or wsname. */
export function deskOf(core: VenueCore, pair: string): Desk | undefined {
  for (const desk of core.desks.values()) {
    const { symbol } = desk.market;
    if (pair === pairId(symbol) || pair === pairAltname(symbol) || pair === pairWsname(symbol)) return desk;
  }
  return undefined;
}

/** The order that a request names by `txid` or `cl_ord_id`. */
export function namedOrder({ core, account, params, ids }: Pick<Request, 'core' | 'account' | 'params' | 'ids'>): OrderRecord | undefined {
  const clientOrderId = params.get('cl_ord_id');
  if (clientOrderId !== null) return core.engine.find(account, { clientOrderId });
  const number = ids.numberOf('O', params.get('txid') ?? '');
  return number === undefined ? undefined : core.engine.find(account, { venueOrderId: String(number) });
}

/** A number of the request, such as a time in seconds; undefined where it is absent or none. */
export function numberIn(params: URLSearchParams, name: string): number | undefined {
  const value = params.get(name);
  return value !== null && /^\d{1,16}(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}
