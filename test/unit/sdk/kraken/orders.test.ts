import { describe, expect, it } from 'vitest';
import {
  amendParams,
  amendTargetOf,
  fillOf,
  intentOf,
  isAmended,
  millis,
  orderParams,
  requestOf,
  venueOrderOf,
} from '../../../../src/sdk/kraken/orders.js';

const symbolOf = (pair: string) => (pair === 'XXBTZUSD' || pair === 'XBTUSD' ? 'BTC/USD' : undefined);
const LIMIT = { pair: 'XXBTZUSD', type: 'buy', ordertype: 'limit', volume: '0.0100', price: '40000.0', cl_ord_id: 'k-1' };

describe('an order that a bot sends to AddOrder', () => {
  it('is known by what tells it from others, and travels along as it is', () => {
    expect(intentOf(LIMIT, symbolOf)).toEqual({
      intentId: 'k-1',
      symbol: 'BTC/USD',
      side: 'buy',
      type: 'limit',
      qty: '0.01',
      price: '40000',
      extra: { request: LIMIT },
    });
    expect(intentOf({ ...LIMIT, ordertype: 'stop-loss-limit', price: '39000', price2: '38900', timeinforce: 'IOC' }, symbolOf)).toMatchObject({
      type: 'stop_limit',
      stopPrice: '39000',
      price: '38900',
      timeInForce: 'ioc',
    });
  });

  it('keeps a trailing stop by its quantity, and sends its distance as it came', () => {
    const trailing = { ordertype: 'trailing-stop', price: '+5%', timeinforce: undefined };
    const intent = intentOf({ ...LIMIT, ...trailing }, symbolOf);
    expect(intent).toMatchObject({ type: 'stop' });
    expect(intent).not.toHaveProperty('price');
    expect(intent).not.toHaveProperty('stopPrice');
    expect(requestOf(intent!, 'made-1')).toMatchObject({ ordertype: 'trailing-stop', price: '+5%', cl_ord_id: 'made-1' });
  });

  it.each([
    ['a userref, which excludes a client order id', { userref: 7 }],
    ['a conditional close', { close: { ordertype: 'limit', price: '60000' } }],
    ['a conditional close as a form has it', { 'close[ordertype]': 'limit' }],
    ['a deadline of its own', { deadline: '2026-01-01T00:00:00Z' }],
    ['an amount of money', { ordertype: 'market', oflags: 'viqc' }],
    ['a relative price', { price: '+5%' }],
    ['a trailing stop without a distance', { ordertype: 'trailing-stop', price: undefined }],
    ['an end date', { timeinforce: 'GTD', expiretm: '+60' }],
    ['no price', { price: undefined }],
    ['no volume', { volume: undefined }],
    ['another pair', { pair: 'NOSUCH' }],
    ['no side', { type: 'hold' }],
  ])('is not kept with %s', (_, more) => {
    expect(intentOf({ ...LIMIT, ...more }, symbolOf)).toBeUndefined();
  });
});

describe('an order that an intent makes', () => {
  it('has quantities and prices as they are given', () => {
    const intent = {
      symbol: 'BTC/USD',
      side: 'sell',
      type: 'stop_limit',
      qty: '0.1',
      price: '38900',
      stopPrice: '39000',
      timeInForce: 'gtc',
    } as const;
    expect(orderParams(intent, 'XXBTZUSD', 'id')).toEqual({
      pair: 'XXBTZUSD',
      type: 'sell',
      ordertype: 'stop-loss-limit',
      volume: '0.1',
      price: '39000',
      price2: '38900',
      timeinforce: 'GTC',
      cl_ord_id: 'id',
    });
  });

  it.each([
    [{ timeInForce: 'day' }, /"day" does not exist on Kraken/],
    [{ reduceOnly: true }, /margin only/],
    [{ qty: '0', quoteQty: '100' }, /quoteQty is not supported on Kraken/],
    [{ extra: { deadline: 'x' } }, /extra must not hold deadline/],
  ] as const)('is refused for what Kraken has not: %o', (more, message) => {
    const intent = { symbol: 'BTC/USD', side: 'buy', type: 'market', qty: '1' } as const;
    expect(() => orderParams({ ...intent, ...more }, 'XXBTZUSD', 'id')).toThrow(message);
  });
});

describe('what Kraken shows', () => {
  const row = (more: object) => ({
    cl_ord_id: 'k-1',
    status: 'open',
    opentm: 1733815269.370054,
    descr: { pair: 'XBTUSD', type: 'buy', ordertype: 'limit', price: '40000.0', price2: '0' },
    vol: '0.01000000',
    vol_exec: '0.00000000',
    price: '0.00000',
    ...more,
  });
  const shown = (more: object) => venueOrderOf('O1', row(more), (name) => symbolOf(name) ?? name);

  it('of an order is read to the last member', () => {
    expect(shown({})).toEqual({
      clientOrderId: 'k-1',
      venueOrderId: 'O1',
      state: 'working',
      symbol: 'BTC/USD',
      side: 'buy',
      qty: '0.01',
      price: '40000',
      filledQty: '0',
      venueTime: 1_733_815_269_370,
    });
    expect(shown({ vol_exec: '0.004', price: '39999.5' })).toMatchObject({ state: 'partially_filled', filledQty: '0.004', avgPrice: '39999.5' });
    expect(shown({ status: 'canceled', closetm: 1733815300.5, cl_ord_id: null })).toMatchObject({ state: 'canceled', venueTime: 1_733_815_300_500 });
    expect(shown({ cl_ord_id: null })).not.toHaveProperty('clientOrderId');
    const stop = { pair: 'XBTUSD', type: 'buy', ordertype: 'stop-loss-limit', price: '41000.0', price2: '41100.0' };
    expect(shown({ descr: stop })).toMatchObject({ price: '41100' });
    expect(shown({ descr: { ...stop, ordertype: 'stop-loss', price2: '0' } })).not.toHaveProperty('price');
  });

  it('in words that nobody knows is an error, never a guess', () => {
    expect(() => shown({ status: 'dreaming' })).toThrow(/unknown status "dreaming"/);
    expect(() => shown({ descr: { pair: 'XBTUSD', type: 'hold', ordertype: 'limit', price: '1' } })).toThrow(/unknown side "hold"/);
    expect(() => shown({ vol: undefined })).toThrow(/no vol/);
  });

  it('of a fill has the fee in the quote asset, where that is known', () => {
    const trade = { vol: '0.01', price: '40000.0', fee: '1.04000', time: 1733815269.3701 };
    expect(fillOf('T1', trade, 'USD')).toEqual({ tradeId: 'T1', qty: '0.01', price: '40000', fee: '1.04', feeAsset: 'USD', at: 1_733_815_269_370 });
    expect(fillOf('T1', trade, undefined)).not.toHaveProperty('fee');
    expect(millis({ t: 1733815269 }, 't')).toBe(1_733_815_269_000);
  });
});

describe('an amendment', () => {
  const REQUEST = { txid: 'O1', order_qty: '0.0200', limit_price: '41000.0' };

  it('is known by the price and the quantity that it asks for', () => {
    const to = amendTargetOf(REQUEST)!;
    expect(to).toEqual({ qty: '0.02', price: '41000' });
    const shown = (price: string, vol: string) => ({ vol, descr: { ordertype: 'limit', price } });
    expect(isAmended(shown('41000.0', '0.02000000'), to)).toBe(true);
    expect(isAmended(shown('40000.0', '0.02000000'), to)).toBe(false);
    expect(isAmended(shown('41000.0', '0.01000000'), to)).toBe(false);
    expect(amendTargetOf({ cl_ord_id: 'k-1', limit_price: '41000' })).toEqual({ price: '41000' });
  });

  it.each([
    ['nothing of it', {}],
    ['a distance', { ...REQUEST, limit_price: '+5%' }],
    ['another trigger', { ...REQUEST, trigger_price: '39000' }],
    ['a part that is shown', { ...REQUEST, display_qty: '0.01' }],
    ['a deadline of its own', { ...REQUEST, deadline: '2026-01-01T00:00:00Z' }],
  ])('is not to be known again by %s', (_, request) => {
    expect(amendTargetOf(request)).toBeUndefined();
  });

  it('of our own names the order by Kraken’s id, where that is known', () => {
    const ref = { symbol: 'BTC/USD', clientOrderId: 'k-1' };
    expect(amendParams({ ...ref, venueOrderId: 'O1' }, { qty: '0.02' })).toEqual({ txid: 'O1', order_qty: '0.02' });
    expect(amendParams(ref, { price: '41000' })).toEqual({ cl_ord_id: 'k-1', limit_price: '41000' });
  });
});
