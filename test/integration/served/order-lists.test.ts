import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../../src/testing/index.js';

type Json = Record<string, unknown>;

/** Signed requests as the protocol has them, without an SDK. */
async function givenServed(options: SimulatedVenueOptions = {}) {
  const venue = new SimulatedVenue({
    seed: 1,
    symbols: { 'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' } },
    balances: { USDT: '100000', BTC: '2' },
    volatility: 0,
    ...options,
  });
  const served = await serveBinance(venue);
  const ask = async (method: string, path: string, params: Record<string, string | number> = {}): Promise<{ status: number; body: Json }> => {
    const query = new URLSearchParams(
      Object.entries({ ...params, timestamp: venue.now(), recvWindow: 60_000 }).map(([name, value]) => [name, String(value)]),
    ).toString();
    const signature = createHmac('sha256', served.credentials.secret).update(query).digest('hex');
    const url = `${served.url}/api/v3/${path}?${query}&signature=${signature}`;
    const response = await fetch(url, { method, headers: { 'X-MBX-APIKEY': served.credentials.apiKey } });
    return { status: response.status, body: (await response.json()) as Json };
  };
  return { venue, served, ask, [Symbol.asyncDispose]: () => served.close() };
}

const SELL = { symbol: 'BTCUSDT', side: 'SELL', quantity: '0.01' };
const RESTING = { ...SELL, type: 'LIMIT', timeInForce: 'GTC', price: '60000' };
const OCO = { ...SELL, aboveType: 'LIMIT_MAKER', abovePrice: '60000', belowType: 'STOP_LOSS', belowStopPrice: '40000' };
const OTO = {
  symbol: 'BTCUSDT',
  workingType: 'LIMIT',
  workingSide: 'BUY',
  workingPrice: '45000',
  workingQuantity: '0.01',
  workingTimeInForce: 'GTC',
};
const states = (venue: SimulatedVenue) => venue.orders().map(({ state }) => state);

describe('serveBinance: order/cancelReplace', () => {
  it('cancels one order and places the other', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const old = await ask('POST', 'order', RESTING);
    const { status, body } = await ask('POST', 'order/cancelReplace', {
      ...RESTING,
      price: '61000',
      cancelReplaceMode: 'STOP_ON_FAILURE',
      cancelOrderId: old.body.orderId as number,
      newClientOrderId: 'new-1',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      cancelResult: 'SUCCESS',
      newOrderResult: 'SUCCESS',
      cancelResponse: { orderId: old.body.orderId, status: 'CANCELED' },
      newOrderResponse: { clientOrderId: 'new-1', status: 'NEW', price: '61000.00000000' },
    });
    expect(states(venue)).toEqual(['canceled', 'working']);
  });

  it('attempts no new order where the cancel fails, unless it may: with the codes and data that say which half failed', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const request = { ...RESTING, cancelOrderId: 99 };
    const stopped = await ask('POST', 'order/cancelReplace', { ...request, cancelReplaceMode: 'STOP_ON_FAILURE' });
    expect(stopped).toMatchObject({
      status: 400,
      body: {
        code: -2022,
        data: { cancelResult: 'FAILURE', newOrderResult: 'NOT_ATTEMPTED', cancelResponse: { code: -2011 }, newOrderResponse: null },
      },
    });
    expect(venue.orders()).toEqual([]);
    const allowed = await ask('POST', 'order/cancelReplace', { ...request, cancelReplaceMode: 'ALLOW_FAILURE' });
    expect(allowed).toMatchObject({ status: 409, body: { code: -2021, data: { cancelResult: 'FAILURE', newOrderResult: 'SUCCESS' } } });
    expect(states(venue)).toEqual(['working']);
    const both = await ask('POST', 'order/cancelReplace', { ...request, quantity: '50', cancelReplaceMode: 'ALLOW_FAILURE' });
    expect(both).toMatchObject({
      status: 400,
      body: { code: -2022, data: { cancelResult: 'FAILURE', newOrderResult: 'FAILURE', newOrderResponse: { code: -2010 } } },
    });
  });

  it('leaves the old order cancelled where the new one is refused; filters come before either', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const old = await ask('POST', 'order', RESTING);
    const request = { ...RESTING, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: old.body.orderId as number };
    expect(await ask('POST', 'order/cancelReplace', { ...request, quantity: '0.000001' })).toMatchObject({ status: 400, body: { code: -1013 } });
    expect(states(venue)).toEqual(['working']);
    const { status, body } = await ask('POST', 'order/cancelReplace', { ...request, quantity: '50' });
    expect({ status, body }).toMatchObject({ status: 409, body: { code: -2021, data: { cancelResult: 'SUCCESS', newOrderResult: 'FAILURE' } } });
    expect(states(venue)).toEqual(['canceled']);
  });
});

describe('serveBinance: order lists', () => {
  it('an OCO sets its money aside once, and the order that fills ends the other', async () => {
    await using given = await givenServed({ balances: { USDT: '0', BTC: '0.01' } });
    const { ask, venue } = given;
    const { status, body } = await ask('POST', 'orderList/oco', {
      ...OCO,
      listClientOrderId: 'list-1',
      aboveClientOrderId: 'up',
      belowClientOrderId: 'down',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      contingencyType: 'OCO',
      listOrderStatus: 'EXECUTING',
      listClientOrderId: 'list-1',
      orderReports: [
        { clientOrderId: 'up', type: 'LIMIT_MAKER', status: 'NEW', orderListId: body.orderListId },
        { clientOrderId: 'down', type: 'STOP_LOSS', status: 'NEW' },
      ],
    });
    expect(await ask('POST', 'orderList/oco', { ...OCO, listClientOrderId: 'list-1' })).toMatchObject({ status: 400, body: { code: -2010 } });
    expect((await ask('GET', 'openOrderList')).body).toHaveLength(1);
    venue.fill('1');
    expect(states(venue)).toEqual(['filled', 'expired']);
    expect(await ask('GET', 'orderList', { origClientOrderId: 'list-1' })).toMatchObject({ body: { listOrderStatus: 'ALL_DONE' } });
    expect((await ask('GET', 'openOrderList')).body).toEqual([]);
    expect(venue.balances().BTC).toEqual({ free: '0', held: '0' });
  });

  it('an old OCO is one, too, and cancelling one of its orders, or the list, cancels all of it', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const made = await ask('POST', 'order/oco', { ...SELL, price: '60000', stopPrice: '40000', limitClientOrderId: 'l', stopClientOrderId: 's' });
    expect(made).toMatchObject({ status: 200, body: { contingencyType: 'OCO' } });
    await ask('DELETE', 'order', { symbol: 'BTCUSDT', origClientOrderId: 's' });
    expect(states(venue)).toEqual(['canceled', 'canceled']);
    await ask('POST', 'orderList/oco', { ...OCO, listClientOrderId: 'list-2' });
    const cancelled = await ask('DELETE', 'orderList', { symbol: 'BTCUSDT', listClientOrderId: 'list-2' });
    expect(cancelled).toMatchObject({
      status: 200,
      body: { listOrderStatus: 'ALL_DONE', orderReports: [{ status: 'CANCELED' }, { status: 'CANCELED' }] },
    });
    expect(await ask('DELETE', 'orderList', { symbol: 'BTCUSDT', listClientOrderId: 'list-2' })).toMatchObject({
      status: 400,
      body: { code: -2011 },
    });
    expect(venue.stats().openOrders).toBe(0);
  });

  it.each([
    ['its prices lie on the wrong sides of the market', { ...OCO, belowStopPrice: '70000' }, -2010],
    ['its limit order would fill at once', { ...OCO, abovePrice: '10000' }, -2010],
    ['an order of it lacks its price', { ...OCO, abovePrice: '' }, -1013],
    ['there is no money for it', { ...OCO, quantity: '50' }, -2010],
  ])('an OCO is refused whole where %s', async (_, request, code) => {
    await using given = await givenServed();
    expect(await given.ask('POST', 'orderList/oco', request)).toMatchObject({ status: 400, body: { code } });
    expect(given.venue.orders()).toEqual([]);
  });

  it('an OTO places its second order when the first has filled; an OTOCO a pair', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const oto = { ...OTO, pendingType: 'LIMIT_MAKER', pendingSide: 'SELL', pendingPrice: '60000', pendingQuantity: '0.01' };
    const made = await ask('POST', 'orderList/oto', oto);
    expect(made).toMatchObject({ status: 200, body: { contingencyType: 'OTO', orderReports: [{ status: 'NEW' }, { status: 'PENDING_NEW' }] } });
    venue.fill('1');
    await expect.poll(() => ask('GET', 'order', { symbol: 'BTCUSDT', orderId: 2 }), { timeout: 10_000 }).toMatchObject({ body: { status: 'NEW' } });
    const pair = { pendingSide: 'SELL', pendingQuantity: '0.01', pendingAboveType: 'LIMIT_MAKER', pendingAbovePrice: '60000' };
    await ask('POST', 'orderList/otoco', { ...OTO, ...pair, pendingBelowType: 'STOP_LOSS', pendingBelowTrailingDelta: 200 });
    expect(venue.stats().openOrders).toBe(4);
    await ask('DELETE', 'order', { symbol: 'BTCUSDT', orderId: 3 });
    expect(states(venue)).toEqual(['filled', 'working', 'canceled', 'canceled', 'canceled']);
  });
});

describe('serveBinance: amending, and trailing stops', () => {
  it('makes an order smaller in its place, and never larger', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const { body } = await ask('POST', 'order', { ...RESTING, newClientOrderId: 'before' });
    const amend = { symbol: 'BTCUSDT', orderId: body.orderId as number, newClientOrderId: 'after' };
    expect(await ask('PUT', 'order/amend/keepPriority', { ...amend, newQty: '0.02' })).toMatchObject({ status: 400, body: { code: -2038 } });
    expect(await ask('PUT', 'order/amend/keepPriority', { ...amend, newQty: '0.004' })).toMatchObject({
      status: 200,
      body: { amendedOrder: { origClientOrderId: 'before', clientOrderId: 'after', qty: '0.00400000' } },
    });
    expect(venue.orders()).toMatchObject([{ clientOrderId: 'after', qty: '0.004' }]);
    expect(venue.balances().BTC).toEqual({ free: '1.996', held: '0.004' });
  });

  it('takes a trailing stop without a stop price, and follows the market', async () => {
    await using given = await givenServed();
    const { ask, venue } = given;
    const made = await ask('POST', 'order', { ...SELL, type: 'STOP_LOSS', trailingDelta: 100, newOrderRespType: 'RESULT' });
    expect(made).toMatchObject({ status: 200, body: { status: 'NEW', type: 'STOP_LOSS', trailingDelta: 100 } });
    expect(states(venue)).toEqual(['working']);
    expect(await ask('POST', 'order', { ...SELL, type: 'STOP_LOSS' })).toMatchObject({ status: 400, body: { code: -1102 } });
  });
});
