import type { VenueOperation } from '../faults.js';
import type { RequestContext } from '../served/request-line.js';
import type { WireReply } from '../served/wire-reply.js';
import type { Desk } from '../venue/desk.js';
import type { VenueCore } from '../venue/venue-core.js';
import type { Ids } from './ids.js';

/** One request as an endpoint sees it. */
export interface Request extends RequestContext {
  readonly ids: Ids;
  /** What stands at the places of the path that vary, decoded. */
  readonly at: readonly string[];
  readonly params: URLSearchParams;
  /** The JSON body; empty where there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Such as `/v2/orders/*`, where * is any one part. */
  readonly path: string;
  /** What faults call it. */
  readonly operation: VenueOperation;
  readonly run: (request: Request) => WireReply;
}

/** Finds endpoints by method and path. */
export class Router {
  readonly #routes: readonly { readonly endpoint: Endpoint; readonly pattern: RegExp }[];

  constructor(endpoints: readonly Endpoint[]) {
    this.#routes = endpoints.map((endpoint) => ({
      endpoint,
      pattern: new RegExp(`^${endpoint.path.replaceAll('*', '([^/]+)')}$`),
    }));
  }

  find(method: string, path: string): { readonly endpoint: Endpoint; readonly at: readonly string[] } | undefined {
    for (const { endpoint, pattern } of this.#routes) {
      if (endpoint.method !== method) continue;
      const match = pattern.exec(path);
      if (match !== null) return { endpoint, at: match.slice(1).map(decoded) };
    }
    return undefined;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A symbol as Alpaca writes it, `AAPL` or `BTC/USD`; crypto also without its slash, as in positions. */
export function deskOf(core: VenueCore, symbol: string): Desk | undefined {
  const known = core.desks.get(symbol);
  if (known !== undefined) return known;
  for (const desk of core.desks.values()) if (isCrypto(desk.market.symbol.name) && desk.market.symbol.id === symbol) return desk;
  return undefined;
}

/** Alpaca's pairs of crypto assets have a slash; everything else is a share. */
export function isCrypto(symbol: string): boolean {
  return symbol.includes('/');
}

/** A time of the request: RFC-3339, or a date. */
export function timeIn(params: URLSearchParams, name: string): number | undefined {
  const value = params.get(name);
  if (value === null || value === '') return undefined;
  const time = /^\d{10,}$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(time) ? time : undefined;
}

export function integer(params: URLSearchParams, name: string): number | undefined {
  const value = params.get(name);
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
