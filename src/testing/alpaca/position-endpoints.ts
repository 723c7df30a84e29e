import { divide, floorToStep, isDecimal, multiply, sign } from '../../core/decimal.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { holdingsOf } from './account-summary.js';
import { deskOf, type Endpoint, type Request } from './endpoint.js';
import type { OrderEndpoints } from './order-endpoints.js';
import { type Holding, positionJson } from './wire-format.js';
import { notFound, unprocessable } from './wire-reply.js';

const MULTI_STATUS = 207;

/** Positions. Source: docs.alpaca.markets, Trading API reference, positions. */
export function positionEndpoints(orders: OrderEndpoints): readonly Endpoint[] {
  const close = (request: Request, { symbol }: Holding, qty: string): WireReply =>
    orders.placeIntent(request, { symbol: symbol.name, side: 'sell', type: 'market', qty, timeInForce: 'day' }, undefined);
  return [
    {
      method: 'GET',
      path: '/v2/positions',
      operation: 'balances',
      run: (request) => ok(holdingsOf(request).map((holding) => positionJson(holding, request.ids))),
    },
    {
      method: 'GET',
      path: '/v2/positions/*',
      operation: 'balances',
      run: (request) => {
        const holding = namedHolding(request);
        return holding === undefined ? notFound('position does not exist') : ok(positionJson(holding, request.ids));
      },
    },
    {
      method: 'DELETE',
      path: '/v2/positions',
      operation: 'place',
      run: (request) => {
        const body = holdingsOf(request).map((holding) => {
          const reply = close(request, holding, holding.available);
          return { symbol: holding.symbol.id, status: reply.status, body: reply.body };
        });
        return { status: MULTI_STATUS, body };
      },
    },
    {
      method: 'DELETE',
      path: '/v2/positions/*',
      operation: 'place',
      run: (request) => {
        const holding = namedHolding(request);
        if (holding === undefined) return notFound('position does not exist');
        const share = request.params.get('percentage');
        if (share !== null && (!isDecimal(share) || sign(share) <= 0)) return unprocessable('percentage must be > 0');
        const part = share === null ? holding.available : floorToStep(divide(multiply(holding.available, share), '100'), holding.symbol.qtyStep);
        return close(request, holding, request.params.get('qty') ?? part);
      },
    },
  ];
}

function namedHolding(request: Request): Holding | undefined {
  const name = request.at[0] ?? '';
  const number = request.ids.numberOf('asset', name);
  const symbol = number === undefined ? deskOf(request.core, name)?.market.symbol : [...request.core.desks.values()][number - 1]?.market.symbol;
  return holdingsOf(request).find((holding) => holding.symbol === symbol);
}
