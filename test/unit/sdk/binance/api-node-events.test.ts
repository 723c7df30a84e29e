import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../../src/contracts/events.js';
import { ManualClock } from '../../../../src/core/manual-clock.js';
import type { OrderPath } from '../../../../src/sdk/binance/orders/order-path.js';
import { keepApiNodeEvents } from '../../../../src/sdk/binance/sdks/api-node-events.js';
import type { Json } from '../../../../src/sdk/shared/json.js';

const AT = 1_700_000_000_000;

const order = (over: object): Json => ({
  ...{ symbol: 'BTCUSDT', orderId: 7, clientOrderId: 'mine', price: '5.00000000', origQty: '2.00000000', side: 'BUY', type: 'LIMIT' },
  ...{ timeInForce: 'GTC', status: 'NEW', executedQty: '0.00000000', cummulativeQuoteQty: '0.00000000', time: AT + 10, updateTime: AT + 10 },
  ...over,
});

/** The SDK's `ws` with connections that say what the test says, and a client whose listings the test writes. */
function given() {
  const clock = new ManualClock(AT);
  const closing = new AbortController();
  const lists: Record<string, Json[]> = { openOrders: [], allOrders: [], myTrades: [] };
  const connections: { tell(event: Json): void; isClosed: boolean }[] = [];
  const sockets = {
    user: (listener?: (event: Json) => void) => {
      const connection = { tell: (event: Json) => listener?.(event), isClosed: false };
      connections.push(connection);
      return Promise.resolve(() => {
        connection.isClosed = true;
      });
    },
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const path = {
    session: { clock, logger, bus: new EventBus() },
    ask: (endpoint: string) => Promise.resolve({ json: lists[endpoint.split('/').at(-1) as string] ?? lists.allOrders?.[0], at: clock.now() }),
    markets: () => new Set<string>(),
  } as unknown as OrderPath;
  keepApiNodeEvents(sockets, { path, closing: closing.signal, route: () => Promise.reject(new Error('no call')) });
  return { clock, lists, connections, sockets };
}

const LIVE = {
  ...{ eventType: 'executionReport', eventTime: AT + 10, symbol: 'BTCUSDT', newClientOrderId: 'mine', originalClientOrderId: '', side: 'BUY' },
  ...{ orderType: 'LIMIT', timeInForce: 'GTC', quantity: '2.00000000', price: '5.00000000', executionType: 'NEW', orderStatus: 'NEW', orderId: 7 },
  ...{ orderTime: AT + 10, lastTradeQuantity: '0.00000000', totalTradeQuantity: '0.00000000', tradeId: -1, creationTime: AT + 10 },
  ...{ totalQuoteTradeQuantity: '0.00000000', lastQuoteTransacted: '0.00000000' },
};

describe('the account’s events of binance-api-node', () => {
  it('are handed on as they came, and once, in either form', async () => {
    const { sockets, connections } = given();
    const told: Json[] = [];
    await sockets.user((event) => told.push(event));
    connections[0]?.tell(LIVE);
    connections[0]?.tell(LIVE);
    connections[0]?.tell({ eventType: 'balanceUpdate', asset: 'BTC' });
    expect(told).toEqual([LIVE, { eventType: 'balanceUpdate', asset: 'BTC' }]);
  });

  it('are read from the listings where the stream was silent about them, in the SDK’s words; and the stream is replaced', async () => {
    const { clock, lists, connections, sockets } = given();
    const told: Json[] = [];
    const close = await sockets.user((event) => told.push(event));
    await clock.advance(1);
    connections[0]?.tell(LIVE);
    const filled = order({ status: 'FILLED', executedQty: '2.00000000', cummulativeQuoteQty: '10.00000000', updateTime: AT + 20 });
    lists.allOrders = [filled];
    lists.myTrades = [
      { id: 3, price: '5.00000000', qty: '2.00000000', quoteQty: '10.00000000', commission: '0.1', commissionAsset: 'BNB', time: AT + 20 },
    ];
    await clock.advance(12_000);
    expect(told).toHaveLength(2);
    expect(told[1]).toMatchObject({
      ...{ eventType: 'executionReport', executionType: 'TRADE', orderStatus: 'FILLED', orderId: 7, tradeId: 3, newClientOrderId: 'mine' },
      ...{ lastTradeQuantity: '2.00000000', totalTradeQuantity: '2.00000000', priceLastTrade: '5.00000000', commissionAsset: 'BNB', recovered: true },
    });
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    // What the first one had to say after all is known.
    connections[1]?.tell({ ...LIVE, ...{ executionType: 'TRADE', orderStatus: 'FILLED', tradeId: 3, lastTradeQuantity: '2.00000000' } });
    expect(told).toHaveLength(2);
    close();
    await clock.advance(60_000);
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });
});
