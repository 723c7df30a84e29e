import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { OwnNames } from '../../../src/sdk/binance/markets.js';
import { OrderPath } from '../../../src/sdk/binance/orders/order-path.js';
import type { BinanceWire, WireOutcome, WireRequest } from '../../../src/sdk/binance/wire.js';
import { factsOf } from '../../../src/sdk/shared/error-facts.js';
import type { Endpoint } from '../../../src/testing/binance/endpoint.js';
import { listEndpoints } from '../../../src/testing/binance/list-endpoints.js';
import { marketEndpoints } from '../../../src/testing/binance/market-endpoints.js';
import { orderEndpoints } from '../../../src/testing/binance/order-endpoints.js';
import { BINANCE, incomingOf } from '../../../src/testing/binance/protocol.js';
import { replaceEndpoints } from '../../../src/testing/binance/replace-endpoints.js';
import { statusReply } from '../../../src/testing/binance/wire-reply.js';
import { type Fault, SimulatedVenue } from '../../../src/testing/index.js';
import { type AnswerPort, RequestLine } from '../../../src/testing/served/request-line.js';
import { settle } from '../../unit/trading/given-trading.js';
import { anyFault } from './any-fault.js';

/** Replacements and lists through the order path, over Binance's own endpoints, in virtual time: whatever is struck, and whoever else has to do with the old order. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = { ...marketEndpoints, ...orderEndpoints, ...replaceEndpoints, ...listEndpoints };
const CREDENTIALS = { apiKey: 'key', secret: 'secret' };
const SELL = { symbol: 'BTCUSDT', side: 'SELL', type: 'LIMIT', timeInForce: 'GTC' };

interface Lived {
  readonly do: 'replace' | 'list' | 'amend';
  readonly mode: 'STOP_ON_FAILURE' | 'ALLOW_FAILURE';
  readonly faults: readonly Fault[];
  /** What else becomes of the old order, and when. */
  readonly old: 'nothing' | 'filled' | 'cancelled' | 'replaced by another call';
  readonly afterMs: number;
  readonly hasMoney: boolean;
  readonly seed: number;
}

const life: fc.Arbitrary<Lived> = fc.record({
  do: fc.constantFrom('replace' as const, 'replace' as const, 'list' as const, 'amend' as const),
  mode: fc.constantFrom('STOP_ON_FAILURE' as const, 'ALLOW_FAILURE' as const),
  faults: fc.array(anyFault, { maxLength: 4 }),
  old: fc.constantFrom('nothing' as const, 'filled' as const, 'cancelled' as const, 'replaced by another call' as const),
  afterMs: fc.nat(4_000),
  hasMoney: fc.boolean(),
  seed: fc.nat(),
});

/** A way to the endpoints without a network. */
function wireTo(venue: SimulatedVenue): BinanceWire {
  const line = new RequestLine(venue.core, BINANCE, 'main', new AbortController().signal);
  return {
    onAnswer: () => ({ [Symbol.dispose]() {} }),
    send: ({ method, path, params }: WireRequest, signal) =>
      new Promise<WireOutcome>((resolve) => {
        const lost = (reason: string): void => resolve({ error: new Error(reason), facts: { sent: true } });
        signal.addEventListener('abort', () => lost('timed out'), { once: true });
        const port: AnswerPort = {
          answer: ({ status, body }) => {
            const facts = { sent: true, status, body: JSON.stringify(body) };
            resolve(status === 200 ? { result: { json: JSON.parse(facts.body), native: body } } : { error: new Error(facts.body), facts });
          },
          strike: async (struck) => {
            if (struck.kind === 'reset') lost('reset');
            else if (struck.kind === 'html') resolve({ error: new Error('html'), facts: { sent: true, status: 503, body: '<html>' } });
            else if (struck.kind === 'status') port.answer(statusReply(struck, venue.now()), []);
          },
        };
        const entries = Object.entries(params).filter(([, value]) => value !== undefined);
        const query = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]));
        const signed = query.toString();
        query.set('signature', createHmac('sha256', CREDENTIALS.secret).update(signed).digest('hex'));
        const endpoint = ENDPOINTS[`${method} ${path}`] as Endpoint;
        void line.travel(incomingOf(CREDENTIALS, { endpoint, params: query, key: 'key', signed: [signed] }), port);
      }),
  };
}

async function live({ do: what, mode, faults, old, afterMs, hasMoney, seed }: Lived): Promise<void> {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    clock,
    seed,
    symbols: { 'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001' } },
    balances: { USDT: '0', BTC: hasMoney ? '10' : '0.01' },
    volatility: 0,
    visibilityLagMs: 500,
  });
  const wire = wireTo(venue);
  const path = new OrderPath(
    {
      wire,
      markets: (read) => new OwnNames(read),
      symbolOf: (id) => id,
      marketIdOf: (symbol) => symbol,
      canSign: () => true,
      timeoutMs: 1_000,
      answered: (_, json) => ({ json, native: json }),
      plain: (answer) => answer,
    },
    {
      clock,
      random: seededRandom(seed),
      policy: { deadlineMs: 300_000 },
      capabilities: { visibilityLagMs: 500, fence: { maxMs: 60_000, defaultMs: 2_000 } },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    },
  );
  try {
    await settle(clock, path.session.ready());
    const placed = { symbol: 'BTC/USDT', side: 'sell', type: 'limit', qty: '0.01', price: '60000', timeInForce: 'gtc' } as const;
    if (what === 'replace') venue.placeExternal(placed, { clientOrderId: 'old' });
    const send = (): Promise<never> => Promise.reject(new Error('the order path sends it'));
    // It makes smaller what it has placed.
    const large = { ...SELL, quantity: '0.01', price: '60000', newClientOrderId: 'large' };
    if (what === 'amend') await settle(clock, path.route({ method: 'POST', path: '/api/v3/order', params: large, send }));
    await clock.advance(2_000);
    for (const one of faults) venue.fault(one);
    const request = (id: string): object => ({
      ...SELL,
      quantity: hasMoney ? '0.02' : '0.01',
      price: '61000',
      cancelReplaceMode: mode,
      cancelOrigClientOrderId: 'old',
      newClientOrderId: id,
    });
    const oco = {
      symbol: 'BTCUSDT',
      side: 'SELL',
      quantity: '0.01',
      aboveType: 'LIMIT_MAKER',
      abovePrice: '60000',
      belowType: 'STOP_LOSS',
      belowStopPrice: '40000',
      listClientOrderId: 'list',
    };
    const call = (target: string, params: object) =>
      path
        .route({
          method: what === 'amend' ? 'PUT' : 'POST',
          path: `/api/v3/${target}`,
          params: params as never,
          send: () =>
            wire.send(
              { method: what === 'amend' ? 'PUT' : 'POST', path: `/api/v3/${target}`, params: { ...params, timestamp: venue.now() }, isSigned: true },
              new AbortController().signal,
            ),
        })
        .then(
          ({ json }) => ({ json }),
          (error: unknown) => ({ error }),
        );
    const amend = { symbol: 'BTCUSDT', origClientOrderId: 'large', newClientOrderId: 'small', newQty: '0.004' };
    const calls = [
      what === 'list'
        ? call('orderList/oco', oco)
        : what === 'amend'
          ? call('order/amend/keepPriority', amend)
          : call('order/cancelReplace', request('new')),
    ];
    clock.schedule(afterMs, () => {
      if (what === 'list' || (what === 'amend' && old === 'replaced by another call')) return;
      // Of one that is cancelled it would be a late fill.
      if (old === 'filled' && venue.orders()[0]?.state === 'working') venue.fill('1');
      else if (old === 'cancelled') venue.cancelExternal('1');
      else if (old === 'replaced by another call') calls.push(call('order/cancelReplace', request('other')));
    });
    await clock.advance(afterMs);
    const outcomes = await settle(clock, Promise.all(calls), 600_000);
    // What is late still arrives.
    await clock.advance(10_000);
    const orders = venue.orders();
    expect(path.session.client.mode()).toBe('active');
    if (what === 'amend') return expectAmended(orders, outcomes[0] as Told);
    const ids = what === 'list' ? ['list:list'] : ['new', 'other'].slice(0, calls.length);
    for (const [index, id] of ids.entries()) {
      const made = orders.filter(({ clientOrderId }) => clientOrderId === id);
      const outcome = outcomes[index] as { json?: unknown; error?: unknown };
      expect(made.length, 'an order was doubled').toBeLessThanOrEqual(1);
      if ('json' in outcome) expect(made, 'success was told of an order that is not there').toHaveLength(1);
      else {
        const facts = factsOf(outcome.error);
        expect(facts?.sent, 'nobody can say what became of it, though all faults are over').not.toBe('maybe');
        // Half done: the new order is there, the old one could not be cancelled, and the handle says so.
        if (made.length > 0) expect(facts?.handle?.view.state).toBe('working');
      }
    }
    if (what === 'list') expect(orders).toHaveLength(orders.length === 0 ? 0 : 2);
    const isLive = ({ state }: (typeof orders)[number]): boolean => state === 'working' || state === 'partially_filled';
    // Where the old order stays, or was filled, or is replaced by one, no other may stand in its place.
    if (what === 'replace' && mode === 'STOP_ON_FAILURE')
      expect(orders.filter((order) => isLive(order) || order.state === 'filled').length).toBeLessThanOrEqual(1);
  } finally {
    await settle(clock, path.session.release());
  }
}

interface Told {
  readonly json?: { readonly amendedOrder: object };
  readonly error?: unknown;
}

/** One order, and of what size it is is what the bot was told. */
function expectAmended(orders: ReturnType<SimulatedVenue['orders']>, { json, error }: Told): void {
  expect(orders).toHaveLength(1);
  const [order] = orders;
  if (json !== undefined) {
    expect(order).toMatchObject({ qty: '0.004', clientOrderId: 'small' });
    expect(json.amendedOrder).toMatchObject({ qty: '0.00400000', orderId: 1 });
    return;
  }
  expect(factsOf(error)?.sent, 'nobody can say what became of it, though all faults are over').not.toBe('maybe');
  expect(order?.qty, 'it was made smaller, and the bot was told that it was not').toBe('0.01');
}

describe('Replacements, lists and amendments through the order path, whatever is struck', () => {
  it('make each new order once or not at all, never one beside another in the place of one, and always say which', async () => {
    await fc.assert(fc.asyncProperty(life, live), { numRuns: 80 });
  });

  it('regression: one that was delivered twice was told as refused while another one of the same order was under way', async () => {
    const twice: Fault = { operation: 'place', when: 'after', times: 2, kind: 'duplicate', ms: 50 };
    await live({ do: 'replace', mode: 'STOP_ON_FAILURE', faults: [twice], old: 'replaced by another call', afterMs: 0, hasMoney: false, seed: 0 });
  });
});
