import type { Plan, VenueOperation } from '../faults.js';
import type { Desk } from '../venue/desk.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import { failure, missing, type WireReply } from './wire-reply.js';

/** One request as an endpoint sees it. */
export interface Request {
  readonly core: VenueCore;
  readonly account: string;
  readonly params: URLSearchParams;
  /** The engine time that lookups show. */
  readonly asOf: () => number;
  readonly plan: Plan;
  /** Told of an order that was placed, for accept-then-reject. */
  readonly placed: (order: OrderRecord) => void;
}

export interface Endpoint {
  /** What faults call it. */
  readonly operation: VenueOperation;
  readonly signed: boolean;
  /** Not signed, but asks for a valid API key. */
  readonly needsKey?: boolean;
  /** Request weight, as Binance counts it. */
  readonly weight: number | ((params: URLSearchParams) => number);
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
