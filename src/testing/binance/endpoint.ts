import type { VenueOperation } from '../faults.js';
import type { RequestContext } from '../served/request-line.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Desk } from '../venue/desk.js';
import type { VenueCore } from '../venue/venue-core.js';
import { failure, missing } from './wire-reply.js';

/** One request as an endpoint sees it. */
export interface Request extends RequestContext {
  readonly params: URLSearchParams;
}

export interface Endpoint {
  /** What faults call it. */
  readonly operation: VenueOperation;
  readonly signed: boolean;
  /** Not signed, but asks for a valid API key. */
  readonly needsKey?: boolean;
  /** Request weight, as Binance counts it. */
  readonly weight: number | ((params: URLSearchParams) => number);
  /** How many orders it counts as. @defaultValue 1 where it places */
  readonly orders?: number;
  readonly run: (request: Request) => WireReply;
}

/** The desk of the symbol that a request names, or what to answer where it names none. */
export function deskOf({ core, params }: Pick<Request, 'core' | 'params'>): Desk | WireReply {
  const id = params.get('symbol');
  if (id === null || id === '') return missing('symbol');
  return deskById(core, id) ?? failure(-1121, 'Invalid symbol.');
}

export function deskById(core: VenueCore, id: string): Desk | undefined {
  for (const desk of core.desks.values()) if (desk.market.symbol.id === id) return desk;
  return undefined;
}

export function isReply(value: object): value is WireReply {
  return 'status' in value;
}

/** A whole number of the request; undefined where it is absent or no number. */
export function integer(params: URLSearchParams, name: string): number | undefined {
  const value = params.get(name);
  return value !== null && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}
