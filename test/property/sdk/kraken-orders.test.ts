import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import type { KrakenMarkets } from '../../../src/sdk/kraken/markets.js';
import { OrderPath } from '../../../src/sdk/kraken/order-path.js';
import type { KrakenWire, Params, WireAnswer, WireOutcome, WireRequest } from '../../../src/sdk/kraken/wire.js';
import { factsOf } from '../../../src/sdk/shared/error-facts.js';
import { type Fault, SimulatedVenue } from '../../../src/testing/index.js';
import type { Endpoint } from '../../../src/testing/kraken/endpoint.js';
import { Ids } from '../../../src/testing/kraken/ids.js';
import { marketEndpoints } from '../../../src/testing/kraken/market-endpoints.js';
import { OrderEndpoints } from '../../../src/testing/kraken/order-endpoints.js';
import { KRAKEN } from '../../../src/testing/kraken/protocol.js';
import { failure, statusReply } from '../../../src/testing/kraken/wire-reply.js';
import { type AnswerPort, RequestLine } from '../../../src/testing/served/request-line.js';
import { settle } from '../../unit/trading/given-trading.js';
import { anyFault } from './any-fault.js';

/** Amendments, batches and trailing stops with a limit through the order path, over Kraken's own endpoints, in virtual time: whatever is struck. */
const PAIR = 'XBTUSD';
const SYMBOL = 'BTC/USD';
const MARKETS: KrakenMarkets = {
  load: () => Promise.resolve(),
  marketId: () => Promise.resolve(PAIR),
  symbolOf: () => SYMBOL,
  quoteAsset: () => 'USD',
  instrument: () => Promise.reject(new Error('nobody asks')),
};

interface Lived {
  readonly do: 'amend' | 'amend another’s' | 'batch' | 'trail';
  readonly faults: readonly Fault[];
  /** What else becomes of the order that is amended, and when. */
  readonly old: 'nothing' | 'filled' | 'cancelled' | 'filled in part';
  readonly afterMs: number;
  readonly seed: number;
}

const life: fc.Arbitrary<Lived> = fc.record({
  do: fc.constantFrom('amend' as const, 'amend another’s' as const, 'batch' as const, 'trail' as const),
  faults: fc.array(anyFault, { maxLength: 4 }),
  old: fc.constantFrom('nothing' as const, 'nothing' as const, 'filled' as const, 'cancelled' as const, 'filled in part' as const),
  afterMs: fc.nat(4_000),
  seed: fc.nat(),
});

/** A way to the endpoints without a network; a nonce counts once, and none below the last. */
function wireTo(venue: SimulatedVenue): KrakenWire {
  const line = new RequestLine(venue.core, KRAKEN, 'main', new AbortController().signal);
  const endpoints: Readonly<Record<string, Endpoint>> = { ...marketEndpoints, ...new OrderEndpoints().all() };
  const ids = new Ids(venue.core.seed);
  let made = 0;
  let seen = 0;
  return {
    send: ({ api, method, params: given }: WireRequest, signal) =>
      new Promise<WireOutcome>((resolve) => {
        const lost = (reason: string): void => resolve({ error: new Error(reason), facts: { sent: true } });
        signal.addEventListener('abort', () => lost('timed out'), { once: true });
        const port: AnswerPort = {
          answer: ({ status, body }) => {
            const facts = { sent: true, status, body: JSON.stringify(body) };
            const { error, result } = JSON.parse(facts.body) as { error?: string[]; result?: unknown };
            const hasRefused = ((result as { orders?: { error?: string }[] } | undefined)?.orders ?? []).some((order) => order.error !== undefined);
            const isFine = status === 200 && error?.length === 0 && !hasRefused;
            resolve(isFine ? { result: { json: result, native: body } } : { error: new Error(facts.body), facts });
          },
          strike: async (struck) => {
            if (struck.kind === 'reset') lost('reset');
            else if (struck.kind === 'html') resolve({ error: new Error('html'), facts: { sent: true, status: 503, body: '<html>' } });
            else if (struck.kind === 'status') port.answer(statusReply(struck), []);
          },
        };
        const entries = Object.entries(given).filter(([, value]) => value !== undefined);
        const params = new URLSearchParams(entries.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]));
        const endpoint = endpoints[`/0/${api}/${method}`]!;
        const nonce = ++made;
        const operation = typeof endpoint.operation === 'string' ? endpoint.operation : endpoint.operation(params);
        const incoming = {
          operation,
          weight: 1,
          symbol: SYMBOL,
          run: (context: Parameters<Endpoint['run']>[0] | object) => {
            if (endpoint.isPrivate && nonce <= seen) return failure('EAPI:Invalid nonce');
            if (endpoint.isPrivate) seen = nonce;
            return endpoint.run({ ...(context as Parameters<Endpoint['run']>[0]), params, ids });
          },
        };
        void line.travel(incoming, port);
      }),
  };
}

async function live({ do: what, faults, old, afterMs, seed }: Lived): Promise<void> {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({
    clock,
    seed,
    symbols: { [SYMBOL]: { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } },
    balances: { USD: '100000', BTC: '2' },
    volatility: 0,
    visibilityLagMs: 500,
  });
  const wire = wireTo(venue);
  const path = new OrderPath(
    { wire, markets: MARKETS, tier: 'pro', symbolOf: () => SYMBOL, canSign: () => true, timeoutMs: 1_000 },
    {
      clock,
      random: seededRandom(seed),
      policy: { deadlineMs: 300_000 },
      capabilities: { visibilityLagMs: 500 },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    },
  );
  const call = (method: string, params: Params) =>
    path
      .route({
        api: 'private',
        method,
        params,
        send: ({ signal }, other = params) => wire.send({ api: 'private', method, params: other }, signal),
      })
      .then(
        ({ json }: WireAnswer) => ({ json }),
        (error: unknown) => ({ error }),
      );
  try {
    await settle(clock, path.session.ready());
    const order = { pair: PAIR, type: 'buy', ordertype: 'limit', volume: '0.01', price: '40000' };
    const isAmending = what === 'amend' || what === 'amend another’s';
    if (what === 'amend') await settle(clock, call('AddOrder', { ...order, cl_ord_id: 'old' }));
    if (what === 'amend another’s')
      venue.placeExternal({ symbol: SYMBOL, side: 'buy', type: 'limit', qty: '0.01', price: '40000' }, { clientOrderId: 'old' });
    await clock.advance(2_000);
    for (const one of faults) venue.fault(one);
    const rows = ['a', 'b', 'c'].map((id, index) => ({ ...order, pair: undefined, volume: '0.02', price: String(40_000 + index), cl_ord_id: id }));
    const running = isAmending
      ? call('AmendOrder', { txid: new Ids(venue.core.seed).of('O', 1), order_qty: '0.02', limit_price: '41000' })
      : what === 'batch'
        ? call('AddOrderBatch', { pair: PAIR, orders: rows })
        : call('AddOrder', { ...order, type: 'sell', ordertype: 'trailing-stop-limit', price: '+2%', price2: '-1%', cl_ord_id: 'trail' });
    clock.schedule(afterMs, () => {
      if (!isAmending) return;
      if (old === 'filled' && venue.orders()[0]?.state === 'working') venue.fill('1');
      else if (old === 'filled in part' && venue.orders()[0]?.state === 'working') venue.fill('1', { qty: '0.004' });
      else if (old === 'cancelled') venue.cancelExternal('1');
    });
    await clock.advance(afterMs);
    const outcome = (await settle(clock, running, 900_000)) as { json?: unknown; error?: unknown };
    // What is late still arrives.
    await clock.advance(10_000);
    const orders = venue.orders();
    const facts = factsOf(outcome.error);
    if (outcome.error !== undefined) expect(facts?.sent, 'nobody can say what became of it, though all faults are over').not.toBe('maybe');
    if (isAmending) {
      expect(orders).toHaveLength(1);
      const isDone = orders[0]?.price === '41000' && orders[0].qty === '0.02';
      // Kraken's refusal of an order that is over, or was: what had been amended before that is not undone.
      if ('json' in outcome) expect(isDone, 'success was told of what was not done').toBe(true);
      else expect(old, 'it failed, and nothing was in its way').not.toBe('nothing');
    } else {
      const ids = what === 'batch' ? ['a', 'b', 'c'] : ['trail'];
      expect(orders.map(({ clientOrderId }) => clientOrderId).sort(), 'an order was doubled, or lost').toEqual(ids);
      expect(outcome.error).toBeUndefined();
    }
    expect(path.session.client.mode()).toBe('active');
  } finally {
    await settle(clock, path.session.release());
  }
}

describe('Amendments, batches and trailing stops of Kraken through the order path, whatever is struck', () => {
  it('are done once, and always say whether they are', async () => {
    await fc.assert(fc.asyncProperty(life, live), { numRuns: 60 });
  });
});
