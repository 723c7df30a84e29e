import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderIntent } from '../../../src/contracts/orders.js';
import { add, compare, isZero, multiply, subtract } from '../../../src/core/decimal.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type Fault, SimulatedVenue, type SimulatedVenueOptions, simulatedBroker } from '../../../src/testing/index.js';

const SYMBOLS = {
  'BTC/USDT': { price: 100, priceStep: '0.01', qtyStep: '0.001' },
  'ETH/BTC': { price: 0.05, priceStep: '0.00001', qtyStep: '0.01' },
};
const OPENING = { USDT: '5000', BTC: '10', ETH: '20' };

type Step =
  | { readonly do: 'place'; readonly intent: OrderIntent; readonly id: number }
  | { readonly do: 'cancel'; readonly id: number }
  | { readonly do: 'lateFill'; readonly nth: number }
  | { readonly do: 'wait'; readonly ms: number };

const intent: fc.Arbitrary<OrderIntent> = fc
  .record({
    symbol: fc.constantFrom<keyof typeof SYMBOLS>('BTC/USDT', 'ETH/BTC'),
    side: fc.constantFrom<'buy' | 'sell'>('buy', 'sell'),
    type: fc.constantFrom<OrderIntent['type']>('market', 'limit', 'stop', 'stop_limit'),
    timeInForce: fc.constantFrom<'gtc' | 'ioc' | 'fok' | 'day'>('gtc', 'ioc', 'fok', 'day'),
    lots: fc.integer({ min: 1, max: 3_000 }),
    // Hundredths of a per cent around the market.
    offset: fc.integer({ min: -100, max: 100 }),
    stopOffset: fc.integer({ min: -50, max: 50 }),
    isOverMoney: fc.boolean(),
  })
  .map(({ symbol, side, type, timeInForce, lots, offset, stopOffset, isOverMoney }) => {
    const { price, priceStep, qtyStep } = SYMBOLS[symbol];
    const places = priceStep.length - 2;
    const at = (shift: number) => (price * (1 + shift / 10_000)).toFixed(places);
    return {
      symbol,
      side,
      type,
      timeInForce,
      // Of one step more, or what is left of one buys nothing.
      ...(type === 'market' && isOverMoney
        ? { qty: '0', quoteQty: multiply(multiply(String(lots + 1), qtyStep), price.toFixed(places)) }
        : { qty: multiply(String(lots), qtyStep) }),
      ...(type.includes('limit') && { price: at(offset) }),
      ...(type.startsWith('stop') && { stopPrice: at(stopOffset) }),
    };
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('place' as const), intent, id: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), id: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lateFill' as const), nth: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(5_000) }) },
);

const steps = fc.array(step, { minLength: 1, maxLength: 40 });

function givenVenue(options: SimulatedVenueOptions = {}) {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    clock,
    symbols: SYMBOLS,
    balances: OPENING,
    fees: { maker: '0.001', taker: '0.002' },
    volatility: 0.003,
    partialFills: true,
    races: { cancelLosesToFill: 0.2, lateFill: 0.2 },
    ...options,
  });
  const broker = simulatedBroker(venue);
  const attempt = () => ({ signal: new AbortController().signal, number: 1, venueNow: clock.now() });
  return { clock, venue, broker, attempt };
}

type Given = ReturnType<typeof givenVenue>;

async function take({ clock, venue, broker, attempt }: Given, step: Step): Promise<void> {
  if (step.do === 'place') await broker.place(step.intent, `id-${step.id}`, attempt());
  else if (step.do === 'cancel') await broker.cancel({ symbol: 'BTC/USDT', clientOrderId: `id-${step.id}` }, attempt());
  else if (step.do === 'wait') await clock.advance(step.ms);
  else venue.fill(venue.orders()[step.nth]?.venueOrderId ?? '0');
}

function requireConsistent(venue: SimulatedVenue): void {
  const orders = new Map(venue.orders().map((order) => [order.venueOrderId, order]));
  const filled = new Map<string, string>();
  const expected: Record<string, string> = { ...OPENING };
  const move = (asset: string, amount: string) => {
    expected[asset] = add(expected[asset] ?? '0', amount);
  };
  const tradeIds = new Set<string>();
  for (const { venueOrderId, symbol, side, fill } of venue.fills()) {
    expect(orders.has(venueOrderId)).toBe(true);
    expect(tradeIds.has(fill.tradeId)).toBe(false);
    tradeIds.add(fill.tradeId);
    filled.set(venueOrderId, add(filled.get(venueOrderId) ?? '0', fill.qty));
    const [base, quote] = symbol.split('/') as [string, string];
    const value = multiply(fill.qty, fill.price);
    move(base, side === 'buy' ? fill.qty : `-${fill.qty}`);
    move(quote, side === 'buy' ? `-${value}` : value);
    move(fill.feeAsset!, `-${fill.fee!}`);
    expect(fill.feeAsset).toBe(side === 'buy' ? base : quote);
  }
  for (const order of orders.values()) {
    expect(compare(order.filledQty, order.qty)).toBeLessThanOrEqual(0);
    expect(order.filledQty).toBe(filled.get(order.venueOrderId) ?? '0');
    expect(order.state === 'filled').toBe(order.filledQty === order.qty);
    if (order.state === 'working') expect(order.filledQty).toBe('0');
  }
  for (const [asset, { free, held }] of Object.entries(venue.balances())) {
    expect(compare(free, '0')).toBeGreaterThanOrEqual(0);
    expect(compare(held, '0')).toBeGreaterThanOrEqual(0);
    expect(add(free, held)).toBe(expected[asset]);
  }
  const isIdle = venue.stats().openOrders === 0;
  if (isIdle) for (const { held } of Object.values(venue.balances())) expect(isZero(held)).toBe(true);
}

describe('SimulatedVenue, whatever is done to it', () => {
  it('never makes or loses money, fills beyond a quantity, or fills what is no order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, seed) => {
        const given = givenVenue({ seed });
        for (const one of all) {
          await take(given, one);
          requireConsistent(given.venue);
        }
        await given.clock.advance(2 * 86_400_000);
        requireConsistent(given.venue);
      }),
      { numRuns: 150 },
    );
  });

  it('holds exactly what its open limit orders may still cost', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, seed) => {
        const given = givenVenue({ seed });
        const onlyLimits = all.filter((one) => one.do !== 'place' || one.intent.type === 'limit');
        for (const one of onlyLimits) await take(given, one);
        const expected: Record<string, string> = {};
        for (const order of given.venue.orders()) {
          if (order.state !== 'working' && order.state !== 'partially_filled') continue;
          const [base, quote] = order.symbol.split('/') as [string, string];
          const left = subtract(order.qty, order.filledQty);
          const [asset, amount] = order.side === 'buy' ? [quote, multiply(left, order.price!)] : [base, left];
          expected[asset] = add(expected[asset] ?? '0', amount);
        }
        for (const [asset, { held }] of Object.entries(given.venue.balances())) expect(held).toBe(expected[asset] ?? '0');
      }),
      { numRuns: 100 },
    );
  });

  it('does the same for the same seed, under faults and latency too', async () => {
    const fault: fc.Arbitrary<Fault> = fc.record({
      kind: fc.constantFrom('delay' as const, 'reset' as const, 'status' as const, 'duplicate' as const, 'reject' as const),
      when: fc.constantFrom('before' as const, 'after' as const),
      probability: fc.constantFrom(0.1, 0.5),
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fault, { maxLength: 3 }), fc.nat(), async (all, faults, seed) => {
        const run = async () => {
          const given = givenVenue({ seed, latency: { p50Ms: 20, p99Ms: 80 } });
          for (const one of faults) given.venue.fault(one);
          for (const one of all) {
            const taken = take(given, one).catch(() => {});
            await given.clock.advance(3_000);
            await taken;
          }
          return { hash: given.venue.logHash(), log: given.venue.log() };
        };
        const first = await run();
        const second = await run();
        expect(second.log).toEqual(first.log);
        expect(second.hash).toBe(first.hash);
      }),
      { numRuns: 40 },
    );
  });

  it.each(['forever', 'open_orders', 'none'] as const)('keeps client ids unique %s', async (clientIdUniqueness) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, seed) => {
        const given = givenVenue({ seed, clientIdUniqueness, balances: { USDT: '1000000000', BTC: '1000000', ETH: '1000000' } });
        const used = new Set<string>();
        for (const one of all) {
          if (one.do !== 'place') {
            await take(given, one);
            continue;
          }
          const id = `id-${one.id}`;
          const isOpen = given.venue
            .orders()
            .some(({ clientOrderId, state }) => clientOrderId === id && (state === 'working' || state === 'partially_filled'));
          const verdict = await given.broker.place(one.intent, id, given.attempt());
          const isTaken = clientIdUniqueness === 'forever' ? used.has(id) : clientIdUniqueness === 'open_orders' && isOpen;
          expect(verdict.kind).toBe(isTaken ? 'duplicate' : 'accepted');
          used.add(id);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('accepts a signed request exactly when it arrives before its fence, by the venue’s clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60_000 }),
        fc.nat(70_000),
        fc.integer({ min: -50_000, max: 50_000 }),
        async (fenceMs, delay, skew) => {
          const { clock, venue, broker, attempt } = givenVenue({ clientIdUniqueness: 'none' });
          venue.setClock({ skewMs: skew });
          venue.fault({ operation: 'place', when: 'before', kind: 'delay', ms: delay });
          const placed = broker.place({ symbol: 'BTC/USDT', side: 'buy', type: 'limit', price: '90', qty: '0.001' }, 'a', { ...attempt(), fenceMs });
          await clock.advance(delay);
          const isInTime = delay + skew <= fenceMs && delay + skew > -1_000;
          expect((await placed).kind).toBe(isInTime ? 'accepted' : 'refused');
          expect(venue.orders()).toHaveLength(isInTime ? 1 : 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never lets more through than a window allows, at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(300), { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 8 }), async (gaps, units) => {
        const { clock, broker, attempt } = givenVenue({
          limits: [{ id: 'w', scope: 'ip', kind: 'window', units, perMs: 1_000 }],
          bans: { afterIgnored: 1_000_000, firstMs: 1, longestMs: 1 },
        });
        const passed: number[] = [];
        for (const gap of gaps) {
          await clock.advance(gap);
          const now = clock.monotonic();
          const inWindow = passed.filter((at) => at > now - 1_000).length;
          const isThrough = await broker.serverTime!(attempt()).then(
            () => true,
            () => false,
          );
          expect(isThrough).toBe(inWindow < units);
          if (isThrough) passed.push(now);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never shows a lookup anything older than the visibility lag', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.integer({ min: 1, max: 3_000 }), async (all, seed, visibilityLagMs) => {
        const given = givenVenue({ seed, visibilityLagMs, staleReadRatio: 1 });
        for (const one of all) await take(given, one);
        const settled = given.venue.orders();
        for (const order of settled) {
          const before = given.clock.now();
          if (order.venueTime > before - visibilityLagMs) continue;
          const seen = await given.broker.find(
            { symbol: order.symbol, clientOrderId: order.clientOrderId!, venueOrderId: order.venueOrderId },
            given.attempt(),
          );
          expect(seen).toEqual(given.venue.orders().find(({ venueOrderId }) => venueOrderId === order.venueOrderId));
        }
      }),
      { numRuns: 80 },
    );
  });
});
