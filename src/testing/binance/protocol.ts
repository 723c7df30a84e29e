import type { Limit } from '../../core/limits.js';
import type { Incoming, Protocol } from '../served/request-line.js';
import type { WireReply } from '../served/wire-reply.js';
import { authenticate, type VenueCredentials } from './authenticate.js';
import type { Endpoint } from './endpoint.js';
import { failure, refusalReply, statusReply } from './wire-reply.js';

/** What Binance says of every request alike. Its weights count by IP, its orders by account. */
export const BINANCE: Protocol = {
  reported: [
    { id: 'weight', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
    { id: 'orders', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
  ],
  units: ({ scope }: Limit, { operation, weight, orders = 1 }) => {
    if (scope === 'ip') return weight;
    if (operation === 'place') return orders;
    return scope === 'symbol' && operation === 'cancel' ? 1 : 0;
  },
  refusal: refusalReply,
  rejected: failure(-2010, 'Order rejected.'),
  failed: failure(-1000, 'An unknown error occurred.', 500),
  status: statusReply,
};

/** A request with what Binance asks for on top: a key, and a signature. */
export interface SignedRequest {
  readonly endpoint: Endpoint;
  readonly params: URLSearchParams;
  readonly key: string | undefined;
  /** What the signature is over; either form counts. */
  readonly signed: readonly string[];
  /** The connection has logged on with a key: signatures may be left out. */
  readonly isLoggedOn?: boolean;
}

/** What the line carries of it. */
export function incomingOf(credentials: VenueCredentials, request: SignedRequest): Incoming {
  const { endpoint, params, key, signed, isLoggedOn = false } = request;
  return {
    operation: endpoint.operation,
    weight: typeof endpoint.weight === 'number' ? endpoint.weight : endpoint.weight(params),
    symbol: params.get('symbol') ?? undefined,
    orders: endpoint.orders,
    run: (context) => {
      const refused = endpoint.signed
        ? authenticate(context.core, credentials, { key, signed, params, isLoggedOn })
        : endpoint.needsKey === true
          ? keyRefusal(key, credentials)
          : undefined;
      return refused ?? endpoint.run({ ...context, params });
    },
  };
}

function keyRefusal(key: string | undefined, credentials: VenueCredentials): WireReply | undefined {
  if (key === undefined || key === '') return failure(-2014, 'API-key format invalid.', 401);
  return key === credentials.apiKey ? undefined : failure(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
}
