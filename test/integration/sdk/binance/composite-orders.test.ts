import type { Spot } from '@binance/spot';
import type { MainClient } from 'binance';
import ccxt, { type binance } from 'ccxt';
import { describe, type ExpectStatic, expect, it, vi } from 'vitest';
import { factsOf, ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import { resilient as resilientCcxt } from '../../../../src/sdk/ccxt/index.js';
import { type Fault, type SimulatedVenue, serveBinance } from '../../../../src/testing/index.js';
import { MemoryOrderJournal } from '../../../../src/trading/index.js';
import { binanceVenue, CAPABILITIES, type ConnectorClient, caught, madeAt, SDKS } from './given.js';

/**
 * Replacements, order lists and trailing stops through the order path, with the real SDKs: whatever becomes of a request or of its answer,
 * the venue ends with what was asked for, once, and the caller hears of it in the SDK's own words.
 */
type Json = Record<string, unknown>;

interface Writer {
  /** The same object, under venuekit. */
  readonly wrap: (served: Awaited<ReturnType<typeof serveBinance>>, options?: { journal?: MemoryOrderJournal; deadlineMs?: number }) => object;
  place(sdk: object, order: Json): Promise<Json>;
  replace(sdk: object, order: Json): Promise<Json>;
  list(sdk: object): Promise<Json>;
  /** Where the SDK has a method for it. */
  cancelList?(sdk: object, listId: number): Promise<Json>;
}

const LIST = { symbol: 'BTCUSDT', side: 'SELL', quantity: 0.01 };
const OCO = { ...LIST, aboveType: 'LIMIT_MAKER', abovePrice: 60_000, belowType: 'STOP_LOSS', belowStopPrice: 40_000, listClientOrderId: 'list-1' };
const OLD_OCO = { ...LIST, price: 60_000, stopPrice: 40_000, listClientOrderId: 'list-1' };

const wrapped =
  (name: string): Writer['wrap'] =>
  (served, { journal } = {}) =>
    resilient(madeAt(SDKS[name]!, served), {
      capabilities: CAPABILITIES,
      policy: { timeoutMs: 500 },
      ...(journal === undefined ? {} : { journal }),
    });
const call = (sdk: object, method: string, ...args: unknown[]): Promise<unknown> =>
  (sdk as ConnectorClient & Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...args);
const dataOf = async (answer: Promise<unknown>): Promise<Json> => ((await answer) as { data: Json }).data;
const readOf = async (answer: Promise<unknown>): Promise<Json> => ((await answer) as { data(): Promise<Json> }).data();

const WRITERS: Readonly<Record<string, Writer>> = {
  '@binance/connector': {
    wrap: wrapped('@binance/connector'),
    place: (sdk, { symbol, side, type, ...rest }) => dataOf(call(sdk, 'newOrder', symbol, side, type, rest)),
    replace: (sdk, { symbol, side, type, cancelReplaceMode, ...rest }) =>
      dataOf(call(sdk, 'cancelAndReplace', symbol, side, type, cancelReplaceMode, rest)),
    list: (sdk) => dataOf(call(sdk, 'newOCOOrder', 'BTCUSDT', 'SELL', '0.01', 'LIMIT_MAKER', 'STOP_LOSS', { ...OCO })),
    cancelList: (sdk, orderListId) => dataOf(call(sdk, 'signRequest', 'DELETE', '/api/v3/orderList', { symbol: 'BTCUSDT', orderListId })),
  },
  binance: {
    wrap: wrapped('binance'),
    place: (sdk, order) => (sdk as MainClient).submitNewOrder({ ...order } as never) as Promise<unknown> as Promise<Json>,
    replace: (sdk, order) => (sdk as MainClient).replaceOrder({ ...order } as never) as Promise<unknown> as Promise<Json>,
    list: (sdk) => (sdk as MainClient).submitNewOrderList({ ...OCO } as never) as Promise<unknown> as Promise<Json>,
    cancelList: (sdk, orderListId) => (sdk as MainClient).cancelOCO({ symbol: 'BTCUSDT', orderListId }) as Promise<unknown> as Promise<Json>,
  },
  '@binance/spot': {
    wrap: wrapped('@binance/spot'),
    place: (sdk, order) => readOf((sdk as Spot).restAPI.newOrder(order as never)),
    replace: (sdk, order) => readOf((sdk as Spot).restAPI.orderCancelReplace(order as never)),
    list: (sdk) => readOf((sdk as Spot).restAPI.orderListOco({ ...OCO } as never)),
    cancelList: (sdk, orderListId) => readOf((sdk as Spot).restAPI.deleteOrderList({ symbol: 'BTCUSDT', orderListId })),
  },
  'binance-api-node': {
    wrap: wrapped('binance-api-node'),
    place: (sdk, order) => call(sdk, 'order', order) as Promise<Json>,
    replace: (sdk, order) => call(sdk, 'updateOrder', order) as Promise<Json>,
    list: (sdk) => call(sdk, 'orderOco', { ...OLD_OCO }) as Promise<Json>,
    cancelList: (sdk, orderListId) => call(sdk, 'cancelOrderOco', { symbol: 'BTCUSDT', orderListId }) as Promise<Json>,
  },
  ccxt: {
    wrap: (served, { journal } = {}) =>
      resilientCcxt(served.connect(new ccxt.binance({ timeout: 500, enableRateLimit: false })), {
        capabilities: CAPABILITIES,
        ...(journal === undefined ? {} : { journal }),
      }),
    place: async (sdk, { side, type, quantity, price, newClientOrderId, trailingDelta }) => {
      const params = {
        ...(newClientOrderId === undefined ? {} : { clientOrderId: newClientOrderId }),
        ...(trailingDelta === undefined ? {} : { trailingDelta, stopLossOrTakeProfit: 'stopLoss' }),
      };
      const kind = type === 'STOP_LOSS' ? 'market' : String(type).toLowerCase();
      return (
        await (sdk as binance).createOrder('BTC/USDT', kind as never, String(side).toLowerCase() as never, Number(quantity), price as number, params)
      ).info;
    },
    replace: async (sdk, { side, type, quantity, price, cancelOrderId, newClientOrderId, cancelReplaceMode }) => {
      const params = { cancelReplaceMode, ...(newClientOrderId === undefined ? {} : { newClientOrderId }) };
      const edited = (sdk as binance).editOrder(
        String(cancelOrderId),
        'BTC/USDT',
        String(type).toLowerCase() as never,
        String(side).toLowerCase() as never,
        quantity as number,
        price as number,
        params,
      );
      return { newOrderResponse: (await edited).info };
    },
    list: (sdk) => (sdk as binance & { privatePostOrderListOco(params: Json): Promise<Json> }).privatePostOrderListOco({ ...OCO }),
  },
};

const RESTING = { symbol: 'BTCUSDT', side: 'SELL', type: 'LIMIT', quantity: 0.01, price: 60_000, timeInForce: 'GTC' };
const replacing = (cancelOrderId: unknown): Json => ({
  ...RESTING,
  price: 61_000,
  cancelReplaceMode: 'STOP_ON_FAILURE',
  cancelOrderId: Number(cancelOrderId),
  newClientOrderId: 'new-1',
});

const FAULTS: Readonly<Record<string, Omit<Fault, 'operation' | 'times'>>> = {
  'the answer is lost': { when: 'after', kind: 'drop' },
  'the request is lost': { when: 'before', kind: 'drop' },
  'a 503 comes after it': { when: 'after', kind: 'status', status: 503 },
  'the answer comes too late': { when: 'after', kind: 'delay', ms: 1_500 },
  'the connection is reset after it': { when: 'after', kind: 'reset' },
};

async function given(writer: Writer, options: Parameters<Writer['wrap']>[1] = {}) {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const venue = binanceVenue();
  const served = await serveBinance(venue);
  const sdk = writer.wrap(served, options);
  if (writer === WRITERS.ccxt) await (sdk as binance).loadMarkets();
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

/** What an SDK's error says, wherever it says it. */
function wordsOf(error: unknown): string {
  const { message, body, code, response } = error as { message?: string; body?: unknown; code?: unknown; response?: { data?: unknown } };
  return `${message} ${String(code)} ${JSON.stringify(body)} ${JSON.stringify(response?.data)}`;
}

const shown = (venue: SimulatedVenue) => venue.orders().map(({ state, price }) => ({ state, price }));
const REPLACED = [
  { state: 'canceled', price: '60000' },
  { state: 'working', price: '61000' },
];

for (const [name, writer] of Object.entries(WRITERS)) {
  describe.concurrent(`resilient(${name}): orders that are made in another way`, () => {
    it.each(Object.entries(FAULTS))('a replacement ends with the old order cancelled and one new one, and says so, where %s', async (_, fault) => {
      await using one = await given(writer);
      const { sdk, venue, strike } = one;
      const { orderId } = await writer.place(sdk, RESTING);
      strike(fault);
      const answer = await writer.replace(sdk, replacing(orderId));
      expect(shown(venue)).toEqual(REPLACED);
      expect(answer.newOrderResponse).toMatchObject({ clientOrderId: 'new-1', status: 'NEW' });
      if (name !== 'ccxt')
        expect(answer).toMatchObject({ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', cancelResponse: { status: 'CANCELED' } });
    });

    it('a replacement of an order that has filled meanwhile fails in the venue’s own words, through a lost request, and nothing new is placed', async () => {
      await using one = await given(writer);
      const { sdk, venue, strike } = one;
      const { orderId } = await writer.place(sdk, RESTING);
      strike({ when: 'before', kind: 'reset' });
      venue.fill(String(orderId));
      const error = await caught(writer.replace(sdk, replacing(orderId)));
      expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes', clientOrderId: 'new-1' });
      expect(shown(venue)).toEqual([{ state: 'filled', price: '60000' }]);
      expect(wordsOf(error)).toMatch(/-2022|cancel-replace failed/);
    });

    it.each(['the answer is lost', 'the request is lost'])('a list of orders is made once, and answered whole, where %s', async (fault) => {
      await using one = await given(writer);
      const { sdk, venue, strike } = one;
      strike(FAULTS[fault]!);
      const answer = await writer.list(sdk);
      expect(answer).toMatchObject({
        contingencyType: 'OCO',
        listClientOrderId: 'list-1',
        orders: [{}, {}],
        orderReports: [{ status: 'NEW' }, { status: 'NEW' }],
      });
      expect(venue.orders()).toMatchObject([{ state: 'working' }, { state: 'working' }]);
    });

    it.each(name === '@binance/connector' ? ['the answer is lost', 'the request is lost'] : ['the answer is lost'])(
      'a trailing stop is placed once where %s',
      async (fault) => {
        await using one = await given(writer);
        const { sdk, venue, strike } = one;
        strike(FAULTS[fault]!);
        const answer = await writer.place(sdk, {
          symbol: 'BTCUSDT',
          side: 'SELL',
          type: 'STOP_LOSS',
          quantity: 0.01,
          trailingDelta: 100,
          newClientOrderId: 'trail-1',
        });
        expect(answer).toMatchObject({ clientOrderId: 'trail-1' });
        expect(venue.orders()).toMatchObject([{ state: 'working', clientOrderId: 'trail-1' }]);
      },
    );

    it.skipIf(writer.cancelList === undefined)(
      'the cancel of a list is made again until it is answered, and told as done where it was done before',
      async () => {
        await using one = await given(writer);
        const { sdk, venue } = one;
        const { orderListId } = await writer.list(sdk);
        venue.fault({ operation: 'cancel', when: 'after', kind: 'reset', times: 1 });
        expect(await writer.cancelList!(sdk, Number(orderListId))).toMatchObject({ listOrderStatus: 'ALL_DONE' });
        expect(venue.orders()).toMatchObject([{ state: 'canceled' }, { state: 'canceled' }]);
      },
    );
  });
}

describe.concurrent('resilient(@binance/connector): replacements', () => {
  const writer = WRITERS['@binance/connector']!;

  it('place the new order alone where the old one is cancelled and the answer that the new one was refused is lost', async ({ expect }) => {
    await using one = await given(writer);
    const { sdk, venue, strike } = one;
    const { orderId } = await writer.place(sdk, RESTING);
    const { orderId: other } = await writer.place(sdk, { ...RESTING, quantity: 1.99, price: 65_000 });
    strike({ when: 'after', kind: 'reset' });
    // There is no money for the new order until the other one is cancelled.
    const replaced = writer.replace(sdk, { ...replacing(orderId), quantity: 0.02 });
    await expect.poll(() => shown(venue)[0]?.state).toBe('canceled');
    venue.cancelExternal(String(other));
    expect(await replaced).toMatchObject({ cancelResult: 'SUCCESS', newOrderResponse: { status: 'NEW', origQty: '0.02000000' } });
    expect(shown(venue).map(({ state }) => state)).toEqual(['canceled', 'canceled', 'working']);
  });

  it('that made the new order and could not cancel the old one throw the SDK’s error, with the handle of the new order', async () => {
    await using one = await given(writer);
    const { sdk, venue } = one;
    const { orderId } = await writer.place(sdk, RESTING);
    venue.fill(String(orderId));
    const error = await caught(writer.replace(sdk, { ...replacing(orderId), cancelReplaceMode: 'ALLOW_FAILURE' }));
    expect(error).toMatchObject({ response: { status: 409, data: { code: -2021, data: { cancelResult: 'FAILURE', newOrderResult: 'SUCCESS' } } } });
    expect(factsOf(error)?.handle?.view).toMatchObject({ clientOrderId: 'new-1', state: 'working' });
    expect(shown(venue).map(({ state }) => state)).toEqual(['filled', 'working']);
  });

  it('say what the venue refused: filters, money, an old order that is over', async () => {
    await using one = await given(writer);
    const { sdk, venue } = one;
    const { orderId } = await writer.place(sdk, RESTING);
    const filtered = await caught(writer.replace(sdk, { ...replacing(orderId), quantity: '0.000001', newClientOrderId: 'a' }));
    expect(filtered).toMatchObject({ response: { status: 400, data: { code: -1013 } } });
    expect(shown(venue)[0]?.state).toBe('working');
    const poor = await caught(writer.replace(sdk, { ...replacing(orderId), quantity: 50, newClientOrderId: 'b' }));
    expect(poor).toMatchObject({ response: { status: 409, data: { code: -2021, data: { newOrderResponse: { code: -2010 } } } } });
    expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    const over = await caught(writer.replace(sdk, { ...replacing(orderId), newClientOrderId: 'c' }));
    expect(over).toMatchObject({ response: { status: 400, data: { code: -2022, data: { newOrderResult: 'NOT_ATTEMPTED' } } } });
    expect(shown(venue)).toHaveLength(1);
  });

  it('are one order however often the same call is made, since the new client order id is the key', async () => {
    await using one = await given(writer);
    const { sdk, venue } = one;
    const { orderId } = await writer.place(sdk, RESTING);
    const [first, second] = [await writer.replace(sdk, replacing(orderId)), await writer.replace(sdk, replacing(orderId))];
    expect(second.newOrderResponse).toMatchObject({ orderId: (first.newOrderResponse as Json).orderId });
    expect(shown(venue)).toEqual(REPLACED);
  });

  it('are not taken for refused where the request was delivered twice and the second answer is the one that is heard', async () => {
    await using one = await given(writer);
    const { sdk, venue, strike } = one;
    const { orderId } = await writer.place(sdk, RESTING);
    strike({ when: 'after', kind: 'duplicate' });
    expect(await writer.replace(sdk, replacing(orderId))).toMatchObject({ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS' });
    expect(shown(venue)).toEqual(REPLACED);
  });

  // The writes of a crash at that moment: what is being sent has no answer in the journal.
  const crashes = async (expect: ExpectStatic, write: (sdk: object) => Promise<Json>, states: readonly string[], when: 'before' | 'after') => {
    const journal = new MemoryOrderJournal();
    await using one = await given(writer, { journal });
    const { sdk, venue, served, strike } = one;
    const raw = madeAt(SDKS['@binance/connector']!, served);
    await writer.place(raw, { ...RESTING, newClientOrderId: 'old-1' });
    strike({ when, kind: 'drop' });
    const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
    const ended = caught(write(sdk));
    const isStruck = () => venue.log().some(({ type, body }) => type === 'fault' && (body as { operation?: string }).operation === 'place');
    await expect.poll(isStruck).toBe(true);
    await release(sdk);
    await ended;
    for (const fault of blind) fault[Symbol.dispose]();
    const next = writer.wrap(served, { journal });
    try {
      await ready(next, { deadlineMs: 30_000 });
      await expect.poll(() => venue.orders().map(({ state }) => state)).toEqual(states);
      const again = await write(next);
      expect(venue.orders()).toHaveLength(states.length);
      return again;
    } finally {
      await release(next);
    }
  };

  it.for(['before', 'after'] as const)(
    'survive the end of the process: what was being sent is resolved by the next one (%s)',
    async (when, { expect }) => {
      const replace = (sdk: object) => writer.replace(sdk, { ...replacing(undefined), cancelOrderId: 1 });
      const answer = await crashes(expect, replace, ['canceled', 'working'], when);
      expect(answer).toMatchObject({ cancelResult: 'SUCCESS', newOrderResponse: { clientOrderId: 'new-1' } });
    },
  );

  it.for(['before', 'after'] as const)('lists survive it, too (%s)', async (when, { expect }) => {
    const answer = await crashes(expect, (sdk) => writer.list(sdk), ['working', 'working', 'working'], when);
    expect(answer).toMatchObject({ listClientOrderId: 'list-1', orders: [{}, {}] });
  });

  it('trailing stops survive it, too', async ({ expect }) => {
    const trailing = { symbol: 'BTCUSDT', side: 'SELL', type: 'STOP_LOSS', quantity: 0.01, trailingDelta: 100, newClientOrderId: 'trail-1' };
    const answer = await crashes(expect, (sdk) => writer.place(sdk, trailing), ['working', 'working'], 'before');
    expect(answer).toMatchObject({ clientOrderId: 'trail-1', orderId: 2 });
  });
});

describe('resilient(@binance/spot): making an order smaller', () => {
  it('is asked for again until it is answered, and told as done where it was done before', async () => {
    await using one = await given(WRITERS['@binance/spot']!);
    const { sdk, venue, strike } = one;
    const { orderId } = await WRITERS['@binance/spot']!.place(sdk, RESTING);
    strike({ when: 'after', kind: 'reset' });
    const amended = readOf((sdk as Spot).restAPI.orderAmendKeepPriority({ symbol: 'BTCUSDT', orderId: Number(orderId), newQty: 0.004 }));
    expect(await amended).toMatchObject({ amendedOrder: { orderId: Number(orderId), qty: '0.00400000' } });
    expect(venue.orders()).toMatchObject([{ state: 'working', qty: '0.004' }]);
  });
});
