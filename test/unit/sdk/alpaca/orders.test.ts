import { describe, expect, it } from 'vitest';
import { intentOf, orderBody, requestOf, venueOrderOf } from '../../../../src/sdk/alpaca/orders.js';

const BODY = { symbol: 'AAPL', qty: 1.5, side: 'buy', type: 'market', time_in_force: 'day', client_order_id: 'a-1' };
const SHOWN = {
  id: 'o-1',
  client_order_id: 'a-1',
  symbol: 'AAPL',
  side: 'buy',
  qty: '1.500',
  status: 'new',
  filled_qty: '0',
  limit_price: null,
  filled_avg_price: null,
  submitted_at: '2026-03-16T18:38:01.937734Z',
  updated_at: '2026-03-16T18:38:01.942282123Z',
};
const same = (symbol: string): string => symbol;

describe('intentOf', () => {
  it('keeps what an order is known again by, and the whole body for the wire', () => {
    expect(intentOf(BODY)).toEqual({
      intentId: 'a-1',
      symbol: 'AAPL',
      side: 'buy',
      type: 'market',
      qty: '1.5',
      timeInForce: 'day',
      extra: { request: BODY },
    });
    expect(requestOf(intentOf({ ...BODY, extended_hours: true, client_order_id: undefined })!, 'made-1')).toEqual({
      ...BODY,
      extended_hours: true,
      client_order_id: 'made-1',
    });
  });

  it('calls a crypto asset the same with its slash and without', () => {
    expect(intentOf({ ...BODY, symbol: 'BTC/USD' })?.symbol).toBe(intentOf({ ...BODY, symbol: 'BTCUSD' })?.symbol);
  });

  it('keeps an order over an amount of money by that amount, and sends it as it came', () => {
    const intent = intentOf({ ...BODY, qty: undefined, notional: 100.5 });
    expect(intent).toMatchObject({ type: 'market', qty: '0', quoteQty: '100.5' });
    expect(requestOf(intent!, 'made-2')).toMatchObject({ notional: 100.5, client_order_id: 'made-2' });
    expect(requestOf(intent!, 'made-2')).not.toHaveProperty('qty');
  });

  it('keeps an amount of money at a price, and a trailing stop without a stop price', () => {
    const money = intentOf({ ...BODY, qty: undefined, notional: '100', type: 'limit', limit_price: '99' });
    expect(money).toMatchObject({ type: 'limit', qty: '0', quoteQty: '100', price: '99' });
    const trailing = intentOf({ ...BODY, type: 'trailing_stop', trail_percent: 2 });
    expect(trailing).toMatchObject({ type: 'stop', qty: '1.5' });
    expect(trailing).not.toHaveProperty('stopPrice');
    expect(requestOf(trailing!, 'made-3')).toMatchObject({ type: 'trailing_stop', trail_percent: 2, client_order_id: 'made-3' });
  });

  it('takes an order with legs for the order that they hang on', () => {
    expect(intentOf({ ...BODY, order_class: 'bracket', take_profit: { limit_price: '300' } })).toMatchObject({ type: 'market', qty: '1.5' });
  });

  it('regression: of two orders of which one cancels the other the price of the first was not found where Alpaca wants it', () => {
    const oco = { ...BODY, type: 'limit', order_class: 'oco', take_profit: { limit_price: '301.00' }, stop_loss: { stop_price: '100' } };
    expect(intentOf(oco)).toMatchObject({ type: 'limit', price: '301' });
    expect(intentOf({ ...oco, limit_price: '302' })).toMatchObject({ price: '302' });
  });

  it('keeps an order of several legs by its id and quantity, whatever it costs', () => {
    const legs = [{ symbol: 'AAPL301220C00190000', ratio_qty: '1', side: 'sell' }];
    const spread = { order_class: 'mleg', qty: 3, type: 'limit', limit_price: '-1.2', client_order_id: 'm-1', legs };
    expect(intentOf(spread)).toEqual({ intentId: 'm-1', symbol: 'mleg', side: 'buy', type: 'market', qty: '3', extra: { request: spread } });
    expect(intentOf({ ...spread, legs: [] })).toBeUndefined();
    expect(intentOf({ ...spread, qty: undefined })).toBeUndefined();
  });

  it.each([
    ['an amount of money beside a quantity', { notional: '100' }],
    ['an amount of nothing', { qty: undefined, notional: '0' }],
    ['a trailing stop without a trail', { type: 'trailing_stop' }],
    ['an amount of money with a stop', { qty: undefined, notional: '100', type: 'stop', stop_price: '99' }],
    ['several legs', { legs: [] }],
    ['no quantity', { qty: undefined }],
    ['a quantity of nothing', { qty: '0' }],
    ['a limit order without a price', { type: 'limit' }],
    ['a stop order without a price', { type: 'stop' }],
    ['no symbol', { symbol: undefined }],
    ['no side', { side: undefined }],
  ])('is none for %s', (_, more) => {
    expect(intentOf({ ...BODY, ...more })).toBeUndefined();
  });
});

describe('orderBody', () => {
  const intent = { symbol: 'AAPL', side: 'buy', type: 'limit', qty: '0.30', price: '150.10' } as const;

  it('has amounts exactly as the intent has them, for the day where nothing is said, and crypto until cancelled', () => {
    expect(orderBody(intent, 'c-1')).toMatchObject({ qty: '0.30', limit_price: '150.10', time_in_force: 'day', client_order_id: 'c-1' });
    expect(orderBody({ ...intent, symbol: 'BTC/USD' }, 'c-1').time_in_force).toBe('gtc');
  });

  it('lets extra add, and never change', () => {
    expect(orderBody({ ...intent, extra: { extended_hours: true } }, 'c-1')).toMatchObject({ extended_hours: true });
    expect(() => orderBody({ ...intent, extra: { qty: '9' } }, 'c-1')).toThrow(/extra must not hold qty/);
    expect(() => orderBody({ ...intent, reduceOnly: true }, 'c-1')).toThrow(/reduceOnly/);
  });
});

describe('venueOrderOf', () => {
  it('regression: an order of several legs, which has neither symbol nor side, kept everything else from being listed', () => {
    const spread = {
      ...SHOWN,
      order_class: 'mleg',
      symbol: '',
      side: '',
      limit_price: '-1.2',
      filled_avg_price: '-1.25',
      filled_qty: '1.5',
      status: 'filled',
    };
    expect(venueOrderOf(spread, same)).toMatchObject({ symbol: 'mleg', side: 'buy', state: 'filled', qty: '1.5', filledQty: '1.5' });
    expect(venueOrderOf(spread, same)).not.toHaveProperty('price');
  });

  it('reads amounts as decimals and times to the millisecond', () => {
    expect(venueOrderOf(SHOWN, same)).toEqual({
      clientOrderId: 'a-1',
      venueOrderId: 'o-1',
      state: 'working',
      symbol: 'AAPL',
      side: 'buy',
      qty: '1.5',
      filledQty: '0',
      venueTime: Date.parse('2026-03-16T18:38:01.942Z'),
    });
  });

  it.each([
    ['pending_new', '0', 'working'],
    ['accepted', '0', 'working'],
    ['pending_cancel', '0.5', 'partially_filled'],
    ['partially_filled', '0.5', 'partially_filled'],
    ['done_for_day', '0.5', 'partially_filled'],
    ['filled', '1.5', 'filled'],
    ['canceled', '0.5', 'canceled'],
    ['replaced', '0', 'canceled'],
    ['expired', '0', 'expired'],
    ['rejected', '0', 'rejected'],
  ])('takes %s with %s filled for %s', (status, filled, state) => {
    expect(venueOrderOf({ ...SHOWN, status, filled_qty: filled }, same).state).toBe(state);
  });

  it.each([
    ['a status that is none', { status: 'somewhere' }, /unknown status "somewhere"/],
    ['a side that is none', { side: 'up' }, /unknown side "up"/],
    ['a quantity that is none', { filled_qty: 'NaN' }, /no number in filled_qty/],
    ['no time', { updated_at: null, submitted_at: null }, /no time/],
  ])('refuses %s', (_, more, message) => {
    expect(() => venueOrderOf({ ...SHOWN, ...more }, same)).toThrow(message);
  });
});
