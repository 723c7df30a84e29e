import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import type { EndpointParams } from '../../../../src/sdk/ccxt/endpoint-gate.js';
import type { CcxtAlpaca, CcxtExchange } from '../../../../src/sdk/ccxt/exchange.js';
import { answerOf, PlainReads } from '../../../../src/sdk/ccxt/plain-reads.js';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real ccxt client whose requests are answered by the test. */
const givenReads = (answers: Readonly<Record<string, Answer>>, areLimitsKept = true) => {
  const sdk = new ccxt.binance({ enableRateLimit: true });
  sdk.fetch = async function (this: typeof sdk, url: string, method = 'GET') {
    const { status, body, headers = {} } = Object.entries(answers).find(([path]) => url.includes(path))![1];
    await new Promise(setImmediate);
    return this.handleRestResponse({ status, statusText: '', headers, text: () => Promise.resolve(body) } as never, url, method);
  };
  const before = Object.getOwnPropertyNames(sdk);
  return { sdk, before, reads: new PlainReads(sdk as never, { areLimitsKept, answerOf }) };
};
const read = (path: string, params: EndpointParams = {}, api = 'public') => ({
  path,
  params,
  send: (sdk: CcxtExchange, other?: EndpointParams) => (sdk as CcxtAlpaca).fetch2(path, api as never, 'GET', { ...(other ?? params) }),
});

describe('PlainReads', () => {
  it('keeps the answers of reads that fail at the same time apart, in status, headers and body', async () => {
    const { reads } = givenReads({
      '/depth': { status: 429, body: '{"code":-1003,"msg":"Too many requests"}', headers: { 'retry-after': '7' } },
      '/trades': { status: 503, body: '<html>busy</html>' },
    });
    const [depth, trades] = await Promise.all([reads.run(read('depth')), reads.run(read('trades'))]);
    expect(depth).toMatchObject({
      error: expect.any(ccxt.DDoSProtection),
      facts: { sent: true, status: 429, headers: { 'retry-after': '7' }, body: '{"code":-1003,"msg":"Too many requests"}' },
    });
    expect(trades).toMatchObject({ error: expect.any(ccxt.ExchangeNotAvailable), facts: { sent: true, status: 503, body: '<html>busy</html>' } });
  });

  it('passes by the limiter of the SDK, and leaves it on for everybody else', async () => {
    const { sdk, reads } = givenReads({ '/time': { status: 200, body: '{"serverTime":1}' } });
    let isThrottled = false;
    sdk.throttle = async () => {
      isThrottled = true;
    };
    expect(await reads.run(read('time'))).toMatchObject({ result: { json: { serverTime: 1 } } });
    expect([isThrottled, sdk.enableRateLimit]).toEqual([false, true]);
    await sdk.publicGetTime();
    expect(isThrottled).toBe(true);
  });

  it('waits for the limiter of the SDK where nobody else keeps its limits, and then never takes a read for unsent', async () => {
    const { sdk, reads } = givenReads({ '/time': { status: 503, body: '' } }, false);
    let isThrottled = false;
    sdk.throttle = async () => {
      isThrottled = true;
    };
    expect(await reads.run(read('time'))).toMatchObject({ error: expect.any(ccxt.ExchangeNotAvailable), facts: { sent: true, status: 503 } });
    expect([isThrottled, sdk.enableRateLimit]).toEqual([true, true]);
    expect(await reads.run(read('account', {}, 'private'))).toMatchObject({ error: expect.any(ccxt.AuthenticationError), facts: { sent: true } });
  });

  it('knows a read that failed before it was sent', async () => {
    const { reads } = givenReads({});
    expect(await reads.run(read('account', {}, 'private'))).toMatchObject({
      error: expect.any(ccxt.AuthenticationError),
      facts: { sent: false },
    });
  });

  it.each([
    ['a parameter', { maxRetriesOnFailure: 2 }, {}],
    ['a parameter for all methods', { defaultMaxRetriesOnFailure: 2 }, {}],
    ['an option of the exchange', {}, { maxRetriesOnFailure: 2 }],
    ['an option of the exchange for all methods', {}, { defaultMaxRetriesOnFailure: 2 }],
    ['an option of the endpoint', {}, { depth: { maxRetriesOnFailure: 2 } }],
    ['an option of the method that calls', { callerMethodName: 'fetchOrderBook' }, { fetchOrderBook: { maxRetriesOnFailure: 2 } }],
    ['nothing', {}, {}],
  ])('makes one request where ccxt is told to repeat it by %s', async (_, params, options) => {
    const { sdk, reads } = givenReads({ '/depth': { status: 503, body: '' } });
    Object.assign(sdk.options, options);
    let requests = 0;
    const { fetch } = sdk;
    sdk.fetch = (...args: Parameters<typeof fetch>) => {
      requests++;
      return fetch.apply(sdk, args);
    };
    expect(await reads.run(read('depth', params))).toMatchObject({ facts: { status: 503 } });
    expect(requests).toBe(1);
    const asRaw = read('depth', params).send(sdk as never);
    await expect(asRaw).rejects.toThrow(ccxt.ExchangeNotAvailable);
    expect(requests).toBe(Object.keys({ ...params, ...options }).length === 0 ? 2 : 4);
  });

  it('puts back what it has replaced', () => {
    const { sdk, before, reads } = givenReads({});
    reads[Symbol.dispose]();
    expect(Object.getOwnPropertyNames(sdk)).toEqual(before);
  });
});
