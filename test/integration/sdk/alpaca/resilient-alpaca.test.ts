import { errors } from '@alpacahq/alpaca-trade-api';
import { describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../../src/contracts/events.js';
import { MetricsRegistry } from '../../../../src/metrics/index.js';
import { factsOf, ready, release, resilient } from '../../../../src/sdk/alpaca/index.js';
import { MemoryOrderJournal, TradingError } from '../../../../src/trading/index.js';
import { CAPABILITIES, caught, driverOf, givenResilient, newV3, newV4, type V3, type V4, VERSIONS } from './given.js';

/** However short the deadlines of a test are, the start before it may take its time. */
const START = { deadlineMs: 30_000 };

const MARKET = { symbol: 'AAPL', qty: '2', side: 'buy' } as const;

for (const [version, make] of Object.entries(VERSIONS)) {
  describe(`resilient(@alpacahq/alpaca-trade-api, ${version}): orders beside those of the matrix`, () => {
    it.each([
      ['a quantity', MARKET],
      ['an amount of money', { ...MARKET, notional: '500' }],
      ['an amount of money at a price', { ...MARKET, notional: '500', limit: '150' }],
    ] as const)('makes one order of a retry loop around a lost answer, since the client order id is the key (%s)', async (_, wanted) => {
      await using given = await givenResilient(make, { policy: { timeoutMs: 200, deadlineMs: 300 } });
      const { sdk, bot, venue } = given;
      await ready(sdk, START);
      venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
      let order: { id: string } | undefined;
      for (let tries = 0; order === undefined && tries < 40; tries++) order = await bot.place({ ...wanted, id: 'open-1' }).catch(() => undefined);
      expect(order).toMatchObject({ clientOrderId: 'open-1' });
      expect(venue.orders()).toHaveLength(1);
      expect(await bot.place({ ...wanted, id: 'open-1' })).toMatchObject({ id: order?.id });
    });
  });

  describe(`resilient(@alpacahq/alpaca-trade-api, ${version}): trailing stops`, () => {
    it('are found after a lost answer, and known by their id', async () => {
      await using given = await givenResilient(make);
      const { sdk, venue } = given;
      const order = {
        symbol: 'BTC/USD',
        qty: '0.01',
        side: 'sell',
        type: 'trailing_stop',
        trail_percent: '2',
        time_in_force: 'gtc',
        client_order_id: 'trail-1',
      };
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      const v4 = { symbol: 'BTC/USD', qty: '0.01', side: 'sell', trailPercent: '2', timeInForce: 'gtc', clientOrderId: 'trail-1' };
      const shown = 'createOrder' in sdk ? (sdk as V3).createOrder(order) : (sdk as V4).trading.orders.trailingStop(v4 as never);
      expect(await shown).toMatchObject('createOrder' in sdk ? { client_order_id: 'trail-1', type: 'trailing_stop' } : { clientOrderId: 'trail-1' });
      expect(venue.orders()).toMatchObject([{ state: 'working', side: 'sell', clientOrderId: 'trail-1' }]);
    });
  });

  describe(`resilient(@alpacahq/alpaca-trade-api, ${version}): errors`, () => {
    it('are the SDK’s own, with what is known beside them', async () => {
      await using given = await givenResilient(make);
      const { bot } = given;
      const poor = await caught(bot.place({ ...MARKET, qty: '10000' }));
      const isOwn = (error: Error): boolean => (bot.version === 4 ? error instanceof errors.PermissionError : 'isAxiosError' in error);
      expect(isOwn(poor)).toBe(true);
      expect(poor.message).toMatch(bot.version === 4 ? /insufficient buying power/ : /status code 403/);
      expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
      const gone = await caught(bot.cancel('00000001-0001-4000-8000-000000000999'));
      expect(bot.version === 4 ? gone instanceof errors.NotFoundError : 'isAxiosError' in gone).toBe(true);
      expect(factsOf(gone)).toMatchObject({ code: 'REJECTED' });
      expect(factsOf(new Error('of somebody else'))).toBeUndefined();
    });

    it('say that the outcome is open, with the handle that goes on, when the deadline comes first', async () => {
      await using given = await givenResilient(make, { policy: { timeoutMs: 300, deadlineMs: 2_000 } });
      const { sdk, bot, venue } = given;
      await ready(sdk, START);
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
      const error = await caught(bot.place({ ...MARKET, id: 'slow-1' }));
      const facts = factsOf(error);
      expect(facts).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId: 'slow-1' });
      expect(bot.version === 4 ? error instanceof errors.FetchError : 'isAxiosError' in error).toBe(true);
      for (const one of blind) one[Symbol.dispose]();
      expect(await facts?.handle?.acked({ deadlineMs: 60_000 })).toMatchObject({ intent: { intentId: 'slow-1' } });
      expect(venue.orders()).toHaveLength(1);
    });

    it('never carry the keys', async () => {
      await using given = await givenResilient(make);
      const { bot, served } = given;
      const error = await caught(bot.place({ ...MARKET, qty: '10000' }));
      const seen = new Set<object>();
      const spilled = JSON.stringify(error, (_, value: unknown) => {
        if (typeof value !== 'object' || value === null) return value;
        if (seen.has(value)) return undefined;
        seen.add(value);
        return value;
      });
      expect(spilled).not.toContain(served.credentials.secret);
    });
  });

  describe(`resilient(@alpacahq/alpaca-trade-api, ${version}): the object`, () => {
    it('is the same object, and raw again after release', async () => {
      await using given = await givenResilient(make);
      const { raw, venue } = given;
      const sdk = raw();
      const before = Object.keys(sdk);
      const wrapped = resilient(sdk, { capabilities: CAPABILITIES, cache: { quote: 60_000 } });
      expect(wrapped).toBe(sdk);
      expect(() => resilient(sdk)).toThrow(/resilient already/);
      const bot = driverOf(sdk);
      await bot.place(MARKET);
      await release(sdk);
      await release(sdk);
      expect(Object.keys(sdk)).toEqual(before);
      venue.fault({ operation: 'quote', when: 'before', kind: 'html' });
      await caught(bot.quote('AAPL'));
      await expect(ready(sdk)).rejects.toThrow(/not resilient/);
    });

    it('asks the venue once for concurrent and repeated cached reads', async () => {
      await using given = await givenResilient(make, { cache: { quote: 10_000 } });
      const { bot, served } = given;
      await Promise.all(Array.from({ length: 20 }, () => bot.quote('AAPL')));
      for (let i = 0; i < 20; i++) await bot.quote('AAPL');
      expect(served.stats().requests).toBe(1);
    });

    it('warns once that orders are in memory only, and reports calls on the bus', async () => {
      const bus = new EventBus<VenueKitEvents>();
      const volatile: unknown[] = [];
      const calls: string[] = [];
      bus.on('journal.volatile', (event) => volatile.push(event));
      bus.on('venue.call', ({ operation, outcome }) => calls.push(`${operation} ${outcome}`));
      await using given = await givenResilient(make, { bus });
      await given.bot.place(MARKET);
      await given.bot.quote('AAPL');
      expect(volatile).toEqual([{ venue: 'alpaca', account: 'main' }]);
      // On a machine that does much else the answer may come too late, and the order is then found.
      expect(calls).toContainEqual(expect.stringMatching(/^place (?:accepted|unknown)$/));
      expect(calls).toContain('quote ok');
    });

    it('counts its calls in the metrics that it is given, by operation and outcome', async () => {
      await using metrics = new MetricsRegistry();
      await using given = await givenResilient(make, { metrics });
      given.venue.fault({ operation: 'quote', when: 'before', kind: 'html', times: 1 });
      await given.bot.place(MARKET);
      await given.bot.quote('AAPL');
      const page = metrics.exposition();
      const count = (operation: string, outcome: string): number =>
        Number(
          new RegExp(`^venuekit_venue_calls_total\\{venue="alpaca",operation="${operation}",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(page)?.[1] ??
            0,
        );
      expect(count('place', 'accepted') + count('place', 'unknown')).toBeGreaterThanOrEqual(1);
      expect(count('quote', 'failed')).toBeGreaterThanOrEqual(1);
      expect(count('quote', 'ok')).toBe(1);
    });

    it('lets no second process send for the account, and says so in an error that nothing was sent', async () => {
      const journal = new MemoryOrderJournal();
      await using given = await givenResilient(make, { journal });
      const { sdk, raw, venue } = given;
      await ready(sdk, START);
      const second = resilient(raw(), { journal, capabilities: CAPABILITIES });
      const error = await caught(driverOf(second).place(MARKET));
      expect(factsOf(error)).toMatchObject({ code: 'JOURNAL_LOCKED', sent: 'no' });
      expect(error instanceof TradingError || error instanceof errors.FetchError).toBe(true);
      expect(venue.orders()).toHaveLength(0);
      await release(second);
    });
  });
}

describe('resilient(Alpaca) refuses', () => {
  it.each([
    ['an object that is no SDK', () => ({}), {}, TypeError, /must be an instance of @alpacahq\/alpaca-trade-api/],
    ['too old a version', () => ({ configuration: { baseUrl: 'x' }, httpRequest() {} }), {}, TypeError, /without createOrder\(\).*3\.0 or newer/],
    [
      'version 3 without keys',
      () => Object.assign(newV3(), { configuration: { baseUrl: 'x', keyId: '', secretKey: '', oauth: '' } }),
      {},
      TypeError,
      /no credentials: give keyId and secretKey/,
    ],
    [
      'half a pair of keys',
      () => Object.assign(newV3(), { configuration: { baseUrl: 'x', keyId: 'k', secretKey: '', oauth: '' } }),
      {},
      TypeError,
      /a keyId and no secretKey/,
    ],
    ['a misspelt option', () => newV4(), { cach: {} }, TypeError, /no option "cach"; did you mean "cache"/],
    ['a cache of what is no market data', () => newV4(), { cache: { orders: 5 } }, TypeError, /orders/],
    ['an age below 0', () => newV3(), { cache: { quote: -1 } }, RangeError, /cache\.quote must be .*0 or more, got -1/],
    ['a rate of nothing', () => newV3(), { requestsPerMinute: { data: 0 } }, RangeError, /requestsPerMinute\.data/],
    ['retries of the SDK’s own, where it is to', () => newV4(), { ownRetries: 'refuse' }, TypeError, /retry\.maxRetries is 2.*`retry: false`/],
  ])('%s', (_, sdk, options, kind, message) => {
    const act = (): object => resilient(sdk() as object, options as object);
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  it('no SDK whose own retries it switches off, but says so', async () => {
    const said: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message?: string) => void said.push(message ?? '') };
    const sdk = resilient(newV4(), { logger });
    expect(said).toContainEqual(expect.stringMatching(/would retry by itself.*switched off/));
    await release(sdk);
  });
});
