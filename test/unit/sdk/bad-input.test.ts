import { Alpaca } from '@alpacahq/alpaca-trade-api';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { MetricsRegistry } from '../../../src/metrics/index.js';
import * as ofAlpaca from '../../../src/sdk/alpaca/index.js';
import * as ofBinance from '../../../src/sdk/binance/index.js';
import * as ofCcxt from '../../../src/sdk/ccxt/index.js';

interface EntryPoint {
  resilient(sdk: object, options?: object): object;
  toAdapter(sdk: object, options?: object): object;
  ready(sdk: object): Promise<unknown>;
  release(sdk: object): Promise<void>;
  factsOf(error: unknown): unknown;
}

const keys = { apiKey: 'key', secret: 'secret' };
const ENTRY_POINTS: readonly (readonly [name: string, entry: EntryPoint, make: () => object, sdkNamed: RegExp])[] = [
  ['venuekit/ccxt', ofCcxt, () => new ccxt.binance(keys), /must be a ccxt exchange/],
  [
    'venuekit/alpaca',
    ofAlpaca,
    () => new Alpaca({ keyId: 'key', secret: 'secret', retry: false }),
    /must be an instance of @alpacahq\/alpaca-trade-api/,
  ],
  ['venuekit/binance', ofBinance, () => new connector.Spot('key', 'secret') as object, /must be an object of one of the SDKs for Binance spot/],
];

const NO_SDKS: readonly unknown[] = [null, undefined, 5, 'binance', true, [], {}, () => {}, class Bot {}, Promise.resolve({})];

const BAD_OPTIONS: readonly (readonly [options: unknown, message: RegExp])[] = [
  [null, /options must be an object, got null/],
  [5, /options must be an object, got 5/],
  [{ jurnal: {} }, /no option "jurnal"; did you mean "journal"/],
  [{ bus: {} }, /bus must be an object with a method has, got undefined/],
  [{ clock: 5 }, /clock must be an object, got 5/],
  [{ random: 5 }, /random must be a function, got 5/],
  [{ logger: { warn() {} } }, /logger must be an object with a method debug, got undefined/],
  [{ journal: null }, /journal must be an object, got null/],
  [{ journal: {} }, /journal must be an object with a method acquire/],
  [{ policy: null }, /policy must be an object, got null/],
  [{ policy: { timeoutMs: 0 } }, /policy\.timeoutMs must be a finite number above 0, got 0/],
  [{ policy: { deadlineMS: 5 } }, /policy has no option "deadlineMS"; did you mean "deadlineMs"/],
  [{ ownRetries: 'off' }, /ownRetries must be one of "switch_off", "refuse", got "off"/],
  [{ cache: 5 }, /cache must be an object, got 5/],
  [{ metrics: 5 }, /must be an object, got 5/],
];

const BAD_CAPABILITIES: readonly (readonly [capabilities: unknown, message: RegExp])[] = [
  [null, /capabilities must be an object, got null/],
  [{ fense: {} }, /capabilities has no option "fense"; did you mean "fence"/],
  [{ visibilityLagMs: -1 }, /capabilities\.visibilityLagMs must be a finite number of 0 or more, got -1/],
  [{ lookup: 'none' }, /capabilities\.lookup must be "by_client_id" or "scan" .*got "none"/],
  [{ clientId: { maxLength: 0 } }, /capabilities\.clientId\.maxLength must be a whole number of 1 or more, got 0/],
  [{ amend: 'maybe' }, /capabilities\.amend must be one of/],
];

function ownMethods(sdk: object): readonly (readonly [name: string, method: unknown])[] {
  return Object.entries(Object.getOwnPropertyDescriptors(sdk))
    .map(([name, { value }]) => [name, value as unknown] as const)
    .filter(([, value]) => typeof value === 'function');
}

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe.each(ENTRY_POINTS)('%s', (_, { resilient, toAdapter, ready, release, factsOf }, make, sdkNamed) => {
  it.each(NO_SDKS)('regression: what is no SDK object (%s) was told in words of the language alone', async (sdk) => {
    for (const call of [resilient, toAdapter]) expect(caught(() => call(sdk as object))).toMatchObject({ name: 'TypeError', message: sdkNamed });
    await expect(ready(sdk as object)).rejects.toThrow(/not resilient: call resilient\(sdk\) first/);
    await release(sdk as object);
    expect(factsOf(sdk)).toBeUndefined();
  });

  it.each(BAD_OPTIONS)('regression: options that can’t be meant (%j) were taken, or failed later', (options, message) => {
    const sdk = make();
    const before = ownMethods(sdk);
    expect(caught(() => resilient(sdk, options as object)).message).toMatch(message);
    // Nothing was changed, and the object can still be wrapped.
    expect(ownMethods(sdk)).toEqual(before);
  });

  it.each(BAD_CAPABILITIES)('regression: capabilities that can’t be meant (%j) were silently ignored', (capabilities, message) => {
    for (const call of [resilient, toAdapter]) expect(caught(() => call(make(), { capabilities })).message).toMatch(message);
  });

  it.each([
    [null, /options must be an object, got null/],
    [7, /options must be an object, got 7/],
    [{ loger: {} }, /toAdapter has no option "loger"; did you mean "logger"/],
    [{ logger: 5 }, /logger must be an object, got 5/],
    [{ clock: {} }, /clock must be an object with a method/],
    [{ webSocket: 'ws' }, /webSocket must be an object, got "ws"/],
    [{ webSocket: { WebSocket: 'ws' } }, /webSocket\.WebSocket must be a function, got "ws"/],
  ])('toAdapter refuses %j', (options, message) => {
    expect(caught(() => toAdapter(make(), options as object)).message).toMatch(message);
  });
});

describe('options that are refused late', () => {
  it('regression: they left the metrics listening on the host’s bus, which the next resilient() then counted twice', () => {
    const bus = new EventBus<VenueKitEvents>();
    const refused = { bus, metrics: new MetricsRegistry(), policy: { deadlineMS: 5 } };
    expect(caught(() => ofCcxt.resilient(new ccxt.binance(keys), refused as object)).message).toMatch(/deadlineMS/);
    expect(bus.has('venue.call')).toBe(false);
  });
});

describe('missing credentials', () => {
  it.each([
    ['ccxt.binance', ofCcxt, () => new ccxt.binance({}), undefined],
    ['ccxt.kraken', ofCcxt, () => new ccxt.kraken({}), undefined],
    ['ccxt.alpaca', ofCcxt, () => new ccxt.alpaca({}), 'AuthenticationError'],
    ['@binance/connector', ofBinance, () => new connector.Spot() as object, undefined],
  ] as const)('regression: ready(%s) asked the venue for an account without a key until the deadline', async (_, entry, make, ownClass) => {
    const sdk = entry.resilient(make());
    await expect(entry.ready(sdk)).rejects.toMatchObject({
      code: 'AUTH',
      sent: 'no',
      message: expect.stringMatching(/give it API key and secret/) as string,
    });
    if (ownClass !== undefined) {
      // ccxt says it itself, before anything is sent.
      const exchange = Object.assign(sdk as InstanceType<typeof ccxt.binance>, { markets: {}, loadMarkets: () => Promise.resolve({}) });
      await expect(exchange.fetchBalance()).rejects.toSatisfy((error: Error) => error.constructor.name === ownClass);
    }
    await entry.release(sdk);
  });
});

describe('a fence for Alpaca', () => {
  it.each([
    ['resilient(Alpaca)', () => ofAlpaca.resilient(new Alpaca({ keyId: 'k', secret: 's', retry: false }), FENCED)],
    ['toAdapter(Alpaca)', () => ofAlpaca.toAdapter(new Alpaca({ keyId: 'k', secret: 's', retry: false }), FENCED)],
    ['resilient(ccxt.alpaca)', () => ofCcxt.resilient(new ccxt.alpaca(keys), FENCED)],
    ['toAdapter(ccxt.alpaca)', () => ofCcxt.toAdapter(new ccxt.alpaca(keys), FENCED)],
  ])('regression: %s took one, and would have proved by it what nothing proves', (_, call) => {
    expect(caught(call)).toMatchObject({ name: 'TypeError', message: /capabilities\.fence must be left out: Alpaca knows no deadline/ });
  });

  const FENCED = { capabilities: { fence: { maxMs: 60_000, defaultMs: 2_000 } } };
});

describe('retries of the SDK’s own', () => {
  it('are switched off with a warning by toAdapter of Alpaca’s version 4, too, which took no logger', () => {
    const said: object[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (facts: object) => void said.push(facts) };
    ofAlpaca.toAdapter(new Alpaca({ keyId: 'k', secret: 's' }), { logger });
    expect(said).toMatchObject([{ sdk: '@alpacahq/alpaca-trade-api 4', option: 'retry.maxRetries' }]);
  });
});

describe('requestsPerMinute of ccxt alpaca', () => {
  it('is how many requests the plan allows, of resilient and of toAdapter, and what it can’t be is named', () => {
    const requestsPerMinute = { trading: 1_000, data: 10_000 };
    const limitsOf = (options?: object): unknown => ofCcxt.toAdapter(new ccxt.alpaca(keys), options).limits;
    expect(limitsOf()).toMatchObject([{ units: 200 }, { units: 200 }]);
    expect(limitsOf({ requestsPerMinute })).toMatchObject([{ units: 1_000 }, { units: 10_000 }]);
    for (const take of [ofCcxt.toAdapter, ofCcxt.resilient]) {
      expect(() => take(new ccxt.alpaca(keys), { requestsPerMinute: { data: 0 } })).toThrow(/requestsPerMinute\.data must be .*above 0, got 0/);
      expect(() => take(new ccxt.alpaca(keys), { requestsPerMinute: { dat: 5 } as object })).toThrow(/no option "dat"; did you mean "data"/);
    }
  });
});
