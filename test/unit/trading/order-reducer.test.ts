import { describe, expect, it } from 'vitest';
import type { VenueOrder } from '../../../src/contracts/broker.js';
import { type Entry, entry } from '../../../src/trading/order-entry.js';
import { answered, filledQty, type OrderModel, stateOf, viewOf } from '../../../src/trading/order-model.js';
import { replay } from '../../../src/trading/order-reducer.js';

const INTENT = { intentId: 'a', symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '1', price: '10' } as const;
const PREPARED = entry('prepared', 0, { intent: INTENT, clientOrderId: 'a', payloadHash: 'h' });
const SENDING = entry('sending', 1, { attempt: 1, venueNow: 1, fenceUntil: 2_001 });

const anOrder = (change: Partial<VenueOrder> = {}): VenueOrder => ({
  clientOrderId: 'a',
  venueOrderId: 'v1',
  state: 'working',
  symbol: 'BTC/USDT',
  side: 'buy',
  qty: '1',
  filledQty: '0',
  venueTime: 5,
  ...change,
});
const seen = (change: Partial<VenueOrder> = {}): Entry => entry('seen', 2, { order: anOrder(change), by: 'stream' });
const aFill = (tradeId: string, qty: string, venueOrderId = 'v1'): Entry =>
  entry('fill', 3, { venueOrderId, fill: { tradeId, qty, price: '10', at: 5 } });
const orderAfter = (...entries: readonly Entry[]): OrderModel => replay([PREPARED, SENDING, ...entries]) as OrderModel;

describe('the order after each record', () => {
  it('is prepared, sending, unknown, then what the venue shows', () => {
    expect(stateOf(replay([PREPARED]) as OrderModel)).toBe('prepared');
    expect(stateOf(orderAfter())).toBe('sending');
    expect(stateOf(orderAfter(entry('unknown', 2, { attempt: 1, reason: 'timeout' })))).toBe('unknown');
    expect(stateOf(orderAfter(entry('unknown', 2, { attempt: 1, reason: 'timeout' }), seen()))).toBe('working');
  });

  it('is prepared again after an attempt that was refused', () => {
    expect(stateOf(orderAfter(entry('unsent', 2, { attempt: 1, why: 'refused', reason: '429' })))).toBe('prepared');
  });

  it('is not over by a rejection while an earlier attempt may have landed', () => {
    const unknown = entry('unknown', 2, { attempt: 1, reason: 'timeout' });
    const second = entry('sending', 3, { attempt: 2, venueNow: 3 });
    const rejected = entry('rejected', 4, { attempt: 2, code: 'FUNDS', reason: 'no funds' });
    expect(stateOf(orderAfter(unknown, second, rejected))).toBe('unknown');
  });

  it('goes from canceled to filled by a late fill, and never back', () => {
    const canceled = seen({ state: 'canceled', filledQty: '0.4' });
    const filled = seen({ state: 'filled', filledQty: '1' });
    expect(stateOf(orderAfter(canceled))).toBe('canceled');
    expect(stateOf(orderAfter(canceled, filled))).toBe('filled');
    expect(stateOf(orderAfter(filled, canceled))).toBe('filled');
  });

  it('counts a fill once, and the same trade id of another order apart', () => {
    const model = orderAfter(aFill('t', '0.2'), aFill('t', '0.2'), aFill('t', '0.3', 'v2'));
    expect(model.fills).toHaveLength(2);
    expect(filledQty(model)).toBe('0.5');
  });

  it('is filled when its fills add up, whatever the order still says', () => {
    expect(stateOf(orderAfter(seen(), aFill('1', '0.4'), aFill('2', '0.6')))).toBe('filled');
  });

  it('found by review: counts what the venue said of an attempt once, however often that was written (I16)', () => {
    const duplicate = entry('unknown', 2, { attempt: 1, reason: 'taken', duplicate: true });
    const rejected = [entry('sending', 3, { attempt: 2, venueNow: 3 }), entry('rejected', 4, { attempt: 2, code: 'FUNDS', reason: 'no funds' })];
    const once = [PREPARED, SENDING, duplicate, ...rejected];
    const model = replay([...once, ...once]) as OrderModel;
    expect([answered(model, 'duplicate'), answered(model, 'rejected')]).toEqual([1, 1]);
    expect(model).toEqual(replay(once));
  });

  it('is known to be cancelled as soon as it is adopted, where that was asked for before', () => {
    const asked = entry('cancel', 2, { reason: 'by the caller' });
    const unknown = entry('unknown', 2, { attempt: 1, reason: 'timeout' });
    expect(stateOf(orderAfter(unknown, asked))).toBe('unknown');
    expect(stateOf(orderAfter(unknown, asked, seen()))).toBe('pending_cancel');
  });

  it('comes back from its final record with all that was known', () => {
    const whole = orderAfter(seen(), aFill('1', '0.4'), aFill('2', '0.6'));
    const settled = entry('settled', 9, { state: 'filled', payloadHash: 'h', view: viewOf(whole) });
    const alone = replay([settled]) as OrderModel;
    expect(viewOf(alone)).toEqual(viewOf(whole));
    expect(alone.payloadHash).toBe('h');
    expect(viewOf(replay([settled, aFill('3', '0.1')]) as OrderModel).filledQty).toBe('1.1');
  });

  it('is nothing where its first record never became durable', () => {
    expect(replay([entry('cancel', 1, { reason: 'halt' })])).toBeUndefined();
  });

  it('averages its price over its fills, exactly', () => {
    const at = (tradeId: string, qty: string, price: string): Entry => entry('fill', 3, { venueOrderId: 'v1', fill: { tradeId, qty, price, at: 5 } });
    expect(viewOf(orderAfter(at('1', '0.1', '10.1'), at('2', '0.2', '10.4'))).avgPrice).toBe('10.3');
  });
});
