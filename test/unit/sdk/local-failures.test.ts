import { Alpaca } from '@alpacahq/alpaca-trade-api';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { Spot } from '@binance/spot';
import AlpacaV3Class from 'alpaca-v3';
import { MainClient } from 'binance';
import apiNode from 'binance-api-node';
import ccxt from 'ccxt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import * as ofAlpaca from '../../../src/sdk/alpaca/index.js';
import * as ofBinance from '../../../src/sdk/binance/index.js';
import * as ofCcxt from '../../../src/sdk/ccxt/index.js';

/** Nobody listens there, should anything be sent. */
const NOWHERE = 'http://127.0.0.1:1';
const BROKEN_KEY = 'k\u0001y';
const PEM = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----';

type Sdk = Record<string, (...args: unknown[]) => Promise<unknown>>;
interface EntryPoint {
  resilient(sdk: object, options?: object): object;
  release(sdk: object): Promise<void>;
  factsOf(error: unknown): unknown;
}

const exchange = (id: 'binance' | 'kraken' | 'alpaca', keys: object): object => {
  const sdk = new ccxt[id]({ enableRateLimit: false, ...keys });
  const api = sdk.urls.api as Record<string, string>;
  for (const name of Object.keys(api)) api[name] = NOWHERE;
  return sdk;
};
const Connector = (connector as { Spot: new (key: string, secret: string, options: object) => object }).Spot;
const connectorWith = (members: object): object => Object.assign(new Connector('key', 'secret', { baseURL: NOWHERE }), members);
const spotWith = (keys: object): object => new Spot({ configurationRestAPI: { basePath: NOWHERE, retries: 0, ...keys } as never });
const AlpacaV3 = AlpacaV3Class as unknown as new (options: object) => object;
// A module of CommonJS, whose default export loaders find in different places.
type ApiNodeMaker = (options: object) => object;
const apiNodeMaker = (apiNode as unknown as { default?: ApiNodeMaker }).default ?? (apiNode as unknown as ApiNodeMaker);

/** What an SDK, or what it sends with, says no to by itself, before anything is sent. */
const CASES: readonly (readonly [name: string, entry: EntryPoint, make: () => object, read: (sdk: never) => Promise<unknown>, code: string])[] = [
  ['ccxt binance without keys', ofCcxt, () => exchange('binance', {}), (sdk: Sdk) => sdk.privateGetAccount!(), 'AUTH'],
  ['ccxt kraken without keys', ofCcxt, () => exchange('kraken', {}), (sdk: Sdk) => sdk.privatePostBalance!(), 'AUTH'],
  [
    'ccxt binance with a key that is none',
    ofCcxt,
    () => exchange('binance', { apiKey: 'k', secret: PEM }),
    (sdk: Sdk) => sdk.privateGetAccount!(),
    'AUTH',
  ],
  [
    'ccxt kraken with a secret that is no base64',
    ofCcxt,
    () => exchange('kraken', { apiKey: 'k', secret: '*' }),
    (sdk: Sdk) => sdk.privatePostBalance!(),
    'AUTH',
  ],
  [
    'ccxt alpaca with a key that is no header',
    ofCcxt,
    () => exchange('alpaca', { apiKey: BROKEN_KEY, secret: 's' }),
    (sdk: Sdk) => sdk.traderPrivateGetV2Account!(),
    'INVALID',
  ],
  ['@binance/spot without keys', ofBinance, () => spotWith({}), ({ restAPI }: { restAPI: Sdk }) => restAPI.getAccount!(), 'AUTH'],
  [
    '@binance/spot with a key that is none',
    ofBinance,
    () => spotWith({ apiKey: 'k', privateKey: PEM }),
    ({ restAPI }: { restAPI: Sdk }) => restAPI.getAccount!(),
    'AUTH',
  ],
  [
    '@binance/connector without keys',
    ofBinance,
    () => connectorWith({ apiKey: undefined, apiSecret: undefined }),
    (sdk: Sdk) => sdk.account!(),
    'AUTH',
  ],
  ['@binance/connector with a key that is none', ofBinance, () => connectorWith({ privateKey: 'none' }), (sdk: Sdk) => sdk.account!(), 'AUTH'],
  ['binance without keys', ofBinance, () => new MainClient({ baseUrl: NOWHERE }), (sdk: Sdk) => sdk.getAccountInformation!(), 'AUTH'],
  [
    'binance-api-node with a key that is no header',
    ofBinance,
    () => apiNodeMaker({ httpBase: NOWHERE, apiKey: 'k\n', apiSecret: 's' }),
    (sdk: Sdk) => sdk.accountInfo!(),
    'INVALID',
  ],
  [
    'Alpaca 3 with a key that is no header',
    ofAlpaca,
    () => new AlpacaV3({ keyId: BROKEN_KEY, secretKey: 's', baseUrl: NOWHERE }),
    (sdk: Sdk) => sdk.getAccount!(),
    'INVALID',
  ],
  [
    'Alpaca 4 with a key that is no header',
    ofAlpaca,
    () => new Alpaca({ keyId: BROKEN_KEY, secret: 's', retry: false, timeoutMs: 5_000 }),
    ({ trading }: Alpaca) => trading.account.getAccount(),
    'INVALID',
  ],
];

// Some of them throw at once.
const caught = (call: () => Promise<unknown>): Promise<Error> =>
  (async () => call())().then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: Error) => error,
  );

afterEach(() => void vi.restoreAllMocks());

describe('A read that an SDK says no to by itself', () => {
  it.each(CASES)(
    'regression: was tried again for two seconds, and its breaker opened for everything else (%s)',
    async (_, entry, make, read, code) => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const raw = await caught(() => read(make() as never));
      const calls: unknown[] = [];
      const bus = new EventBus<VenueKitEvents>();
      bus.on('venue.call', (call) => calls.push(call));
      const sdk = entry.resilient(make(), { bus });
      try {
        const error = await caught(() => read(sdk as never));
        expect(error.constructor).toBe(raw.constructor);
        expect(error.message).toBe(raw.message);
        expect(entry.factsOf(error)).toMatchObject({ code, sent: 'no' });
        expect(calls).toHaveLength(1);
      } finally {
        await entry.release(sdk);
      }
    },
  );
});
