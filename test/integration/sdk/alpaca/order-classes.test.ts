import { describe, it } from 'vitest';
import { ready, release, resilient } from '../../../../src/sdk/alpaca/index.js';
import { serveAlpaca } from '../../../../src/testing/index.js';
import { MemoryOrderJournal } from '../../../../src/trading/index.js';
import { alpacaVenue, CAPABILITIES, caught, newV3, newV4, SYMBOLS, type V3, type V4 } from './given.js';

/** Orders that come with others, and of several legs, through the order path with the real SDKs: one of each for a call, whatever becomes of it. */
type Json = Record<string, unknown>;

const SHARES = { symbol: 'AAPL', qty: '2', time_in_force: 'gtc' };
const OUT = { take_profit: { limit_price: '300' }, stop_loss: { stop_price: '100' } };
const CALL = (strike: number, side: string): Json => ({
  symbol: `AAPL301220C00${strike}000`,
  ratio_qty: '1',
  side,
  position_intent: `${side}_to_open`,
});
const SPREAD = {
  order_class: 'mleg',
  type: 'limit',
  qty: '3',
  limit_price: '1.00',
  time_in_force: 'day',
  legs: [CALL(190, 'buy'), CALL(210, 'sell')],
};

/** What is asked for, and what is at the venue then. */
const KINDS: Readonly<Record<string, readonly [body: Json, states: readonly string[]]>> = {
  'a bracket': [{ ...SHARES, side: 'buy', type: 'limit', limit_price: '150', order_class: 'bracket', ...OUT }, ['working', 'working', 'working']],
  'one that triggers another': [
    { ...SHARES, side: 'buy', type: 'limit', limit_price: '150', order_class: 'oto', stop_loss: OUT.stop_loss },
    ['working', 'working'],
  ],
  'two of which one cancels the other': [{ ...SHARES, side: 'sell', type: 'limit', order_class: 'oco', ...OUT }, ['working', 'working']],
  'several legs': [SPREAD, ['working']],
};

type Place = (sdk: object, body: Json) => Promise<Json>;
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const renamed = (value: unknown, name: (old: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((one) => renamed(one, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [name(key), renamed(member, name)]));
};

const SDKS: Readonly<Record<string, { readonly make: () => object; readonly place: Place }>> = {
  'version 3': { make: newV3, place: (sdk, body) => (sdk as V3).createOrder(body) as Promise<Json> },
  'version 4': {
    make: () => newV4(),
    place: async (sdk, body) => {
      const order = await (sdk as V4).trading.orders.postOrder({ postOrderRequest: renamed(body, camel) as never });
      return { client_order_id: order.clientOrderId, order_class: order.orderClass, id: order.id };
    },
  },
};

async function given(make: () => object, journal = new MemoryOrderJournal()) {
  const symbols = { ...SYMBOLS, mleg: { price: 1.5, priceStep: '0.01', qtyStep: '1' } };
  const venue = alpacaVenue({ symbols, balances: { USD: '100000', AAPL: '10' } });
  const served = await serveAlpaca(venue);
  const wrap = (): object => resilient(served.connect(make()), { capabilities: CAPABILITIES, policy: { timeoutMs: 500 }, journal });
  const sdk = wrap();
  await ready(sdk, { deadlineMs: 30_000 });
  return {
    venue,
    sdk,
    wrap,
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await served.close();
    },
  };
}

for (const [name, { make, place }] of Object.entries(SDKS)) {
  describe.concurrent(`resilient(@alpacahq/alpaca-trade-api, ${name}): orders with others`, () => {
    it.for(Object.entries(KINDS).flatMap(([kind, terms]) => (['after', 'before'] as const).map((when) => [kind, when, ...terms] as const)))(
      'makes one of it through a reset: %s, %s the venue acts',
      async ([, when, body, states], { expect }) => {
        await using one = await given(make);
        const { sdk, venue } = one;
        venue.fault({ operation: 'place', when, kind: 'reset', times: 1 });
        const order = await place(sdk, { ...body, client_order_id: 'group-1' });
        expect(order).toMatchObject({ client_order_id: 'group-1', order_class: body.order_class });
        expect(venue.orders().map(({ state }) => state)).toEqual(states);
        // The id is the key: the same call again gives the same order.
        expect((await place(sdk, { ...body, client_order_id: 'group-1' })).id).toBe(order.id);
        expect(venue.orders()).toHaveLength(states.length);
      },
    );
  });
}

describe.concurrent('resilient(@alpacahq/alpaca-trade-api): an order of several legs', () => {
  const { make, place } = SDKS['version 3']!;

  it('survives the end of the process, is replaced like any other, and is no obstacle to what is listed', async ({ expect }) => {
    const journal = new MemoryOrderJournal();
    await using one = await given(make, journal);
    const { sdk, venue, wrap } = one;
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
    const ended = caught(place(sdk, { ...SPREAD, client_order_id: 'spread-1' }));
    await expect.poll(() => venue.orders().length, { timeout: 30_000 }).toBe(1);
    await release(sdk);
    await ended;
    const next = wrap() as V3 & { replaceOrder(id: string, to: object): Promise<Json> };
    try {
      await ready(next, { deadlineMs: 30_000 });
      const order = await place(next, { ...SPREAD, client_order_id: 'spread-1' });
      expect(venue.orders()).toHaveLength(1);
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      const replaced = await next.replaceOrder(order.id as string, { limit_price: '1.10', client_order_id: 'spread-2' });
      expect(replaced).toMatchObject({
        order_class: 'mleg',
        limit_price: '1.1',
        symbol: '',
        side: '',
        legs: [{ ratio_qty: '1' }, { ratio_qty: '1' }],
      });
      expect(venue.orders().map(({ state, price }) => [state, price])).toEqual([
        ['canceled', '1'],
        ['working', '1.1'],
      ]);
    } finally {
      await release(next);
    }
  });
});
