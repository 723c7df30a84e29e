import { describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../../src/contracts/events.js';
import { factsOf, ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import type { BinanceResilientOptions } from '../../../../src/sdk/binance/resilient.js';
import { serveBinance } from '../../../../src/testing/index.js';
import { binanceVenue, CAPABILITIES, caught, endAtOnce, newSpotWithSocket, type SpotConnection } from './given.js';

// The SDK's logger writes every connection to the console.
vi.stubEnv('LOG_LEVEL', 'error');

const START = { deadlineMs: 30_000 };
type Wanted = Parameters<SpotConnection['orderPlace']>[0];
const MARKET = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 } as Wanted;
const ORDER = { ...MARKET, type: 'LIMIT', timeInForce: 'GTC', price: 40_000 } as Wanted;

// However busy the machine is.
const soon = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000, interval: 20 });

/** A client whose socket is connected, raw or resilient, at a venue of its own. */
async function givenSocket(options: BinanceResilientOptions | 'raw' = {}) {
  const venue = binanceVenue({ visibilityLagMs: 0 });
  const served = await serveBinance(venue);
  const sdk = served.connect(newSpotWithSocket(5_000));
  if (options !== 'raw') {
    resilient(sdk, { capabilities: CAPABILITIES, ...options });
    await ready(sdk, START);
  }
  const socket = await sdk.websocketAPI.connect();
  socket.on('error', () => {});
  const requests = (name: string): number => served.stats().requestsByEndpoint[name] ?? 0;
  return {
    venue,
    served,
    sdk,
    socket,
    requests,
    async [Symbol.asyncDispose]() {
      await release(sdk);
      endAtOnce(socket);
      await served.close();
    },
  };
}

describe('orders over the socket of a resilient @binance/spot', () => {
  it('go out over the SDK’s own connection, and are answered as the raw SDK answers', async () => {
    await using raw = await givenSocket('raw');
    await using given = await givenSocket();
    const { socket, requests, sdk, venue } = given;
    const seen = async (one: typeof socket): Promise<unknown[]> => {
      const placed = await one.orderPlace({ ...ORDER, newClientOrderId: 'mine-1' });
      const { orderId } = placed.data as { orderId: number };
      await soon(async () => expect((await one.openOrdersStatus({ symbol: ORDER.symbol })).data).toHaveLength(1));
      const status = await one.orderStatus({ symbol: ORDER.symbol, orderId });
      const cancelled = await one.orderCancel({ symbol: ORDER.symbol, orderId });
      const refused = await caught(one.orderPlace({ ...MARKET, quantity: 100 }));
      const gone = await caught(one.orderCancel({ symbol: ORDER.symbol, orderId: 999 }));
      const wrong = await caught(one.tickerPrice({ symbol: 'NOSUCH' }));
      return [placed, status, cancelled, refused, gone, wrong].map(lasting);
    };
    expect(await seen(socket)).toEqual(await seen(raw.socket));
    expect([requests('WS order.place'), requests('POST /api/v3/order'), requests('DELETE /api/v3/order')]).toEqual([2, 0, 0]);
    expect(venue.orders()).toHaveLength(1);
    // The journal knows it: the same id is the same order.
    const again = await socket.orderPlace({ ...ORDER, newClientOrderId: 'mine-1' });
    expect(again.data).toMatchObject({ orderId: Number(venue.orders()[0]?.venueOrderId) });
    expect(venue.orders()).toHaveLength(1);
    // A cancel over REST of what was placed over the socket is a cancel of the same order.
    const { data } = await socket.orderPlace(ORDER);
    const { orderId } = data as { orderId: number };
    expect(await (await sdk.restAPI.deleteOrder({ symbol: 'BTCUSDT', orderId })).data()).toMatchObject({ orderId, status: 'CANCELED' });
  });

  it('regression: one that was placed over REST under an id was refused over the socket under that id, where its numbers are no text', async () => {
    await using given = await givenSocket();
    const { socket, sdk, venue } = given;
    const legs = { side: 'SELL', aboveType: 'LIMIT_MAKER', abovePrice: 60_000, belowType: 'STOP_LOSS', belowStopPrice: 30_000 };
    const list = { symbol: 'BTCUSDT', quantity: 0.01, ...legs, aboveClientOrderId: 'both-2' } as never;
    const overRest = [await (await sdk.restAPI.newOrder({ ...ORDER, newClientOrderId: 'both-1' } as never)).data()] as unknown[];
    overRest.push(await (await sdk.restAPI.orderListOco(list)).data());
    const overSocket = [(await socket.orderPlace({ ...ORDER, newClientOrderId: 'both-1' })).data, (await socket.orderListPlaceOco(list)).data];
    expect(overSocket).toEqual(overRest);
    expect(venue.orders()).toHaveLength(3);
    const other = await caught(socket.orderPlace({ ...ORDER, newClientOrderId: 'both-1', quantity: 0.02 }));
    expect(factsOf(other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('replace an order, and place a list, once and whole, where the answer is lost', async () => {
    await using given = await givenSocket();
    const { socket, venue } = given;
    const { data } = await socket.orderPlace({ ...ORDER, newClientOrderId: 'old-1' });
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const old = { cancelOrderId: Number((data as { orderId: number }).orderId), cancelReplaceMode: 'STOP_ON_FAILURE', newClientOrderId: 'new-1' };
    const replaced = await socket.orderCancelReplace({ ...ORDER, ...old, price: 41_000 } as never);
    expect(replaced.data).toMatchObject({ cancelResult: 'SUCCESS', newOrderResponse: { clientOrderId: 'new-1', status: 'NEW' } });
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const legs = { aboveType: 'LIMIT_MAKER', abovePrice: 60_000, belowType: 'STOP_LOSS', belowStopPrice: 30_000 };
    const list = await socket.orderListPlaceOco({ symbol: 'BTCUSDT', side: 'SELL', quantity: 0.01, ...legs } as never);
    expect(list.data).toMatchObject({ contingencyType: 'OCO', orderReports: [{ status: 'NEW' }, { status: 'NEW' }] });
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled', 'working', 'working', 'working']);
  });

  it('are placed over REST while the connection is away, and over it again once it is back', async () => {
    await using given = await givenSocket();
    const { socket, venue, requests } = given;
    const { websocketBase: base } = socket as unknown as { websocketBase: { connectionPool: readonly { ws: { terminate(): void } }[] } };
    base.connectionPool[0]?.ws.terminate();
    const { data } = await socket.orderPlace(ORDER);
    expect([requests('WS order.place'), requests('POST /api/v3/order')]).toEqual([0, 1]);
    expect(data).toMatchObject({ status: 'NEW', clientOrderId: venue.orders()[0]?.clientOrderId });
    await soon(() => expect(socket.isConnected()).toBe(true));
    await socket.orderCancel({ symbol: ORDER.symbol, orderId: (data as { orderId: number }).orderId });
    await socket.orderPlace(MARKET);
    expect([requests('WS order.cancel'), requests('WS order.place')]).toEqual([1, 1]);
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled', 'filled']);
  });

  it('replace an order once where the session is lost after the venue has acted, and tell both halves', async () => {
    await using given = await givenSocket();
    const { socket, venue } = given;
    const { data } = await socket.orderPlace(ORDER);
    const { orderId } = data as { orderId: number };
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const replaced = await socket.orderCancelReplace({
      ...{ ...ORDER, price: 41_000, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: orderId },
    } as unknown as Parameters<SpotConnection['orderCancelReplace']>[0]);
    expect(replaced.data).toMatchObject({
      ...{ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', cancelResponse: { orderId, status: 'CANCELED' } },
      newOrderResponse: { orderId: Number(venue.orders()[1]?.venueOrderId), price: '41000.00000000' },
    });
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled', 'working']);
  });

  it('say what is known where the outcome stays open, in the SDK’s own error', async () => {
    await using given = await givenSocket({ policy: { deadlineMs: 2_000 } });
    const { socket, venue } = given;
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
    const error = await caught(socket.orderPlace({ ...MARKET, newClientOrderId: 'slow-1' }));
    const facts = factsOf(error);
    expect(facts).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId: 'slow-1' });
    expect(error).toBeInstanceOf(Error);
    for (const one of blind) one[Symbol.dispose]();
    expect(await facts?.handle?.acked({ deadlineMs: 60_000 })).toMatchObject({ state: 'filled' });
    expect(venue.orders()).toHaveLength(1);
    const refused = await caught(socket.orderPlace({ ...MARKET, quantity: 100 }));
    expect(factsOf(refused)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
  });
});

interface Report {
  readonly e: string;
  readonly i: number;
  readonly x: string;
  readonly l: string;
  readonly recovered?: boolean;
}

interface Renewing {
  readonly configuration: { readonly wsURL: string };
  readonly connectionPool: readonly object[];
  prepareURL(url: string): string;
  enqueueReconnection(connection: object, url: string, isRenewal: true): void;
}

describe('own events of a resilient @binance/spot', () => {
  it('tell what happened while the connection was down, each once, and go on', async () => {
    const bus = new EventBus<VenueKitEvents>();
    const states: string[] = [];
    bus.on('stream.state', ({ state }) => states.push(state));
    await using given = await givenSocket({ bus });
    const { socket, venue } = given;
    const { stream } = await socket.userDataStreamSubscribeSignature();
    const reports: Report[] = [];
    stream.on('message', (event) => {
      if ((event as Report).e === 'executionReport') reports.push(event as unknown as Report);
    });
    const until = (isIt: () => boolean) => soon(() => expect(isIt()).toBe(true));
    const { data } = await socket.orderPlace(ORDER);
    const { orderId } = data as { orderId: number };
    venue.placeExternal({ symbol: 'ETH/USDT', side: 'buy', type: 'limit', qty: '0.1', price: '2500' });
    const doomed = Number(venue.orders()[1]?.venueOrderId);
    await until(() => reports.length === 2);
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'events', times: 1 });
    // The first of these cuts the connection; none of them is told by the venue.
    venue.fill(String(orderId), { qty: '0.004' });
    venue.fill(String(orderId));
    venue.cancelExternal(String(doomed));
    await until(() => reports.some(({ x }) => x === 'CANCELED') && reports.length >= 5);
    const of = (id: number): string[] => reports.filter(({ i }) => i === id).map(({ x, l, recovered }) => `${x} ${l} ${recovered}`);
    expect(of(orderId)).toEqual(['NEW 0.00000000 undefined', 'TRADE 0.00400000 true', 'TRADE 0.00600000 true']);
    expect(of(doomed)).toEqual(['NEW 0.00000000 undefined', 'CANCELED 0.00000000 true']);
    await soon(() => expect(states.at(-1)).toBe('live'));
    await socket.orderPlace(MARKET);
    await until(() => reports.length === 7);
    expect(reports.slice(5).map(({ x, recovered }) => [x, recovered])).toEqual([
      ['NEW', undefined],
      ['TRADE', undefined],
    ]);
    expect(states).toEqual(['live', 'down', 'recovering', 'live']);
  });

  it('go on where the SDK has renewed its connection before the day was over, and after that one has dropped, too', async () => {
    await using given = await givenSocket();
    const { socket, venue, requests } = given;
    const { stream } = await socket.userDataStreamSubscribeSignature();
    const reports: Report[] = [];
    stream.on('message', (event) => {
      if ((event as Report).e === 'executionReport') reports.push(event as unknown as Report);
    });
    const subscribed = (times: number) => soon(() => expect(requests('WS userDataStream.subscribe.signature')).toBe(times));
    const { websocketBase: base } = socket as unknown as { websocketBase: Renewing };
    base.enqueueReconnection(base.connectionPool[0]!, base.prepareURL(base.configuration.wsURL), true);
    await subscribed(2);
    await socket.orderPlace(MARKET);
    await soon(() => expect(reports.map(({ x }) => x)).toEqual(['NEW', 'TRADE']));
    const drop = venue.fault({ when: 'after', kind: 'stream_drop', operation: 'events' });
    await socket.orderPlace(MARKET);
    drop[Symbol.dispose]();
    await subscribed(3);
    await soon(() => expect(reports.map(({ x }) => x)).toEqual(['NEW', 'TRADE', 'NEW', 'TRADE']));
  });

  it('are told once where the venue sends them twice, and in their sequence where it mixes them up', async () => {
    await using given = await givenSocket();
    const { socket, venue } = given;
    const { stream } = await socket.userDataStreamSubscribeSignature();
    const reports: Report[] = [];
    stream.on('message', (event) => {
      if ((event as Report).e === 'executionReport') reports.push(event as unknown as Report);
    });
    const twice = venue.fault({ when: 'after', kind: 'stream_duplicate', operation: 'events' });
    await socket.orderPlace(MARKET);
    await soon(() => expect(reports).toHaveLength(2));
    twice[Symbol.dispose]();
    await socket.orderPlace(MARKET);
    await soon(() => expect(reports.map(({ x }) => x)).toEqual(['NEW', 'TRADE', 'NEW', 'TRADE']));
  });
});

/** What does not depend on when it was, nor on how much of the limits was used. */
function lasting(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, member: unknown) => {
      if (name === 'rateLimits') return Array.isArray(member);
      return /time/i.test(name) && typeof member === 'number' ? 'a time' : member;
    }),
  );
}
