import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import ccxt, { type binance } from 'ccxt';
import { describe, expect, it, vi } from 'vitest';
import { factsOf, ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import { resilient as resilientCcxt } from '../../../../src/sdk/ccxt/index.js';
import { type Fault, type ServedVenue, type SimulatedVenue, serveBinance } from '../../../../src/testing/index.js';
import { buildProgram } from '../../kill/build-program.js';
import type { CompositeTask } from './composite-bot.js';
import { type CompositeWriter, type Json, LISTS, RESTING, replacing, WRITERS } from './composite-writers.js';
import { binanceVenue, CAPABILITIES, type ConnectorClient, caught, madeAt, SDKS } from './given.js';

/**
 * Replacements, order lists, trailing stops and amendments through the order path, with the real SDKs: what ends in an error, what others have to do
 * with, and what a crash leaves. What comes of every fault is in the matrix of all SDKs.
 */
const POLICY = { timeoutMs: 500 };

function wrapped(name: string, served: ServedVenue, policy: object): object {
  if (name !== 'ccxt') return resilient(madeAt(SDKS[name]!, served), { capabilities: CAPABILITIES, policy: { ...POLICY, ...policy } });
  return resilientCcxt(served.connect(new ccxt.binance({ timeout: 500, enableRateLimit: false })), { capabilities: CAPABILITIES });
}

async function given(name = '@binance/connector', policy: { readonly deadlineMs?: number } = {}) {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const venue = binanceVenue();
  const served = await serveBinance(venue);
  const sdk = wrapped(name, served, policy);
  if (name === 'ccxt') await (sdk as binance).loadMarkets();
  await ready(sdk, { deadlineMs: 30_000 });
  return {
    venue,
    served,
    sdk,
    writer: WRITERS[name]!(sdk as never) as CompositeWriter,
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

for (const name of Object.keys(WRITERS)) {
  describe.concurrent(`resilient(${name}): orders that are made in another way`, () => {
    it('a replacement of an order that has filled meanwhile fails in the venue’s own words, through a lost request, and nothing new is placed', async () => {
      await using one = await given(name);
      const { venue, strike, writer } = one;
      const { orderId } = await writer.place(RESTING);
      strike({ when: 'before', kind: 'reset' });
      venue.fill(String(orderId));
      const error = await caught(writer.replace(replacing(orderId)));
      expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes', clientOrderId: 'new-1' });
      expect(shown(venue)).toEqual([{ state: 'filled', price: '60000' }]);
      expect(wordsOf(error)).toMatch(/-2022|cancel-replace failed/);
    });

    it('the cancel of a list is made again until it is answered, and told as done where it was done before', async () => {
      await using one = await given(name);
      const { venue, writer } = one;
      const { orderListId } = await writer.list('OTOCO');
      venue.fault({ operation: 'cancel', when: 'after', kind: 'reset', times: 1 });
      expect(await writer.cancelList!(Number(orderListId))).toMatchObject({ listOrderStatus: 'ALL_DONE' });
      expect(venue.orders()).toMatchObject([{ state: 'canceled' }, { state: 'canceled' }, { state: 'canceled' }]);
    });
  });
}

describe.concurrent('resilient(@binance/connector): replacements', () => {
  it('place the new order alone where the old one is cancelled and the answer that the new one was refused is lost', async ({ expect }) => {
    await using one = await given();
    const { venue, strike, writer } = one;
    const { orderId } = await writer.place(RESTING);
    const { orderId: other } = await writer.place({ ...RESTING, quantity: 1.99, price: 65_000 });
    strike({ when: 'after', kind: 'reset' });
    // There is no money for the new order until the other one is cancelled.
    const replaced = writer.replace({ ...replacing(orderId), quantity: 0.02 });
    await expect.poll(() => shown(venue)[0]?.state).toBe('canceled');
    venue.cancelExternal(String(other));
    expect(await replaced).toMatchObject({ cancelResult: 'SUCCESS', newOrderResponse: { status: 'NEW', origQty: '0.02000000' } });
    expect(shown(venue).map(({ state }) => state)).toEqual(['canceled', 'canceled', 'working']);
  });

  it('that made the new order and could not cancel the old one throw the SDK’s error, with the handle of the new order', async () => {
    await using one = await given();
    const { venue, writer } = one;
    const { orderId } = await writer.place(RESTING);
    venue.fill(String(orderId));
    const error = await caught(writer.replace({ ...replacing(orderId), cancelReplaceMode: 'ALLOW_FAILURE' }));
    expect(error).toMatchObject({ response: { status: 409, data: { code: -2021, data: { cancelResult: 'FAILURE', newOrderResult: 'SUCCESS' } } } });
    expect(factsOf(error)?.handle?.view).toMatchObject({ clientOrderId: 'new-1', state: 'working' });
    expect(shown(venue).map(({ state }) => state)).toEqual(['filled', 'working']);
  });

  it('say what the venue refused: filters, money, an old order that is over', async () => {
    await using one = await given();
    const { venue, writer } = one;
    const { orderId } = await writer.place(RESTING);
    const filtered = await caught(writer.replace({ ...replacing(orderId), quantity: '0.000001', newClientOrderId: 'a' }));
    expect(filtered).toMatchObject({ response: { status: 400, data: { code: -1013 } } });
    expect(shown(venue)[0]?.state).toBe('working');
    const poor = await caught(writer.replace({ ...replacing(orderId), quantity: 50, newClientOrderId: 'b' }));
    expect(poor).toMatchObject({ response: { status: 409, data: { code: -2021, data: { newOrderResponse: { code: -2010 } } } } });
    expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    const over = await caught(writer.replace({ ...replacing(orderId), newClientOrderId: 'c' }));
    expect(over).toMatchObject({ response: { status: 400, data: { code: -2022, data: { newOrderResult: 'NOT_ATTEMPTED' } } } });
    expect(shown(venue)).toHaveLength(1);
  });

  it('are one order however often the same call is made, since the new client order id is the key', async () => {
    await using one = await given();
    const { venue, writer } = one;
    const { orderId } = await writer.place(RESTING);
    const [first, second] = [await writer.replace(replacing(orderId)), await writer.replace(replacing(orderId))];
    expect(second.newOrderResponse).toMatchObject({ orderId: (first.newOrderResponse as Json).orderId });
    expect(shown(venue)).toEqual(REPLACED);
  });

  it('are not taken for refused where the request was delivered twice and the second answer is the one that is heard', async () => {
    await using one = await given();
    const { venue, strike, writer } = one;
    const { orderId } = await writer.place(RESTING);
    strike({ when: 'after', kind: 'duplicate' });
    expect(await writer.replace(replacing(orderId))).toMatchObject({ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS' });
    expect(shown(venue)).toEqual(REPLACED);
  });
});

/** A process with a bot in it. */
interface Bot {
  readonly child: ChildProcess;
  readonly started: Promise<void>;
  /** Tells it to ask for everything. What it got, by the name of what it asked for. @throws when it ends without */
  ask(): void;
  readonly answers: Promise<Readonly<Record<string, Json>>>;
}

async function startBot(task: CompositeTask): Promise<Bot> {
  const child = spawn(process.execPath, [await buildProgram('../sdk/binance/composite-bot.ts'), JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const started = new Promise<void>((resolve) => lines.once('line', () => resolve()));
  const answers = new Promise<Readonly<Record<string, Json>>>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line) as Record<string, Json>);
      else if (line !== 'started') reject(new Error(line));
    });
    child.once('exit', () => lines.once('close', () => reject(new Error('it ended without an answer'))));
  });
  answers.catch(() => {});
  return { child, started, ask: () => void child.stdin.write('\n'), answers };
}

describe.concurrent('a bot that is killed with SIGKILL while it replaces an order, makes one smaller, and places lists and a trailing stop', () => {
  it.for(['before', 'after'] as const)(
    'is followed by one over the same SQLite journal that finds each done once, and gets its answer (struck %s the venue acts)',
    async (when, { expect }) => {
      const directory = mkdtempSync(join(tmpdir(), 'venuekit-composites-'));
      const venue = binanceVenue();
      const served = await serveBinance(venue);
      const bots: Bot[] = [];
      const start = async (): Promise<Bot> => {
        const task = { url: served.url, ...served.credentials, journal: join(directory, 'orders.db') };
        const bot = await startBot(task);
        bots.push(bot);
        return bot;
      };
      try {
        venue.placeExternal({ symbol: 'BTC/USDT', side: 'sell', type: 'limit', qty: '0.01', price: '60000' }, { clientOrderId: 'old-1' });
        const struck = () =>
          venue.log().filter(({ type, body }) => type === 'fault' && (body as { operation?: string }).operation === 'place').length;
        const first = await start();
        await Promise.race([first.started, first.answers]);
        const fault = venue.fault({ operation: 'place', when, kind: 'drop' });
        first.ask();
        await Promise.race([expect.poll(struck).toBeGreaterThanOrEqual(6), first.answers]);
        first.child.kill('SIGKILL');
        await once(first.child, 'exit');
        fault[Symbol.dispose]();
        const second = await start();
        second.ask();
        const { amended, replaced, trailing, OCO, OTO, OTOCO } = await second.answers;
        expect(amended).toMatchObject({ amendedOrder: { orderId: 2, qty: '0.00400000' } });
        expect(replaced).toMatchObject({ cancelResult: 'SUCCESS', newOrderResponse: { clientOrderId: 'new-1', status: 'NEW' } });
        expect(trailing).toMatchObject({ clientOrderId: 'trail-1' });
        expect(OCO).toMatchObject({ listClientOrderId: 'list-oco', orderReports: [{}, {}] });
        expect(OTO).toMatchObject({ listClientOrderId: 'list-oto', orderReports: [{}, {}] });
        expect(OTOCO).toMatchObject({ listClientOrderId: 'list-otoco', orderReports: [{}, {}, {}] });
        const orders = venue.orders();
        expect(orders[0]).toMatchObject({ clientOrderId: 'old-1', state: 'canceled' });
        expect(orders[1]).toMatchObject({ clientOrderId: expect.not.stringMatching('large-1'), qty: '0.004' });
        expect(orders.slice(1).map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => 'working'));
      } finally {
        for (const { child } of bots) child.kill('SIGKILL');
        await served.close();
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
});

const LARGE = { ...RESTING, newClientOrderId: 'large-1' };
const SMALLER = { symbol: 'BTCUSDT', origClientOrderId: 'large-1', newClientOrderId: 'small-1', newQty: 0.004 };

describe.concurrent('an order that is made smaller', () => {
  it('goes on under its new id, is cancelled by that or by the old one, and is known to the journal all the time', async () => {
    await using one = await given();
    const { sdk, venue, writer } = one;
    for (const [index, by] of ['large-1', 'small-1'].entries()) {
      const suffix = `-${index}`;
      await writer.place({ ...LARGE, newClientOrderId: `large-1${suffix}` });
      await writer.amend!({ ...SMALLER, origClientOrderId: `large-1${suffix}`, newClientOrderId: `small-1${suffix}` });
      const { data } = await (sdk as ConnectorClient).cancelOrder('BTCUSDT', { origClientOrderId: `${by}${suffix}` });
      expect(data).toMatchObject({ status: 'CANCELED', origQty: '0.00400000' });
    }
    expect(venue.orders()).toMatchObject([
      { state: 'canceled', qty: '0.004', clientOrderId: 'small-1-0' },
      { state: 'canceled', qty: '0.004', clientOrderId: 'small-1-1' },
    ]);
  });

  it('is refused what the venue refuses: a second time, or to be larger', async () => {
    await using one = await given();
    const { venue, writer } = one;
    await writer.place(LARGE);
    await writer.amend!(SMALLER);
    for (const request of [SMALLER, { ...SMALLER, origClientOrderId: 'small-1', newQty: 0.02 }]) {
      const error = await caught(writer.amend!(request));
      expect(error).toMatchObject({ response: { data: { code: -2038 } } });
      expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    }
    expect(venue.orders()).toMatchObject([{ state: 'working', qty: '0.004' }]);
  });

  it.each([true, false])(
    'is told as one of which nobody knows where nobody could say until the deadline (an order of the bot: %s)',
    async (isOwn) => {
      await using one = await given('@binance/connector', { deadlineMs: 2_500 });
      const { venue, writer } = one;
      if (isOwn) await writer.place(LARGE);
      else venue.placeExternal({ symbol: 'BTC/USDT', side: 'sell', type: 'limit', qty: '0.01', price: '60000' }, { clientOrderId: 'large-1' });
      venue.fault({ operation: 'place', when: 'after', kind: 'drop' });
      for (const operation of ['find', 'openOrders', 'history']) venue.fault({ operation, when: 'before', kind: 'status', status: 503 });
      const facts = factsOf(await caught(writer.amend!(SMALLER)));
      expect(facts).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', ...(isOwn ? { clientOrderId: 'large-1' } : {}) });
    },
  );
});

describe.concurrent('the cancel of a list', () => {
  it('is said again where the request was lost, and told as refused where one of the orders has filled meanwhile', async () => {
    await using one = await given();
    const { venue, writer } = one;
    const { orderListId } = await writer.list('OCO');
    const fault = venue.fault({ operation: 'cancel', when: 'before', kind: 'drop', times: 1 });
    const cancelling = caught(writer.cancelList!(Number(orderListId)));
    await expect
      .poll(() => venue.log().some(({ type, body }) => type === 'fault' && (body as { operation?: string }).operation === 'cancel'))
      .toBe(true);
    venue.fill(venue.orders()[0]!.venueOrderId);
    const error = await cancelling;
    fault[Symbol.dispose]();
    expect(error).toMatchObject({ response: { data: { code: -2011 } } });
    expect(venue.orders()[0]).toMatchObject({ state: 'filled' });
  });

  it('is told as one of which nobody knows where no answer came until the deadline', async () => {
    await using one = await given('@binance/connector', { deadlineMs: 2_500 });
    const { venue, writer } = one;
    const { orderListId } = await writer.list('OCO');
    venue.fault({ operation: 'cancel', when: 'after', kind: 'drop' });
    expect(factsOf(await caught(writer.cancelList!(Number(orderListId))))).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe' });
  });

  it('of a process before is refused by the venue, which shows the list as over, and its order is over in the journal, too', async () => {
    await using one = await given();
    const { sdk, served, venue, writer } = one;
    const { orderListId, orderReports } = await writer.list('OCO');
    const [head] = orderReports as { clientOrderId: string }[];
    const before = WRITERS['@binance/connector']!(madeAt(SDKS['@binance/connector']!, served) as never);
    await before.cancelList!(Number(orderListId));
    expect(await caught(writer.cancelList!(Number(orderListId)))).toMatchObject({ response: { data: { code: -2011 } } });
    const client = sdk as { signRequest: (...args: unknown[]) => Promise<{ data: Json }> };
    const look = async () =>
      expect((await client.signRequest('GET', '/api/v3/orderList', { orderListId })).data).toMatchObject({ listOrderStatus: 'ALL_DONE' });
    // It shows a little later.
    await vi.waitFor(look, { timeout: 30_000, interval: 50 });
    const refused = await caught((sdk as ConnectorClient).cancelOrder('BTCUSDT', { origClientOrderId: head!.clientOrderId }));
    expect(refused).toMatchObject({ response: { data: { code: -2011 } } });
    expect(venue.orders()).toMatchObject([{ state: 'canceled' }, { state: 'canceled' }]);
  });
});

describe.concurrent('an order call', () => {
  it('regression: said that nothing was sent where the order was found, and the venue’s words on it could not be read until the deadline', async () => {
    await using one = await given('@binance/connector', { deadlineMs: 3_000 });
    const { venue, strike, writer } = one;
    strike({ when: 'after', kind: 'reset' });
    venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503 });
    const facts = factsOf(await caught(writer.place(LARGE)));
    expect(facts).toMatchObject({ sent: 'yes', clientOrderId: 'large-1' });
    expect(facts?.handle?.view.state).toBe('working');
  });

  it('regression: with parameters that binance had written ids of a list into, the next list was taken for the one before', async () => {
    await using one = await given('binance');
    const { sdk, venue } = one;
    const { listClientOrderId: _, ...params } = LISTS.OCO;
    const client = sdk as { submitNewOrderList(params: object): Promise<Json> };
    const lists = [await client.submitNewOrderList(params), await client.submitNewOrderList(params)];
    expect(new Set(lists.map(({ orderListId }) => orderListId)).size).toBe(2);
    expect(venue.orders()).toHaveLength(4);
  });
});
