import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { PlainReads } from '../../../../src/sdk/ccxt/plain-reads.js';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real ccxt client whose requests are answered by the test. */
const givenReads = (answers: Readonly<Record<string, Answer>>) => {
  const sdk = new ccxt.binance({ enableRateLimit: true });
  sdk.fetch = async function (this: typeof sdk, url: string, method = 'GET') {
    const { status, body, headers = {} } = Object.entries(answers).find(([path]) => url.includes(path))![1];
    await new Promise(setImmediate);
    return this.handleRestResponse({ status, statusText: '', headers, text: () => Promise.resolve(body) } as never, url, method);
  };
  const before = Object.getOwnPropertyNames(sdk);
  return { sdk, before, reads: new PlainReads(sdk as never) };
};
const read = (path: string) => (sdk: object) =>
  (sdk as { publicGetDepth(p: object): Promise<unknown> } & Record<string, (p: object) => Promise<unknown>>)[path]!({});

describe('PlainReads', () => {
  it('keeps the answers of reads that fail at the same time apart, in status, headers and body', async () => {
    const { reads } = givenReads({
      '/depth': { status: 429, body: '{"code":-1003,"msg":"Too many requests"}', headers: { 'retry-after': '7' } },
      '/trades': { status: 503, body: '<html>busy</html>' },
    });
    const [depth, trades] = await Promise.all([reads.run(read('publicGetDepth')), reads.run(read('publicGetTrades'))]);
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
    expect(await reads.run(read('publicGetTime'))).toMatchObject({ result: { json: { serverTime: 1 } } });
    expect([isThrottled, sdk.enableRateLimit]).toEqual([false, true]);
    await read('publicGetTime')(sdk);
    expect(isThrottled).toBe(true);
  });

  it('knows a read that failed before it was sent', async () => {
    const { reads } = givenReads({});
    expect(await reads.run(read('privateGetAccount'))).toMatchObject({
      error: expect.any(ccxt.AuthenticationError),
      facts: { sent: false },
    });
  });

  it('puts back what it has replaced', () => {
    const { sdk, before, reads } = givenReads({});
    reads[Symbol.dispose]();
    expect(Object.getOwnPropertyNames(sdk)).toEqual(before);
  });
});
