import type { WebsocketAPIClient } from 'binance';
import { describe, expect, it, vi } from 'vitest';
import { factsOf, ready, release, resilient, toAdapter } from '../../../../src/sdk/binance/index.js';
import type { BinanceResilientOptions } from '../../../../src/sdk/binance/resilient.js';
import { serveBinance } from '../../../../src/testing/index.js';
import { binanceVenue, CAPABILITIES, caught, newSieblyApi } from './given.js';

const MARKET = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 } as const;
const LIMIT = { ...MARKET, type: 'LIMIT', timeInForce: 'GTC', price: 40_000 } as const;

type Wanted = Parameters<WebsocketAPIClient['submitNewSpotOrder']>[0];
const now = <T extends object>(params: T) => ({ ...params, timestamp: Date.now() }) as unknown as Wanted & never;

// However busy the machine is.
const soon = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000, interval: 20 });

async function given(options: BinanceResilientOptions | 'raw' = {}) {
  const venue = binanceVenue({ visibilityLagMs: 0 });
  const served = await serveBinance(venue);
  const api = newSieblyApi(served);
  if (options !== 'raw') {
    resilient(api, { capabilities: CAPABILITIES, policy: { timeoutMs: 5_000 }, ...options });
    await ready(api, { deadlineMs: 30_000 });
  }
  return {
    venue,
    served,
    api,
    requests: (name: string): number => served.stats().requestsByEndpoint[name] ?? 0,
    async [Symbol.asyncDispose]() {
      await release(api);
      api.getWSClient().closeAll(true);
      await served.close();
    },
  };
}

describe('orders of a resilient WebsocketAPIClient of binance', () => {
  it('go out over its own connection, and are answered as the raw one answers', async () => {
    await using raw = await given('raw');
    await using wrapped = await given();
    const seen = async (api: WebsocketAPIClient): Promise<unknown[]> => {
      const placed = await api.submitNewSpotOrder(now({ ...LIMIT, newClientOrderId: 'x-U5D79M5B-1' }));
      const { orderId } = placed.result as { orderId: number };
      const status = await api.getSpotOrderStatus(now({ symbol: LIMIT.symbol, orderId }));
      const open = await api.getSpotOpenOrders(now({ symbol: LIMIT.symbol }));
      const price = await api.getSpotSymbolPriceTicker({ symbol: LIMIT.symbol });
      const cancelled = await api.cancelSpotOrder(now({ symbol: LIMIT.symbol, orderId }));
      const poor = await caught(api.submitNewSpotOrder(now({ ...MARKET, quantity: 100, newClientOrderId: 'x-U5D79M5B-2' })));
      const gone = await caught(api.cancelSpotOrder(now({ symbol: LIMIT.symbol, orderId: 999 })));
      return [placed, status, open, price, cancelled, poor, gone].map(lasting);
    };
    expect(await seen(wrapped.api)).toEqual(await seen(raw.api));
    expect(wrapped.requests('WS order.place')).toBe(2);
    expect(factsOf(await caught(wrapped.api.submitNewSpotOrder(now({ ...MARKET, quantity: 100 }))))).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    await wrapped.api.submitNewSpotOrder(now(MARKET));
    expect(wrapped.venue.orders().at(-1)?.clientOrderId).toMatch(/^x-U5D79M5B/);
  });

  it('replace an order once where the session is lost after the venue has acted, and tell both halves', async () => {
    await using wrapped = await given();
    const { api, venue } = wrapped;
    const { orderId } = (await api.submitNewSpotOrder(now(LIMIT))).result as { orderId: number };
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const replacing = { ...LIMIT, price: 41_000, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: orderId };
    const { result } = await api.cancelReplaceSpotOrder(now(replacing));
    expect(result).toMatchObject({
      ...{ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', cancelResponse: { orderId, status: 'CANCELED' } },
      newOrderResponse: { orderId: Number(venue.orders()[1]?.venueOrderId), price: '41000.00000000' },
    });
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled', 'working']);
  });

  it('carry no key and no signature in their errors', async () => {
    await using wrapped = await given();
    const { api } = wrapped;
    const poor = await caught(api.submitNewSpotOrder(now({ ...MARKET, quantity: 100 })));
    const unread = await caught(api.getSpotOrderStatus(now({ symbol: LIMIT.symbol, orderId: 999 })));
    for (const error of [poor, unread]) expect(JSON.stringify(error)).not.toMatch(/"apiKey":"(?!\[hidden)|[0-9a-f]{64}/);
  });

  it('are no base for an adapter, which says so', async () => {
    await using raw = await given('raw');
    expect(() => toAdapter(raw.api)).toThrow(/WebsocketAPIClient of binance, which is no base for an adapter/);
  });
});

describe('own events of a resilient WebsocketAPIClient of binance', () => {
  it('tell what happened while the connection was down, each once, and go on', async () => {
    await using wrapped = await given();
    const { api, venue } = wrapped;
    const reports: { x: string; i: number; recovered?: boolean }[] = [];
    api.getWSClient().on('message', (event) => {
      if ('e' in event && event.e === 'executionReport') reports.push(event as never);
    });
    await api.subscribeUserDataStream('mainWSAPI');
    const { result } = await api.submitNewSpotOrder(now(LIMIT));
    const { orderId } = result as { orderId: number };
    await soon(() => expect(reports).toHaveLength(1));
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'events', times: 1 });
    venue.fill(String(orderId), { qty: '0.004' });
    venue.cancelExternal(String(orderId));
    await soon(() => expect(reports.map(({ x, recovered }) => `${x} ${recovered}`)).toEqual(['NEW undefined', 'TRADE true', 'CANCELED true']));
    await api.submitNewSpotOrder(now(MARKET));
    await soon(() => expect(reports.slice(3).map(({ x, recovered }) => `${x} ${recovered}`)).toEqual(['NEW undefined', 'TRADE undefined']));
  });
});

/** What does not depend on when it was, nor on how much of the limits was used, nor on how requests are signed and numbered. */
function lasting(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, member: unknown) => {
      if (name === 'rateLimits') return Array.isArray(member);
      if (name === 'request' || name === 'id') return undefined;
      return /time/i.test(name) && typeof member === 'number' ? 'a time' : member;
    }),
  );
}
