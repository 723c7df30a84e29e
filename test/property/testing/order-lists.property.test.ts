import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, compare, isZero, multiply } from '../../../src/core/decimal.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { SimulatedVenue } from '../../../src/testing/index.js';
import type { Contingency, OrderList } from '../../../src/testing/venue/order-record.js';
import type { OrderRequest } from '../../../src/testing/venue/order-terms.js';

const PRICE = 100;
const OPENING = { USDT: '5000', BTC: '10' };

type Step =
  | {
      readonly do: 'list';
      readonly contingency: Contingency;
      readonly side: 'buy' | 'sell';
      readonly lots: number;
      readonly above: number;
      readonly below: number;
      readonly working: number;
      readonly trail: number;
      readonly isLimit: boolean;
    }
  | {
      readonly do: 'trail';
      readonly side: 'buy' | 'sell';
      readonly lots: number;
      readonly bips: number;
      readonly stop: number;
      readonly offset: number;
    }
  | { readonly do: 'amend'; readonly nth: number; readonly lots: number; readonly shift: number }
  | { readonly do: 'cancel' | 'fill'; readonly nth: number }
  | { readonly do: 'wait'; readonly ms: number };

const side = fc.constantFrom('buy' as const, 'sell' as const);
const lots = fc.integer({ min: 1, max: 3_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      contingency: fc.constantFrom<Contingency>('oco', 'oto', 'otoco'),
      side,
      lots,
      // Hundredths of a per cent around the market.
      above: fc.integer({ min: -20, max: 100 }),
      below: fc.integer({ min: -20, max: 100 }),
      working: fc.integer({ min: -60, max: 60 }),
      trail: fc.integer({ min: 0, max: 60 }),
      isLimit: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('trail' as const),
      side,
      lots,
      bips: fc.integer({ min: 1, max: 40 }),
      stop: fc.integer({ min: -30, max: 30 }),
      offset: fc.integer({ min: -20, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('amend' as const), nth: fc.nat(20), lots, shift: fc.integer({ min: -60, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'fill' as const), nth: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 30 });

const at = (shift: number): string => (PRICE * (1 + shift / 10_000)).toFixed(2);

function givenVenue(seed: number) {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    clock,
    seed,
    symbols: { 'BTC/USDT': { price: PRICE, priceStep: '0.01', qtyStep: '0.001' } },
    balances: OPENING,
    fees: { maker: '0.001', taker: '0.002' },
    volatility: 0.003,
    partialFills: true,
    races: { cancelLosesToFill: 0.2, lateFill: 0.2 },
  });
  return { clock, venue, lists: [] as OrderList[], made: 0 };
}

type Given = ReturnType<typeof givenVenue>;

async function take(given: Given, one: Step): Promise<void> {
  const { clock, venue, lists } = given;
  const { engine } = venue.core;
  if (one.do === 'wait') await clock.advance(one.ms);
  else if (one.do === 'cancel') engine.cancel('main', { venueOrderId: String(one.nth) });
  else if (one.do === 'fill') venue.fill(String(one.nth));
  else if (one.do === 'amend') {
    const order = engine.find('main', { venueOrderId: String(one.nth) });
    if (order !== undefined) engine.amend(order, { qty: orderOf('buy', one.lots).qty, ...(one.shift % 2 === 0 && { price: at(one.shift) }) });
  } else if (one.do === 'trail') {
    const trailing: OrderRequest = { ...orderOf(one.side, one.lots), type: 'stop', trail: { bips: one.bips } };
    const request: OrderRequest = one.offset === 0 ? trailing : { ...trailing, type: 'stop_limit', limitOffset: { bips: one.offset } };
    engine.place('main', one.stop === 0 ? request : { ...request, stopPrice: at(one.stop) }, `t-${given.made++}`);
  } else if (one.do === 'list') {
    const sign = one.side === 'sell' ? 1 : -1;
    const exit = one.contingency === 'otoco' ? (one.side === 'sell' ? 'buy' : 'sell') : one.side;
    const turned = one.contingency === 'otoco' ? -sign : sign;
    const limit: OrderRequest = { ...orderOf(exit, one.lots), type: 'limit', price: at(turned * one.above), postOnly: true };
    const stop: OrderRequest = {
      ...orderOf(exit, one.lots),
      type: one.isLimit ? 'stop_limit' : 'stop',
      stopPrice: at(-turned * one.below),
      ...(one.isLimit && { price: at(-turned * (one.below + 5)) }),
      ...(one.trail > 0 && { trail: { bips: one.trail } }),
    };
    const working: OrderRequest = { ...orderOf(one.side, one.lots), type: 'limit', price: at(one.working) };
    const later: OrderRequest = { ...orderOf(exit, one.lots), type: 'market' };
    const legs = { oco: [limit, stop], oto: [working, one.isLimit ? stop : later], otoco: [working, limit, stop] }[one.contingency];
    const answer = engine.placeList('main', {
      contingency: one.contingency,
      clientId: `list-${given.made}`,
      legs: legs.map((request) => ({ request, clientOrderId: `l-${given.made++}` })),
    });
    if (answer.ok) lists.push(answer.value);
  }
}

function orderOf(side: 'buy' | 'sell', count: number): Pick<OrderRequest, 'symbol' | 'side' | 'qty' | 'timeInForce'> {
  return { symbol: 'BTC/USDT', side, qty: multiply(String(count), '0.001'), timeInForce: 'gtc' };
}

function requireConsistent({ venue, lists }: Given): void {
  const expected: Record<string, string> = { ...OPENING };
  const move = (asset: string, amount: string): void => {
    expected[asset] = add(expected[asset] ?? '0', amount);
  };
  for (const { side: way, fill } of venue.fills()) {
    const value = multiply(fill.qty, fill.price);
    move('BTC', way === 'buy' ? fill.qty : `-${fill.qty}`);
    move('USDT', way === 'buy' ? `-${value}` : value);
    move(fill.feeAsset!, `-${fill.fee!}`);
  }
  for (const [asset, { free, held }] of Object.entries(venue.balances())) {
    expect(compare(free, '0')).toBeGreaterThanOrEqual(0);
    expect(compare(held, '0')).toBeGreaterThanOrEqual(0);
    expect(add(free, held)).toBe(expected[asset]);
    if (venue.stats().openOrders === 0) expect(isZero(held)).toBe(true);
  }
  for (const list of lists) {
    const started = list.pair.filter((order) => order.filled > 0 && order.latest.state !== 'canceled');
    expect(started.length, 'both orders of a pair have started').toBeLessThanOrEqual(1);
    const { working } = list;
    if (working === undefined) continue;
    const others = list.orders.slice(1);
    // A late fill of what was cancelled is nobody's turn.
    const early = others.filter((order) => order.filled > 0 && order.latest.state !== 'canceled');
    if (working.filled < working.qty) expect(early, 'an order has filled before its turn').toEqual([]);
    if (!working.isLive && working.filled < working.qty) expect(others.some((order) => order.isLive)).toBe(false);
  }
}

describe('Order lists, trailing stops and amendments of a SimulatedVenue, whatever is done to them', () => {
  it('never make or lose money, start both orders of a pair, or fill an order before its turn', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, seed) => {
        const given = givenVenue(seed);
        for (const one of all) {
          await take(given, one);
          requireConsistent(given);
        }
        await given.clock.advance(60_000);
        requireConsistent(given);
      }),
      { numRuns: 150 },
    );
  });

  it('do the same for the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, seed) => {
        const run = async () => {
          const given = givenVenue(seed);
          for (const one of all) await take(given, one);
          return given.venue.logHash();
        };
        expect(await run()).toBe(await run());
      }),
      { numRuns: 30 },
    );
  });
});
