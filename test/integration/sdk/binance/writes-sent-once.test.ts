import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Spot } from '@binance/spot';
import { MainClient } from 'binance';
import apiNode, { type BinanceRest as ApiNodeClient } from 'binance-api-node';
import { describe, expect, it, vi } from 'vitest';
import { factsOf, release, resilient } from '../../../../src/sdk/binance/index.js';
import { Connector, type ConnectorClient, caught } from './given.js';

/**
 * Writes that the order path does not know, such as smart order routing. They must not be doubled: whatever the venue or the network does, such a
 * request is sent once more only after an answer that proves that nothing was done. The venue here counts requests, and answers as it is told.
 */
type Answering = 'reset' | 'silent' | '503' | '429, then well' | 'rejected';

async function givenVenue(answering: Answering) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      seen.push(`${request.method} ${request.url?.split('?')[0]}`);
      answer(response, answering, seen.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, answering: Answering, number: number): void {
  if (answering === 'silent') return;
  if (answering === 'reset') {
    response.destroy();
    return;
  }
  const [status, body, headers] =
    answering === '503'
      ? ([503, '<html>busy</html>', {}] as const)
      : answering === 'rejected'
        ? ([400, '{"code":-2010,"msg":"Account has insufficient balance for requested action."}', {}] as const)
        : number === 1
          ? ([429, '{"code":-1003,"msg":"Too many requests."}', { 'retry-after': '0' }] as const)
          : ([200, '{"done":true}', {}] as const);
  response.writeHead(status, { 'content-type': status === 503 ? 'text/html' : 'application/json', ...headers }).end(body);
}

type ApiNodeMaker = (options?: object) => ApiNodeClient;
const ApiNode = (apiNode as unknown as { default?: ApiNodeMaker }).default ?? (apiNode as unknown as ApiNodeMaker);

interface Writer {
  readonly make: (url: string) => object;
  readonly send: (sdk: object) => Promise<unknown>;
}

const SOR = '/api/v3/sor/order';
const ORDER = { symbol: 'BTCUSDT', side: 'SELL', type: 'LIMIT', quantity: 0.01, price: 60_000, timeInForce: 'GTC' } as const;

const WRITERS: Readonly<Record<string, Writer>> = {
  '@binance/connector': {
    make: (baseURL) => new Connector('key', 'secret', { baseURL }),
    send: (sdk) => call(sdk, 'signRequest', 'POST', SOR, { ...ORDER }),
  },
  binance: {
    make: (baseUrl) => new MainClient({ api_key: 'key', api_secret: 'secret', baseUrl }),
    send: (sdk) => (sdk as MainClient).submitNewSOROrder({ ...ORDER } as never),
  },
  '@binance/spot': {
    // With the SDK's own retries on, which are then switched off.
    make: (basePath) => new Spot({ configurationRestAPI: { apiKey: 'key', apiSecret: 'secret', basePath, backoff: 1 } }),
    send: (sdk) => (sdk as Spot).restAPI.sorOrder({ ...ORDER } as never),
  },
  'binance-api-node': {
    make: (httpBase) => ApiNode({ httpBase, apiKey: 'key', apiSecret: 'secret' }),
    send: (sdk) => call(sdk, 'privateRequest', 'POST', SOR, { ...ORDER }),
  },
};

function call(sdk: object, method: string, ...args: unknown[]): Promise<unknown> {
  return (sdk as ConnectorClient & Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...args);
}

for (const [name, { make, send }] of Object.entries(WRITERS)) {
  describe.concurrent(`resilient(${name}): a write that the order path does not know`, () => {
    const outcome = async (answering: Answering) => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      await using venue = await givenVenue(answering);
      // Only what is never answered is waited for until then.
      const timeoutMs = answering === 'silent' ? 300 : 60_000;
      const sdk = resilient(make(venue.url), { policy: { timeoutMs, deadlineMs: 120_000, retry: { max: 3, baseMs: 1, capMs: 1 } } });
      try {
        if (answering === '429, then well') await send(sdk);
        const error = answering === '429, then well' ? undefined : await caught(send(sdk));
        for (const request of venue.seen) expect(request).toBe(`POST ${SOR}`);
        return { sent: venue.seen.length, facts: factsOf(error) };
      } finally {
        await release(sdk);
      }
    };

    it.each(['reset', 'silent', '503'] as const)('is sent once where the outcome is open, and says so (%s)', async (answering) => {
      expect(await outcome(answering)).toMatchObject({ sent: 1, facts: { sent: 'maybe' } });
    });

    it('is sent again after a refusal, which proves that nothing was done', async () => {
      expect(await outcome('429, then well')).toMatchObject({ sent: 2 });
    });

    it('is the venue’s to reject', async () => {
      expect(await outcome('rejected')).toMatchObject({ sent: 1, facts: { code: 'REJECTED', sent: 'yes' } });
    });
  });
}
