import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BadRequestError, RequiredError, Spot } from '@binance/spot';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf, release, resilient } from '../../../../src/sdk/binance/index.js';
import { CAPABILITIES, caught } from './given.js';

type Configuration = { basePath: string; retries: number; baseOptions: Record<string, unknown> };

/** What the other side says to a request for a symbol, the first time and each further time. */
let answers: (symbol: string, nth: number) => { readonly status: number; readonly body: string; readonly delayMs?: number };
const asked: string[] = [];

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://venue');
  const symbol = url.searchParams.get('symbol') ?? '';
  asked.push(`${request.method} ${url.pathname} ${symbol} ${String(request.headers['x-of'] ?? '')}`.trim());
  const nth = asked.filter((one) => one.split(' ')[2] === symbol).length;
  const { status, body, delayMs = 0 } = answers(symbol, nth);
  setTimeout(() => response.writeHead(status, { 'content-type': 'application/json', 'x-mbx-used-weight-1m': '1' }).end(body), delayMs);
});

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

function newSpot(): { readonly sdk: Spot; readonly configuration: Configuration } {
  asked.length = 0;
  const sdk = new Spot({
    configurationRestAPI: {
      apiKey: 'key',
      apiSecret: 'secret',
      basePath: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      retries: 0,
      timeout: 5_000,
    },
  });
  return { sdk, configuration: (sdk.restAPI as unknown as { configuration: Configuration }).configuration };
}

const kept = (sdk: Spot): Spot => resilient(sdk, { capabilities: CAPABILITIES });
const priceOf = async (sdk: Spot, symbol: string): Promise<unknown> => (await (await sdk.restAPI.tickerPrice({ symbol })).data()) as unknown;

describe('calls of @binance/spot', { timeout: 20_000 }, () => {
  it('are each answered with their own answer, and fail with their own words, however many are under way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ isRefused: fc.boolean(), delayMs: fc.integer({ min: 0, max: 8 }), isRetried: fc.boolean() }), {
          minLength: 2,
          maxLength: 12,
        }),
        async (calls) => {
          const { sdk } = newSpot();
          answers = (symbol, nth) => {
            const { isRefused, delayMs, isRetried } = calls[Number(symbol.slice(1))]!;
            if (isRetried && nth === 1) return { status: 503, body: '<html>', delayMs };
            if (isRefused) return { status: 400, body: JSON.stringify({ code: -1121, msg: `no ${symbol}` }), delayMs };
            return { status: 200, body: JSON.stringify({ symbol }), delayMs };
          };
          const bot = kept(sdk);
          const ends = await Promise.all(
            calls.map((_, i) => priceOf(bot, `S${i}`).catch((error: unknown) => ({ error: error as Error, code: factsOf(error)?.code }))),
          );
          await release(bot);
          expect(ends).toEqual(
            calls.map(({ isRefused }, i) =>
              isRefused
                ? { error: expect.objectContaining({ message: `no S${i}`, constructor: BadRequestError }), code: 'REJECTED' }
                : { symbol: `S${i}` },
            ),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  it('are guarded whether the bot calls restAPI, the part that has the method, or sendRequest', async () => {
    const { sdk } = newSpot();
    answers = (symbol, nth) => (nth === 1 ? { status: 503, body: '' } : { status: 200, body: JSON.stringify({ symbol }) });
    const bot = kept(sdk);
    const { marketApi } = bot.restAPI as unknown as { marketApi: Spot['restAPI'] };
    expect(await priceOf(bot, 'A')).toEqual({ symbol: 'A' });
    expect(await (await marketApi.tickerPrice({ symbol: 'B' })).data()).toEqual({ symbol: 'B' });
    const answer = await bot.restAPI.sendRequest<{ symbol: string }>('/api/v3/ticker/price', 'GET', { symbol: 'C' });
    expect(await answer.data()).toEqual({ symbol: 'C' });
    expect(asked).toHaveLength(6);
    await release(bot);
    await expect(priceOf(bot, 'D')).rejects.toThrow(/Server error: 503/);
  });

  it('go out with what the bot has put into baseOptions meanwhile, and are read by its own transformResponse', async () => {
    const { sdk, configuration } = newSpot();
    answers = (symbol) => ({ status: 200, body: JSON.stringify({ symbol }) });
    const bot = kept(sdk);
    configuration.baseOptions = {
      ...configuration.baseOptions,
      headers: { 'x-of': 'bot' },
      transformResponse: (text: string) => text.replace('A', 'changed'),
    };
    expect(await priceOf(bot, 'A')).toEqual({ symbol: 'changed' });
    expect(asked).toEqual(['GET /api/v3/ticker/price A bot']);
    await release(bot);
  });

  it('that the SDK refuses by itself reach no venue and keep its words', async () => {
    const { sdk } = newSpot();
    answers = () => ({ status: 200, body: '{}' });
    const bot = kept(sdk);
    expect(await caught(bot.restAPI.depth({} as never))).toBeInstanceOf(RequiredError);
    expect(asked).toEqual([]);
    await release(bot);
  });

  it('that read are made again where success is no JSON but the page of a gateway', async () => {
    const { sdk } = newSpot();
    answers = (symbol, nth) => (nth === 1 ? { status: 200, body: '<html>one moment</html>' } : { status: 200, body: JSON.stringify({ symbol }) });
    const bot = kept(sdk);
    expect(await priceOf(bot, 'A')).toEqual({ symbol: 'A' });
    expect(asked).toHaveLength(2);
    await release(bot);
  });

  it('are sent with numbers in plain notation, and lists as JSON, as the SDK does', async () => {
    const { sdk } = newSpot();
    answers = () => ({ status: 200, body: '[]' });
    const raw = newSpot().sdk;
    const urls: string[] = [];
    const listen = (request: { url?: string }): void => void urls.push((request.url ?? '').replace(/timestamp=\d+&signature=\w+/, ''));
    server.on('request', listen);
    const bot = kept(sdk);
    for (const one of [raw, bot]) {
      await one.restAPI.tickerPrice({ symbols: ['BTCUSDT', 'ETHUSDT'] } as never);
      await one.restAPI.myTrades({ symbol: 'BTCUSDT', limit: 1e-7 as never, fromId: 12n as never });
    }
    server.off('request', listen);
    expect(urls.slice(2)).toEqual(urls.slice(0, 2));
    expect(urls[1]).toContain('limit=0.0000001');
    await release(bot);
  });

  it('of a version that makes a request in another way are refused, and named', () => {
    const { sdk } = newSpot();
    const { marketApi } = sdk.restAPI as unknown as { marketApi: { localVarAxiosParamCreator: Record<string, unknown> } };
    const { ticker24hr: _, ...others } = marketApi.localVarAxiosParamCreator;
    marketApi.localVarAxiosParamCreator = others;
    expect(() => kept(sdk)).toThrow(/restAPI\.ticker24hr\(\) makes its request in a way that venuekit\/binance does not know.*@binance\/spot 32/);
  });
});
