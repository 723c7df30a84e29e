import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/core/clock.js';
import { toAdapter } from '../../../../src/sdk/binance/index.js';
import { type BrokerUnderTest, brokerAdapterContract, serveBinance } from '../../../../src/testing/index.js';
import { binanceVenue, madeAt, SDKS, type SdkUnderTest } from './given.js';

const LONGEST_WAIT_MS = 1_000;

/** The adapter of a real SDK, over real sockets: REST, and the WebSocket API for the stream of own orders. */
async function givenBinance(sdk: SdkUnderTest): Promise<BrokerUnderTest> {
  const venue = binanceVenue({ seed: 3, balances: { USDT: '1000000' } });
  const served = await serveBinance(venue);
  const urls = { api: `${served.wsUrl}/ws-api/v3`, streams: `${served.wsUrl}/stream` };
  return {
    adapter: toAdapter(madeAt(sdk, served, { timeoutMs: 3_000 }), {
      capabilities: { visibilityLagMs: 60 },
      ...(sdk.makeAt === undefined ? { webSocket: { urls } } : {}),
    }),
    symbol: 'BTCUSDT',
    qty: '0.5',
    restingPrice: '40000',
    unaffordableQty: '1000',
    venueNow: () => venue.now(),
    passTime: (ms) => systemClock.sleep(Math.min(ms, LONGEST_WAIT_MS)),
    loseNextPlace: (what) => void venue.fault({ operation: 'place', when: what === 'request' ? 'before' : 'after', kind: 'drop', times: 1 }),
    failNextFind: () => void venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503, times: 1 }),
    [Symbol.asyncDispose]: () => served.close(),
  };
}

for (const [name, sdk] of Object.entries(SDKS)) {
  describe(`brokerAdapterContract on ${name} against the served venue`, () => {
    for (const { name: rule, run } of brokerAdapterContract({ open: () => givenBinance(sdk) })) it.concurrent(rule, run);
  });

  describe(`toAdapter(${name}): market data`, () => {
    it('reads every kind under Binance’s own names, and answers for a symbol that is not listed with that symbol’s error alone', async () => {
      const served = await serveBinance(binanceVenue());
      const adapter = toAdapter(madeAt(sdk, served), { webSocket: false });
      const attempt = { signal: new AbortController().signal, number: 1 };
      const quotes = await adapter.fetch(
        'quote',
        [{ symbol: 'BTCUSDT' }, { symbol: 'NOSUCH' }, { symbol: 'ETHUSDT' }, { symbol: 'BTC/USDT' }],
        attempt,
      );
      expect(quotes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
      expect(quotes[2]).toMatchObject({ value: { symbol: 'ETHUSDT' } });
      expect(quotes[1]).toMatchObject({ reason: { code: 'UNKNOWN_SYMBOL' } });
      for (const kind of ['book', 'trades', 'instrument'] as const) {
        const [known, unknown] = await adapter.fetch(kind, [{ symbol: 'BTCUSDT' }, { symbol: 'NOSUCH' }], attempt);
        expect(known, kind).toMatchObject({ status: 'fulfilled' });
        expect(unknown, kind).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_SYMBOL' } });
      }
      const [bars] = await adapter.fetch('bars', [{ symbol: 'BTCUSDT', interval: '1m', limit: 5 }], attempt);
      expect(bars).toMatchObject({ status: 'fulfilled', value: { symbol: 'BTCUSDT', interval: '1m' } });
      expect(await adapter.fetch('instrument', [{ symbol: 'BTCUSDT' }], attempt)).toMatchObject([
        { value: { priceStep: expect.stringMatching(/^0\.01/), minNotional: expect.stringMatching(/^5/) } },
      ]);
      await served.close();
    });
  });
}

describe('toAdapter of venuekit/binance refuses', () => {
  it.each([
    ['an SDK without credentials', { options: {} }, /no credentials: give API key and secret to the constructor of @binance\/connector/],
    ['a misspelt option', { options: { websocket: false } }, /no option "websocket"; did you mean "webSocket"/],
    ['addresses that are none', { options: { webSocket: { urls: { api: '', streams: 'x' } } } }, /webSocket\.urls\.api/],
  ])('%s', (_, { options }, message) => {
    const sdk = Object.assign(SDKS['@binance/connector']!.make(), { apiKey: '', apiSecret: '' });
    expect(() => toAdapter(sdk, options as object)).toThrow(message);
  });
});
