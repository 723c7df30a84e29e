import ccxt, { type alpaca } from 'ccxt';
import { describe, it } from 'vitest';
import { type AlpacaResilientOptions, factsOf, ready, release, resilient } from '../../../../src/sdk/alpaca/index.js';
import { resilient as resilientCcxt } from '../../../../src/sdk/ccxt/index.js';
import { type Fault, type SimulatedVenue, serveAlpaca } from '../../../../src/testing/index.js';
import { MemoryOrderJournal } from '../../../../src/trading/index.js';
import { alpacaVenue, CAPABILITIES, caught, newV3, newV4, type V3, type V4 } from './given.js';

/**
 * PATCH /v2/orders/{id} through the order path, with the real SDKs: whatever becomes of a request or of its answer, the old order is
 * replaced once, and the caller hears of it in the SDK's own words.
 */
type Json = Record<string, unknown>;
interface Change {
  readonly price: string;
  readonly qty?: string;
  readonly id?: string;
}
interface Shown {
  readonly id: string;
  readonly price: number;
  readonly clientOrderId: string;
}
interface Writer {
  wrap(served: Awaited<ReturnType<typeof serveAlpaca>>, options: AlpacaResilientOptions): object;
  place(sdk: object): Promise<string>;
  replace(sdk: object, id: string, change: Change): Promise<Shown>;
}
interface V3Replacing extends V3 {
  replaceOrder(id: string, to: object): Promise<Record<string, string>>;
}

const ORDER = { symbol: 'BTC/USD', side: 'buy', type: 'limit', qty: '0.02', limit_price: '40000', time_in_force: 'gtc' };

const WRITERS: Readonly<Record<string, Writer>> = {
  'version 3': {
    wrap: (served, options) => resilient(served.connect(newV3()), options),
    place: async (sdk) => (await (sdk as V3).createOrder(ORDER)).id!,
    replace: async (sdk, id, { price, qty, id: client_order_id }) => {
      const order = await (sdk as V3Replacing).replaceOrder(id, {
        limit_price: price,
        ...(qty === undefined ? {} : { qty }),
        ...(client_order_id === undefined ? {} : { client_order_id }),
      });
      return { id: order.id!, price: Number(order.limit_price), clientOrderId: order.client_order_id! };
    },
  },
  'version 4': {
    wrap: (served, options) => resilient(served.connect(newV4()), options),
    place: async (sdk) => {
      const { symbol, side, qty, limit_price: limitPrice } = ORDER;
      return (await (sdk as V4).trading.orders.limit({ symbol, side, qty, limitPrice, timeInForce: 'gtc' } as never)).id!;
    },
    replace: async (sdk, orderId, { price: limitPrice, qty, id: clientOrderId }) => {
      const patchOrderRequest = { limitPrice, ...(qty === undefined ? {} : { qty }), ...(clientOrderId === undefined ? {} : { clientOrderId }) };
      const order = await (sdk as V4).trading.orders.patchOrderByOrderId({ orderId, patchOrderRequest });
      return { id: order.id!, price: Number(order.limitPrice), clientOrderId: order.clientOrderId! };
    },
  },
  'ccxt alpaca': {
    wrap: (served, options) => resilientCcxt(served.connect(new ccxt.alpaca({ timeout: 500, enableRateLimit: false })), options as object),
    place: async (sdk) => (await (sdk as alpaca).createOrder('BTC/USD', 'limit', 'buy', 0.02, 40_000)).id as string,
    replace: async (sdk, id, { price, qty, id: clientOrderId }) => {
      const params = clientOrderId === undefined ? {} : { clientOrderId };
      const order = await (sdk as alpaca).editOrder(
        id,
        'BTC/USD',
        'limit',
        'buy',
        qty === undefined ? undefined : Number(qty),
        Number(price),
        params,
      );
      return { id: order.id as string, price: order.price as number, clientOrderId: order.clientOrderId as string };
    },
  },
};

const FAULTS: Readonly<Record<string, Omit<Fault, 'operation' | 'times'> | undefined>> = {
  'nothing goes wrong': undefined,
  'the answer is lost': { when: 'after', kind: 'reset' },
  'the request is lost': { when: 'before', kind: 'reset' },
  'a page of HTML with 503 comes before it': { when: 'before', kind: 'html' },
  'a page of HTML with 503 comes after it': { when: 'after', kind: 'html' },
  'half an answer comes': { when: 'after', kind: 'half_body' },
  'the venue refuses with 429 for a moment': { when: 'before', kind: 'status', status: 429, ms: 300 },
  'the answer is later than the SDK waits': { when: 'after', kind: 'delay', ms: 1_200 },
  'the request is delivered twice, and the second answer is heard': { when: 'after', kind: 'duplicate' },
};

async function given(writer: Writer, options: AlpacaResilientOptions = {}) {
  const venue = alpacaVenue();
  const served = await serveAlpaca(venue);
  const sdk = writer.wrap(served, { capabilities: CAPABILITIES, policy: { timeoutMs: 500 }, ...options });
  if ('loadMarkets' in sdk) await (sdk as alpaca).loadMarkets();
  await ready(sdk, { deadlineMs: 30_000 });
  return {
    venue,
    served,
    sdk,
    /** The next request that places is struck. */
    strike: (fault: Omit<Fault, 'operation' | 'times'>) => venue.fault({ operation: 'place', times: 1, ...fault }),
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await served.close();
    },
  };
}

const shown = (venue: SimulatedVenue) => venue.orders().map(({ state, price, qty }) => [state, Number(price), Number(qty)]);
const venueIdOf = (venue: SimulatedVenue, index: number): string => venue.orders()[index]!.venueOrderId;

for (const [name, writer] of Object.entries(WRITERS)) {
  describe.concurrent(`resilient(${name}): replacing an order`, () => {
    it.for(Object.entries(FAULTS))('ends with one new order in the place of the old one where %s', async ([, fault], { expect }) => {
      await using one = await given(writer);
      const { sdk, venue } = one;
      const id = await writer.place(sdk);
      if (fault !== undefined) one.strike(fault);
      const made = await writer.replace(sdk, id, { price: '41000', qty: '0.03', id: 'new-1' });
      expect(made).toMatchObject({ price: 41_000, clientOrderId: 'new-1' });
      expect(shown(venue)).toEqual([
        ['canceled', 40_000, 0.02],
        ['working', 41_000, 0.03],
      ]);
      // The id is the key: the same call again gives the same order.
      expect(await writer.replace(sdk, id, { price: '41000', qty: '0.03', id: 'new-1' })).toEqual(made);
      expect(venue.orders()).toHaveLength(2);
    });

    it('of an order that has filled meanwhile fails in the venue’s own words, through a lost request, and nothing is made', async ({ expect }) => {
      await using one = await given(writer);
      const { sdk, venue, strike } = one;
      const id = await writer.place(sdk);
      strike({ when: 'before', kind: 'reset' });
      venue.fill(venueIdOf(venue, 0));
      const error = await caught(writer.replace(sdk, id, { price: '41000', id: 'new-1' }));
      expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes', clientOrderId: 'new-1' });
      expect(shown(venue)).toEqual([['filled', 40_000, 0.02]]);
      // The order path goes on: nothing is halted.
      await writer.place(sdk);
      expect(venue.orders()).toHaveLength(2);
    });
  });
}

describe.concurrent('resilient(@alpacahq/alpaca-trade-api): replacements', () => {
  const writer = WRITERS['version 3']!;

  it('of an order that has filled in part take what the venue makes of it', async ({ expect }) => {
    await using one = await given(writer);
    const { sdk, venue, strike } = one;
    const id = await writer.place(sdk);
    venue.fill(venueIdOf(venue, 0), { qty: '0.005' });
    strike({ when: 'after', kind: 'reset' });
    const made = await writer.replace(sdk, id, { price: '41000' });
    expect(shown(venue).at(-1)).toEqual(['working', 41_000, 0.015]);
    // And can be replaced in their turn.
    await writer.replace(sdk, made.id, { price: '42000' });
    expect(shown(venue).map(([state]) => state)).toEqual(['canceled', 'canceled', 'working']);
  });

  it('of an order of another program are kept as well, and those of an order that is not there are the venue’s to refuse', async ({ expect }) => {
    await using one = await given(writer);
    const { sdk, venue, served, strike } = one;
    const id = await writer.place(served.connect(newV3()));
    strike({ when: 'after', kind: 'reset' });
    expect(await writer.replace(sdk, id, { price: '41000', id: 'new-1' })).toMatchObject({ clientOrderId: 'new-1' });
    expect(shown(venue).map(([state]) => state)).toEqual(['canceled', 'working']);
    const gone = await caught(writer.replace(sdk, '00000001-0001-4000-8000-000000000999', { price: '41000' }));
    expect(gone).toMatchObject({ response: { status: 404 } });
    expect(factsOf(gone)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
  });

  it('that somebody else was faster with, or that the venue refuses, say so at once, and change nothing', async ({ expect }) => {
    await using one = await given(writer);
    const { sdk, venue, served } = one;
    const id = await writer.place(sdk);
    const poor = await caught(writer.replace(sdk, id, { price: '41000', qty: '100' }));
    expect(poor).toMatchObject({ response: { status: 403 } });
    expect(shown(venue)).toEqual([['working', 40_000, 0.02]]);
    await writer.replace(served.connect(newV3()), id, { price: '42000' });
    const late = await caught(writer.replace(sdk, id, { price: '41000' }));
    expect(late).toMatchObject({ response: { status: 422 } });
    expect(factsOf(late)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(shown(venue).map(([state, price]) => [state, price])).toEqual([
      ['canceled', 40_000],
      ['working', 42_000],
    ]);
  });

  // The writes of a crash at that moment: what is being sent has no answer in the journal.
  it.for(['before', 'after'] as const)(
    'survive the end of the process: what was being sent is resolved by the next one (%s)',
    async (when, { expect }) => {
      const journal = new MemoryOrderJournal();
      await using one = await given(writer, { journal });
      const { sdk, venue, served, strike } = one;
      const id = await writer.place(sdk);
      strike({ when, kind: 'drop' });
      const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
      const ended = caught(writer.replace(sdk, id, { price: '41000', id: 'new-1' }));
      const isStruck = () => venue.log().some(({ type, body }) => type === 'fault' && (body as Json).operation === 'place');
      await expect.poll(isStruck, { timeout: 30_000 }).toBe(true);
      await release(sdk);
      await ended;
      for (const fault of blind) fault[Symbol.dispose]();
      const next = writer.wrap(served, { capabilities: CAPABILITIES, policy: { timeoutMs: 500 }, journal });
      try {
        await ready(next, { deadlineMs: 30_000 });
        await expect.poll(() => venue.orders().map(({ state }) => state), { timeout: 30_000 }).toEqual(['canceled', 'working']);
        expect(await writer.replace(next, id, { price: '41000', id: 'new-1' })).toMatchObject({ clientOrderId: 'new-1', price: 41_000 });
        expect(venue.orders()).toHaveLength(2);
      } finally {
        await release(next);
      }
    },
  );
});
