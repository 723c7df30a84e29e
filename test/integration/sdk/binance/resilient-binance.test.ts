import { NetworkError, Spot } from '@binance/spot';
import { MainClient, USDMClient, WebsocketClient } from 'binance';
import { describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../../src/contracts/events.js';
import { MetricsRegistry } from '../../../../src/metrics/index.js';
import { factsOf, ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import { MemoryOrderJournal, TradingError } from '../../../../src/trading/index.js';
import { CAPABILITIES, Connector, caught, givenResilient, SDKS, WebsocketAPI, WebsocketStream } from './given.js';

/** However short the deadlines of a test are, the start before it may take its time. */
const START = { deadlineMs: 30_000 };

const MARKET = { symbol: 'BTCUSDT', quantity: '0.01', side: 'BUY' } as const;
const LIMIT = { ...MARKET, price: '40000' } as const;

for (const [name, sdkUnderTest] of Object.entries(SDKS)) {
  const { driver } = sdkUnderTest;

  describe(`resilient(${name}): orders beside those of the matrix`, () => {
    it('cancels an order that somebody else has placed, through a lost answer', async () => {
      await using given = await givenResilient(sdkUnderTest);
      const { bot, raw, venue } = given;
      const { orderId } = await driver(raw()).place(LIMIT);
      venue.fault({ operation: 'cancel', when: 'after', kind: 'reset', times: 1 });
      expect(await bot.cancel(LIMIT.symbol, orderId)).toMatchObject({ orderId, status: 'CANCELED' });
    });

    it('makes one order of a retry loop around a lost answer, since the client order id is the key', async () => {
      await using given = await givenResilient(sdkUnderTest, { policy: { deadlineMs: 300 } });
      const { sdk, bot, venue } = given;
      await ready(sdk, START);
      venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
      const place = () => bot.place({ ...MARKET, id: 'open-1' });
      let order: { orderId: number } | undefined;
      for (let tries = 0; order === undefined && tries < 40; tries++) order = await place().catch(() => undefined);
      expect(order).toMatchObject({ clientOrderId: 'open-1' });
      expect(venue.orders()).toHaveLength(1);
      expect(await place()).toMatchObject({ orderId: order?.orderId });
    });
  });

  describe(`resilient(${name}): errors`, () => {
    it('are the SDK’s own, with what is known beside them', async () => {
      await using given = await givenResilient(sdkUnderTest);
      const { bot } = given;
      const poor = await caught(bot.place({ ...MARKET, quantity: '100' }));
      expect(bot.isOwnError(poor, -2010)).toBe(true);
      expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
      const gone = await caught(bot.cancel('BTCUSDT', 999));
      expect(bot.isOwnError(gone, -2011)).toBe(true);
      expect(factsOf(gone)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
      expect(bot.isOwnError(await caught(bot.bid('NOSUCH')), -1121)).toBe(true);
      expect(factsOf(new Error('of somebody else'))).toBeUndefined();
    });

    it('of a cancel that came too late say how the order ended', async () => {
      await using given = await givenResilient(sdkUnderTest);
      const { bot } = given;
      const { orderId } = await bot.place(MARKET);
      expect(bot.isOwnError(await caught(bot.cancel('BTCUSDT', orderId)), -2011)).toBe(true);
    });

    it('say that the outcome is open, with the handle that goes on, when the deadline comes first', async () => {
      await using given = await givenResilient(sdkUnderTest, { policy: { deadlineMs: 2_000 } });
      const { sdk, bot, venue } = given;
      await ready(sdk, START);
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
      const error = await caught(bot.place({ ...MARKET, id: 'slow-1' }));
      expect(bot.isOwnNetworkError(error)).toBe(true);
      const facts = factsOf(error);
      expect(facts).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId: 'slow-1' });
      for (const one of blind) one[Symbol.dispose]();
      expect(await facts?.handle?.acked({ deadlineMs: 60_000 })).toMatchObject({ state: 'filled' });
      expect(venue.orders()).toHaveLength(1);
    });

    it('never carry the key, the secret or a signature', async () => {
      await using given = await givenResilient(sdkUnderTest, { policy: { deadlineMs: 300 } });
      const { sdk, bot, served, venue } = given;
      await ready(sdk, START);
      venue.fault({ operation: 'find', when: 'before', kind: 'reset' });
      const errors = [await caught(bot.place({ ...MARKET, quantity: '100' })), await caught(bot.order('BTCUSDT', 1))];
      for (const error of errors) {
        const spilled = spill(error);
        expect(spilled).not.toContain(served.credentials.secret);
        expect(spilled).not.toContain(served.credentials.apiKey);
        expect(spilled).not.toMatch(/signature=[0-9a-f]/);
      }
    });
  });

  describe(`resilient(${name}): the object`, () => {
    it('is the same object, and raw again after release', async () => {
      await using given = await givenResilient(sdkUnderTest);
      const { raw, venue } = given;
      const sdk = raw();
      const members = () => Object.getOwnPropertyNames(sdk).filter((member) => member !== 'apiLimitLastUpdated');
      const before = members();
      const wrapped = resilient(sdk, { capabilities: CAPABILITIES, cache: { quote: 60_000 } });
      expect(wrapped).toBe(sdk);
      expect(() => resilient(sdk)).toThrow(/resilient already/);
      await driver(sdk).place(MARKET);
      await release(sdk);
      await release(sdk);
      expect(members()).toEqual(before);
      venue.fault({ operation: 'quote', when: 'before', kind: 'html', times: 1 });
      await caught(driver(sdk).bid('BTCUSDT'));
      await expect(ready(sdk)).rejects.toThrow(/not resilient/);
    });

    it('asks the venue once for concurrent and repeated cached reads', async () => {
      await using given = await givenResilient(sdkUnderTest, { cache: { quote: 10_000 } });
      const { bot, served } = given;
      await Promise.all(Array.from({ length: 20 }, () => bot.bid('BTCUSDT')));
      for (let i = 0; i < 20; i++) await bot.bid('BTCUSDT');
      expect(served.stats().requests).toBe(1);
    });

    it('warns once that orders are in memory only, and reports calls and limits on the bus', async () => {
      const bus = new EventBus<VenueKitEvents>();
      const volatile: unknown[] = [];
      const calls: string[] = [];
      bus.on('journal.volatile', (event) => volatile.push(event));
      bus.on('venue.call', ({ operation, outcome }) => calls.push(`${operation} ${outcome}`));
      await using given = await givenResilient(sdkUnderTest, { bus });
      await given.bot.place(MARKET);
      await given.bot.bid('BTCUSDT');
      expect(volatile).toEqual([{ venue: 'binance', account: 'main' }]);
      // On a machine that does much else the answer may come too late, and the order is then found.
      expect(calls).toContainEqual(expect.stringMatching(/^place (?:accepted|unknown)$/));
      expect(calls).toContain('ticker/bookTicker ok');
    });

    it('counts its calls in the metrics that it is given, by operation and outcome', async () => {
      await using metrics = new MetricsRegistry();
      await using given = await givenResilient(sdkUnderTest, { metrics });
      given.venue.fault({ operation: 'quote', when: 'before', kind: 'html', times: 1 });
      await given.bot.place(MARKET);
      await given.bot.bid('BTCUSDT');
      const page = metrics.exposition();
      const count = (operation: string, outcome: string): number =>
        Number(
          new RegExp(`^venuekit_venue_calls_total\\{venue="binance",operation="${operation}",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(page)?.[1] ??
            0,
        );
      expect(count('place', 'accepted') + count('place', 'unknown')).toBeGreaterThanOrEqual(1);
      expect(count('ticker/bookTicker', 'failed')).toBeGreaterThanOrEqual(1);
      expect(count('ticker/bookTicker', 'ok')).toBe(1);
    });

    it('lets no second process send for the account, and says so in an error that nothing was sent', async () => {
      const journal = new MemoryOrderJournal();
      await using given = await givenResilient(sdkUnderTest, { journal });
      const { sdk, raw, venue } = given;
      await ready(sdk, START);
      const second = resilient(raw(), { journal, capabilities: CAPABILITIES });
      const error = await caught(driver(second).place(MARKET));
      // @binance/spot makes an error of its own of whatever its transport throws.
      expect(error instanceof TradingError || error instanceof NetworkError).toBe(true);
      expect(factsOf(error)).toMatchObject({ code: 'JOURNAL_LOCKED', sent: 'no' });
      expect(venue.orders()).toHaveLength(0);
      await release(second);
    });
  });
}

describe('resilient(@binance/connector)', () => {
  it('takes answers in microseconds, where the bot asks for them', async () => {
    await using given = await givenResilient(SDKS['@binance/connector']!);
    const { sdk, venue } = given;
    const { data } = await (sdk as InstanceType<typeof Connector>).newOrder('BTCUSDT', 'BUY', 'MARKET', {
      quantity: '0.01',
      timeUnit: 'MICROSECOND',
    });
    expect(data).toMatchObject({ status: 'FILLED' });
    expect(venue.orders()).toHaveLength(1);
  });
});

describe('resilient(binance)', () => {
  const given = () => givenResilient(SDKS.binance!);

  it('regression: parameters that the bot uses again for another order carried the id that the SDK had written into them', async () => {
    await using venueAndSdk = await given();
    const { sdk, venue } = venueAndSdk;
    const params = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 } as const;
    await (sdk as MainClient).submitNewOrder(params);
    await (sdk as MainClient).submitNewOrder(params);
    expect(venue.orders()).toHaveLength(2);
    expect(new Set(venue.orders().map(({ clientOrderId }) => clientOrderId)).size).toBe(2);
  });

  it('makes one order of a retry loop with the same parameters, whose id the SDK gives', async () => {
    await using venueAndSdk = await givenResilient(SDKS.binance!, { policy: { deadlineMs: 300 } });
    const { sdk, venue } = venueAndSdk;
    await ready(sdk, START);
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
    const params = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 } as const;
    let order: unknown;
    for (let tries = 0; order === undefined && tries < 40; tries++) order = await (sdk as MainClient).submitNewOrder(params).catch(() => undefined);
    expect(venue.orders()).toHaveLength(1);
    expect(venue.orders()[0]?.clientOrderId).toMatch(/^x-U5D79M5B/);
  });

  it('gives numbers where the SDK is asked to make them, and reads the venue’s own texts itself', async () => {
    const make = () => new MainClient({ api_key: 'key', api_secret: 'secret', beautifyResponses: true }, { timeout: 500 });
    await using venueAndSdk = await givenResilient({ ...SDKS.binance!, make });
    const order = await (venueAndSdk.sdk as MainClient).submitNewOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 });
    expect(order).toMatchObject({ executedQty: 0.01, status: 'FILLED' });
  });
});

describe('resilient of venuekit/binance refuses', () => {
  const spotWithRetries = () => new Spot({ configurationRestAPI: { apiKey: 'k', apiSecret: 's' } });
  // It connects at once, and anew for ever.
  const idle = (sdk: { wsConnection: { ws: { removeAllListeners(): void; on(event: 'error', listener: () => void): void } } }) => {
    const { ws } = sdk.wsConnection;
    ws.removeAllListeners();
    ws.on('error', () => {});
    return sdk;
  };
  const main = (options: object) => Object.assign(new MainClient(), options);
  it.each([
    ['an object that is no SDK', () => ({}), {}, TypeError, /must be an object of one of the SDKs for Binance spot.*venuekit\/ccxt/],
    ['what is no object', () => 'client', {}, TypeError, /must be an object of one of the SDKs/],
    [
      'too old a @binance/connector',
      () => ({ baseURL: 'x', signRequest() {} }),
      {},
      TypeError,
      /@binance\/connector without publicRequest\(\).*3\.0 or newer/,
    ],
    ['too old a binance', () => ({ baseUrl: 'x', globalRequestOptions: {} }), {}, TypeError, /of binance without _call\(\)/],
    [
      'a WebsocketAPI of @binance/connector',
      () => idle(new WebsocketAPI('k', 's', { wsURL: 'ws://127.0.0.1:1' })),
      {},
      TypeError,
      /WebsocketAPI of @binance\/connector.*resilient\(new Spot/,
    ],
    ['a WebsocketStream of @binance/connector', () => new WebsocketStream(), {}, TypeError, /WebsocketStream of @binance\/connector.*toAdapter/],
    ['a WebsocketClient of binance', () => new WebsocketClient({}), {}, TypeError, /WebsocketClient of binance.*toAdapter/],
    [
      'a @binance/spot with sockets alone',
      () => new Spot({ configurationWebsocketAPI: { apiKey: 'k', apiSecret: 's' } }),
      {},
      TypeError,
      /without restAPI: give its constructor `configurationRestAPI`/,
    ],
    [
      'a @binance/spot with keys for its socket alone',
      () => new Spot({ configurationRestAPI: { apiKey: '' }, configurationWebsocketAPI: { apiKey: 'k', apiSecret: 's' } }),
      {},
      TypeError,
      /keys in configurationWebsocketAPI and none in configurationRestAPI/,
    ],
    ['a client for futures', () => new USDMClient(), {}, TypeError, /client of binance for "usdm".*knows spot/],
    ['too old a @binance/spot', () => ({ restAPI: { configuration: {} } }), {}, TypeError, /@binance\/spot without restAPI\.sendRequest\(\)/],
    [
      'retries of the SDK’s own, where it is to',
      spotWithRetries,
      { ownRetries: 'refuse' },
      TypeError,
      /@binance\/spot.*\(retries is 3\).*`retries: 0`/,
    ],
    ['half a pair of keys', () => new Connector('key'), {}, TypeError, /key and no secret: give both to the constructor of @binance\/connector/],
    ['the other half', () => main({ secret: 's' }), {}, TypeError, /secret and no key: give both to the constructor of binance/],
    ['a misspelt option', () => new Connector(), { cach: {} }, TypeError, /no option "cach"; did you mean "cache"/],
    ['a cache of what is no market data', () => new Connector(), { cache: { orders: 5 } }, TypeError, /orders/],
    ['an age below 0', () => new Connector(), { cache: { quote: -1 } }, RangeError, /cache\.quote must be .*0 or more, got -1/],
    ['a fence that Binance refuses', () => new Connector(), { capabilities: { fence: { maxMs: 90_000, defaultMs: 1 } } }, RangeError, /fence\.maxMs/],
  ])('%s', (_, sdk, options, kind, message) => {
    const act = (): object => resilient(sdk() as object, options as object);
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  it('no SDK whose own retries it switches off, but says so, and switches them on again', async () => {
    const said: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message?: string) => void said.push(message ?? '') };
    const sdk = resilient(spotWithRetries(), { logger });
    expect(said).toContainEqual(expect.stringMatching(/@binance\/spot would retry by itself.*switched off/));
    const configuration = (sdk.restAPI as unknown as { configuration: { retries: number; baseOptions: object } }).configuration;
    expect(configuration.retries).toBe(0);
    await release(sdk);
    expect(configuration.retries).toBe(3);
    expect(configuration.baseOptions).not.toHaveProperty('adapter');
  });

  it('no SDK without keys, for public data; orders are the SDK’s to refuse', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    await using given = await givenResilient(SDKS.binance!);
    const sdk = Object.assign(given.raw(), { key: undefined, secret: undefined });
    resilient(sdk);
    expect(await SDKS.binance!.driver(sdk).bid('BTCUSDT')).toBeGreaterThan(0);
    await expect(SDKS.binance!.driver(sdk).place(MARKET)).rejects.toThrow(/Private endpoints require api and private keys/);
    await release(sdk);
  });
});

/** Everything that a logger could show of a value. */
function spill(value: unknown): string {
  const seen = new Set<object>();
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null) return member;
    if (seen.has(member)) return undefined;
    seen.add(member);
    return member instanceof Error ? { ...member, words: `${member.message} ${member.stack}` } : member;
  });
  return text;
}
