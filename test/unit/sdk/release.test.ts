import { Alpaca as AlpacaV4 } from '@alpacahq/alpaca-trade-api';
// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { Spot } from '@binance/spot';
import AlpacaV3 from 'alpaca-v3';
import { MainClient } from 'binance';
import apiNode from 'binance-api-node';
import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import * as ofAlpaca from '../../../src/sdk/alpaca/index.js';
import * as ofBinance from '../../../src/sdk/binance/index.js';
import * as ofCcxt from '../../../src/sdk/ccxt/index.js';
import { attach } from '../../../src/sdk/shared/attachments.js';

interface EntryPoint {
  resilient(sdk: object, options?: object): object;
  release(sdk: object): Promise<void>;
  ready(sdk: object): Promise<unknown>;
}

const keys = { apiKey: 'key', secret: 'c2VjcmV0' };
const newApiNode = ('default' in apiNode ? apiNode.default : apiNode) as unknown as (options: object) => object;

const SDKS: readonly (readonly [name: string, entry: EntryPoint, make: () => object])[] = [
  ['ccxt.binance', ofCcxt, () => new ccxt.binance(keys)],
  ['ccxt.pro.binance', ofCcxt, () => new ccxt.pro.binance(keys)],
  ['ccxt.alpaca', ofCcxt, () => new ccxt.alpaca(keys)],
  ['ccxt.kraken', ofCcxt, () => new ccxt.kraken(keys)],
  ['Alpaca 3', ofAlpaca, () => new (AlpacaV3 as unknown as new (options: object) => object)({ keyId: 'key', secretKey: 'secret', paper: true })],
  ['Alpaca 4', ofAlpaca, () => withItsParts(new AlpacaV4({ keyId: 'key', secret: 'secret', retry: false }))],
  ['@binance/connector', ofBinance, () => new connector.Spot('key', 'secret', { logger: QUIET }) as object],
  ['@binance/spot', ofBinance, () => new Spot({ configurationRestAPI: { apiKey: 'key', apiSecret: 'secret', retries: 0 } })],
  ['binance', ofBinance, () => new MainClient({ api_key: 'key', api_secret: 'secret' })],
  ['binance-api-node', ofBinance, () => newApiNode({ apiKey: 'key', apiSecret: 'secret' })],
];

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const DEEPEST = 5;

// Made when they are first asked for.
function withItsParts(sdk: AlpacaV4): AlpacaV4 {
  void [sdk.trading, sdk.marketData];
  return sdk;
}

/** The descriptor of each own member of an object, and of the objects in it. */
function membersOf(sdk: object): Map<string, PropertyDescriptor> {
  const found = new Map<string, PropertyDescriptor>();
  const seen = new Set<unknown>();
  const walk = (value: unknown, path: string, depth: number): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > DEEPEST) return;
    seen.add(value);
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      found.set(`${path}.${name}`, descriptor);
      walk(descriptor.value, `${path}.${name}`, depth + 1);
    }
  };
  walk(sdk, 'sdk', 0);
  return found;
}

/** Names of members that are not exactly as they were. */
function changes(before: Map<string, PropertyDescriptor>, after: Map<string, PropertyDescriptor>): string[] {
  const same = (one: PropertyDescriptor | undefined, other: PropertyDescriptor | undefined): boolean =>
    one !== undefined &&
    other !== undefined &&
    (['value', 'get', 'set', 'writable', 'enumerable', 'configurable'] as const).every((part) => Object.is(one[part], other[part]));
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => !same(before.get(name), after.get(name)));
}

describe.each(SDKS)('release(%s)', (_, { resilient, release, ready }, make) => {
  it('regression: leaves every member as it was, its descriptor included, however often it is called', async () => {
    const sdk = make();
    const before = membersOf(sdk);
    for (let round = 0; round < 2; round++) {
      expect(resilient(sdk, { logger: QUIET })).toBe(sdk);
      expect(changes(before, membersOf(sdk))).not.toEqual([]);
      await release(sdk);
      await release(sdk);
      expect(changes(before, membersOf(sdk))).toEqual([]);
    }
  });

  it('regression: what is resilient shows the same members to a copy or a loop over them', async () => {
    const sdk = make();
    const before = Object.keys(sdk);
    resilient(sdk, { logger: QUIET });
    expect(Object.keys(sdk)).toEqual(before);
    await release(sdk);
  });

  it('regression: called twice at once, takes nothing from who has made the object resilient anew in between', async () => {
    const sdk = make();
    resilient(sdk, { logger: QUIET });
    const first = release(sdk).then(() => resilient(sdk, { logger: QUIET }));
    await Promise.all([first, release(sdk)]);
    expect(() => resilient(sdk)).toThrow(/resilient already/);
    await release(sdk);
    await expect(ready(sdk)).rejects.toThrow(/not resilient/);
  });
});

describe('release', () => {
  it('regression: of an object that toAdapter has, too, leaves it what the adapter listens with', async () => {
    const sdk = new ccxt.kraken(keys);
    const adapter = ofCcxt.toAdapter(sdk);
    const nonce = sdk.nonce;
    const listening = adapter.observe!(() => {});
    const { onRestResponse } = sdk;
    ofCcxt.resilient(sdk, { logger: QUIET });
    await ofCcxt.release(sdk);
    expect([sdk.nonce, sdk.onRestResponse]).toEqual([nonce, onRestResponse]);
    listening[Symbol.dispose]();
    expect(Object.hasOwn(sdk, 'onRestResponse')).toBe(false);
  });

  it('regression: that fails, of a journal that can’t be closed, left the object neither raw nor resilient for good', async () => {
    const sdk = {};
    const ready = () => Promise.reject(new Error('not asked for'));
    attach(sdk, { ready, release: () => Promise.reject(new Error('the disk is full')) });
    await expect(ofCcxt.release(sdk)).rejects.toThrow('the disk is full');
    await ofCcxt.release(sdk);
    attach(sdk, { ready, release: () => Promise.resolve() });
  });
});
