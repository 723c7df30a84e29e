import { executionAsyncId } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { CallWatcher, isView } from '../../../../src/sdk/ccxt/call-record.js';
import type { CcxtExchange } from '../../../../src/sdk/ccxt/exchange.js';

/** An exchange whose calls answer in the order in which the test lets them. */
const givenAnExchange = () => {
  const waiting = new Map<string, (status: number) => void>();
  const exchange = {
    id: 'binance',
    timeout: 1_000,
    throttled: 0,
    last: undefined as unknown,
    async loadMarkets() {},
    market: () => ({ id: 'BTCUSDT', symbol: 'BTC/USDT' }),
    async throttle() {
      this.throttled++;
    },
    onRestResponse(_status: number, _text: string, _url: string, _method: string, headers: unknown, body: string) {
      this.last = headers;
      return body;
    },
    async fetch(url: string) {
      const status = await new Promise<number>((resolve) => waiting.set(url, resolve));
      return this.onRestResponse(status, '', url, 'GET', { 'X-Served': url }, `body of ${url}`);
    },
    async call(url: string) {
      await this.throttle();
      return this.fetch(url);
    },
  };
  return {
    exchange,
    answer: (url: string, status: number) => waiting.get(url)?.(status),
    watcher: new CallWatcher<typeof exchange & CcxtExchange>(exchange as never),
  };
};

describe('CallWatcher', () => {
  it('keeps the answers of concurrent calls apart, in whatever order they come', async () => {
    const { answer, watcher } = givenAnExchange();
    const a = watcher.run(true, (sdk) => sdk.call('/a'));
    const b = watcher.run(true, (sdk) => sdk.call('/b'));
    await Promise.resolve();
    await Promise.resolve();
    answer('/b', 429);
    answer('/a', 200);
    expect((await a).record).toMatchObject({ sent: true, status: 200, headers: { 'x-served': '/a' }, body: 'body of /a' });
    expect((await b).record).toMatchObject({ sent: true, status: 429, headers: { 'x-served': '/b' }, body: 'body of /b' });
  });

  it('lets calls past the SDK’s own limiter only when their limits are kept elsewhere', async () => {
    const { exchange, answer, watcher } = givenAnExchange();
    const governed = watcher.run(true, (sdk) => sdk.call('/a'));
    const ungoverned = watcher.run(false, (sdk) => sdk.call('/b'));
    const raw = exchange.call('/c');
    await new Promise(setImmediate);
    for (const url of ['/a', '/b', '/c']) answer(url, 200);
    await Promise.all([governed, ungoverned, raw]);
    expect(exchange.throttled).toBe(2);
  });

  it('holds back a call that was given up before it was sent', async () => {
    const { exchange, watcher } = givenAnExchange();
    let release = (): void => {};
    exchange.throttle = () => new Promise((resolve) => (release = () => resolve(undefined as never)));
    const outcome = watcher.run(
      false,
      (sdk) => sdk.call('/a'),
      (record) => {
        record.abandoned = true;
      },
    );
    release();
    expect(await outcome).toMatchObject({ record: { sent: false }, error: { code: 'ABORTED' } });
  });

  it('shows the instance to a call of its own, and takes its writes there', async () => {
    const { exchange, answer, watcher } = givenAnExchange();
    const call = watcher.run(true, (sdk) => {
      expect([isView(sdk), isView(exchange)]).toEqual([true, false]);
      expect(sdk.id).toBe('binance');
      return sdk.call('/a');
    });
    await new Promise(setImmediate);
    answer('/a', 200);
    await call;
    expect(exchange.last).toEqual({ 'X-Served': '/a' });
  });

  it('tells listeners of every answer, raw calls included', async () => {
    const { exchange, answer, watcher } = givenAnExchange();
    const seen: number[] = [];
    const subscription = watcher.onResponse((status) => seen.push(status));
    const raw = exchange.call('/a');
    await new Promise(setImmediate);
    answer('/a', 418);
    await raw;
    subscription[Symbol.dispose]();
    expect(seen).toEqual([418]);
  });

  it('leaves no hooks on the promises of the process between calls', async () => {
    const { answer, watcher } = givenAnExchange();
    const before = await arePromisesHooked();
    const call = watcher.run(true, (sdk) => sdk.call('/a'));
    await new Promise(setImmediate);
    answer('/a', 200);
    await call;
    expect(await arePromisesHooked()).toBe(before);
    expect(before).toBe(false);
  });

  it('keeps a raw call apart from one of its own that both begin after all others have ended', async () => {
    const { exchange, answer, watcher } = givenAnExchange();
    const first = watcher.run(true, (sdk) => sdk.call('/a'));
    await new Promise(setImmediate);
    answer('/a', 200);
    await first;
    const raw = exchange.call('/raw');
    const second = watcher.run(true, (sdk) => sdk.call('/b'));
    await new Promise(setImmediate);
    answer('/b', 201);
    answer('/raw', 500);
    await raw;
    expect((await second).record).toMatchObject({ sent: true, status: 201, body: 'body of /b' });
    expect(exchange.throttled).toBe(1);
  });
});

/** A promise that is followed by hooks has an id of its own. */
async function arePromisesHooked(): Promise<boolean> {
  const ids: number[] = [];
  for (let i = 0; i < 2; i++) await Promise.resolve().then(() => ids.push(executionAsyncId()));
  return ids[0] !== ids[1];
}
