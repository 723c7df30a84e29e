import { describe, expect, it } from 'vitest';
import { orderParams, venueOrderOf } from '../../../../src/sdk/binance/orders/orders.js';

const intent = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '1' } as const;
const answer = {
  orderId: 7,
  clientOrderId: 'mine',
  status: 'FILLED',
  side: 'SELL',
  price: '0.00',
  origQty: '1.0',
  executedQty: '1.0',
  updateTime: 5,
};

describe('an order for Binance', () => {
  it('hands quantities, prices and unknown extras on as they are', () => {
    expect(
      orderParams({ ...intent, type: 'limit', qty: '0.10000000', price: '7000.10', extra: { icebergQty: '0.01' } }, 'BTCUSDT', 'mine'),
    ).toMatchObject({
      quantity: '0.10000000',
      price: '7000.10',
      icebergQty: '0.01',
    });
  });

  it.each(['quantity', 'quoteOrderQty', 'price', 'side', 'symbol', 'newClientOrderId', 'timestamp', 'recvWindow'])(
    'regression: extra changed the order; it is refused where it holds %s',
    (name) => {
      expect(() => orderParams({ ...intent, extra: { [name]: '100' } }, 'BTCUSDT', 'mine')).toThrow(
        `extra must not hold ${name}, which the order itself decides, got "100"`,
      );
    },
  );

  it('regression: an unknown side was read as a sale, and a missing time as none at all', () => {
    expect(venueOrderOf(answer, 'BTC/USDT')).toMatchObject({ side: 'sell', venueTime: 5 });
    expect(() => venueOrderOf({ ...answer, side: 'SHORT' }, 'BTC/USDT')).toThrow(/unknown side "SHORT"/);
    expect(() => venueOrderOf({ ...answer, updateTime: undefined }, 'BTC/USDT')).toThrow(/no time/);
  });
});
