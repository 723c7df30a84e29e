import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import type { MarketSource } from '../../../src/sdk/alpaca/market-source.js';
import { ResilientAlpaca } from '../../../src/sdk/alpaca/resilient-alpaca.js';
import type { AlpacaWire, WireAnswer, WireOutcome, WireRequest } from '../../../src/sdk/alpaca/wire.js';
import { factsOf } from '../../../src/sdk/shared/error-facts.js';
import { accountEndpoints } from '../../../src/testing/alpaca/account-endpoints.js';
import { Router } from '../../../src/testing/alpaca/endpoint.js';
import { Ids } from '../../../src/testing/alpaca/ids.js';
import { OrderEndpoints } from '../../../src/testing/alpaca/order-endpoints.js';
import { ALPACA } from '../../../src/testing/alpaca/protocol.js';
import { statusReply } from '../../../src/testing/alpaca/wire-reply.js';
import { type Fault, SimulatedVenue } from '../../../src/testing/index.js';
import { type AnswerPort, RequestLine } from '../../../src/testing/served/request-line.js';
import { settle } from '../../unit/trading/given-trading.js';
import { anyFault } from './any-fault.js';

/** Replacements of Alpaca through the order path, over Alpaca's own endpoints, in virtual time: whatever is struck, and whoever else has to do with the old order. */
const SYMBOL = 'BTC/USD';

interface Lived {
  readonly faults: readonly Fault[];
  /** What else becomes of the old order, and when. */
  readonly old: 'nothing' | 'filled' | 'filled in part' | 'cancelled' | 'replaced by another call';
  readonly afterMs: number;
  readonly isOurs: boolean;
  readonly seed: number;
}

const life: fc.Arbitrary<Lived> = fc.record({
  faults: fc.array(anyFault, { maxLength: 4 }),
  old: fc.constantFrom('nothing', 'nothing', 'filled', 'filled in part', 'cancelled', 'replaced by another call'),
  afterMs: fc.nat(4_000),
  isOurs: fc.boolean(),
  seed: fc.nat(),
});

/** A way to the endpoints without a network. */
function wireTo(venue: SimulatedVenue, ids: Ids): AlpacaWire {
  const line = new RequestLine(venue.core, ALPACA, 'main', new AbortController().signal);
  const router = new Router([...new OrderEndpoints().all(), ...accountEndpoints]);
  return {
    onAnswer: () => ({ [Symbol.dispose]() {} }),
    send: ({ method, path, query = {}, body = {} }: WireRequest, signal) =>
      new Promise<WireOutcome>((resolve) => {
        const lost = (reason: string): void => resolve({ error: new Error(reason), facts: { sent: true } });
        signal.addEventListener('abort', () => lost('timed out'), { once: true });
        const port: AnswerPort = {
          answer: ({ status, body: json }) => {
            const facts = { sent: true, status, body: JSON.stringify(json) };
            resolve(
              status < 300 ? { result: { status, json: JSON.parse(facts.body ?? 'null'), native: json } } : { error: new Error(facts.body), facts },
            );
          },
          strike: async (struck) => {
            if (struck.kind === 'reset') lost('reset');
            else if (struck.kind === 'html') resolve({ error: new Error('html'), facts: { sent: true, status: 503, body: '<html>' } });
            else if (struck.kind === 'status') port.answer(statusReply(struck), []);
          },
        };
        const { endpoint, at } = router.find(method as 'GET', path)!;
        const entries = Object.entries(query).filter(([, value]) => value !== undefined);
        const params = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]));
        const operation = endpoint.operation === 'openOrders' && (params.get('status') ?? 'open') !== 'open' ? 'history' : endpoint.operation;
        void line.travel({ operation, weight: 1, symbol: SYMBOL, run: (context) => endpoint.run({ ...context, ids, at, params, body }) }, port);
      }),
  };
}

async function live({ faults, old, afterMs, isOurs, seed }: Lived): Promise<void> {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    clock,
    seed,
    symbols: { [SYMBOL]: { price: 50_000, priceStep: '0.01', qtyStep: '0.00001' } },
    balances: { USD: '100000' },
    volatility: 0,
    visibilityLagMs: 500,
    fence: false,
    clientIdUniqueness: 'forever',
    clientIdMaxLength: 128,
  });
  const ids = new Ids(venue.core);
  const wire = wireTo(venue, ids);
  const path = new ResilientAlpaca(
    { wire, source: {} as MarketSource, timeoutMs: 1_000, made: (status) => ({ status, json: undefined, native: undefined }) },
    {
      clock,
      random: seededRandom(seed),
      policy: { deadlineMs: 300_000 },
      capabilities: { visibilityLagMs: 500 },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    },
  );
  const call = (method: string, target: string, body: Record<string, unknown>) =>
    path
      .route({
        host: 'trading',
        method,
        path: target,
        body,
        send: (attempt, other = body) => wire.send({ method, path: target, body: other }, attempt.signal),
      })
      .then(
        ({ json }: WireAnswer) => ({ json }),
        (error: unknown) => ({ error }),
      );
  try {
    await settle(clock, path.session.ready());
    const order = { symbol: SYMBOL, side: 'buy', type: 'limit', qty: '0.02', limit_price: '40000', time_in_force: 'gtc', client_order_id: 'old' };
    if (isOurs) await settle(clock, call('POST', '/v2/orders', order));
    else venue.placeExternal({ symbol: SYMBOL, side: 'buy', type: 'limit', qty: '0.02', price: '40000' }, { clientOrderId: 'old' });
    await clock.advance(2_000);
    for (const one of faults) venue.fault(one);
    const target = `/v2/orders/${ids.of('order', 1)}`;
    const calls = [call('PATCH', target, { limit_price: '41000', client_order_id: 'new' })];
    clock.schedule(afterMs, () => {
      const isOpen = venue.orders()[0]?.state === 'working';
      if (old === 'filled' && isOpen) venue.fill('1');
      else if (old === 'filled in part' && isOpen) venue.fill('1', { qty: '0.005' });
      else if (old === 'cancelled') venue.cancelExternal('1');
      else if (old === 'replaced by another call') calls.push(call('PATCH', target, { limit_price: '42000', client_order_id: 'other' }));
    });
    await clock.advance(afterMs);
    const outcomes = await settle(clock, Promise.all(calls), 900_000);
    // What is late still arrives.
    await clock.advance(10_000);
    const orders = venue.orders();
    for (const [index, id] of ['new', 'other'].slice(0, calls.length).entries()) {
      const made = orders.filter(({ clientOrderId }) => clientOrderId === id);
      const outcome = outcomes[index] as { json?: unknown; error?: unknown };
      expect(made.length, 'an order was doubled').toBeLessThanOrEqual(1);
      if ('json' in outcome) expect(made, 'success was told of an order that is not there').toHaveLength(1);
      else {
        expect(factsOf(outcome.error)?.sent, 'nobody can say what became of it, though all faults are over').not.toBe('maybe');
        expect(made, 'failure was told of an order that is there').toHaveLength(0);
      }
    }
    if (old === 'nothing') expect(outcomes).toMatchObject([{ json: { client_order_id: 'new' } }]);
    const isLive = ({ state }: (typeof orders)[number]): boolean => state === 'working' || state === 'partially_filled';
    expect(orders.filter((one) => isLive(one) || one.state === 'filled').length, 'two stand in the place of one').toBeLessThanOrEqual(1);
    expect(path.session.client.mode()).toBe('active');
  } finally {
    await settle(clock, path.session.release());
  }
}

describe('Replacements of Alpaca through the order path, whatever is struck', () => {
  it('make each new order once or not at all, never one beside another in the place of one, and always say which', async () => {
    await fc.assert(fc.asyncProperty(life, live), { numRuns: 60 });
  });
});
