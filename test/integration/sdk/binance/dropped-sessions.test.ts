import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Spot } from '@binance/spot';
import { WebsocketAPIClient } from 'binance';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ready, release, resilient } from '../../../../src/sdk/binance/index.js';
import { type ServedVenue, serveBinance } from '../../../../src/testing/index.js';
import { binanceVenue, CAPABILITIES, caught, endAtOnce, type SpotConnection } from './given.js';

// The logger of @binance/spot writes every connection to the console.
vi.stubEnv('LOG_LEVEL', 'error');

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));
afterEach(() => void unhandled.splice(0));

/** The way to a venue, cut when so many pieces have come by: from the client, or from the venue. */
async function cutAt({ url }: ServedVenue, pieces: number, from: 'client' | 'venue', onCut: () => void) {
  let seen = 0;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [own, other, side] of [
      [near, far, 'client'],
      [far, near, 'venue'],
    ] as const) {
      open.add(own);
      own.on('error', () => {});
      own.on('close', () => {
        open.delete(own);
        other.destroy();
      });
      own.on('data', (data) => {
        if (side === from && seen++ === pieces) {
          near.destroy();
          onCut();
        } else other.write(data);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const ED25519 = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const LIMIT = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: 40_000, quantity: 0.01 } as const;
const OPTIONS = { capabilities: CAPABILITIES, policy: { timeoutMs: 400, deadlineMs: 1_000 } };
const silent = { trace() {}, info() {}, error() {} };
const now = (params: object): never => ({ ...params, timestamp: Date.now() }) as never;

/** Some of the SDKs wait for a connection for as long as it takes. */
const soonOrNot = (call: Promise<unknown>): Promise<unknown> => Promise.race([call, new Promise((resolve) => setTimeout(resolve, 1_000))]);

interface Life {
  readonly sdk: object;
  /** What a bot does, each of which may fail. */
  readonly steps: readonly (() => unknown)[];
  end(): void;
}

const LIVES: Readonly<Record<string, (served: ServedVenue, wsUrl: string) => Life>> = {
  'WebsocketAPIClient of binance': ({ credentials }, wsUrl) => sieblyLife(wsUrl, credentials.apiKey, credentials.secret),
  'WebsocketAPIClient of binance that logs on': ({ credentials }, wsUrl) => sieblyLife(wsUrl, credentials.apiKey, ED25519.privateKey),
  '@binance/spot': ({ url, credentials }, wsUrl) => {
    const keys = { apiKey: credentials.apiKey, apiSecret: credentials.secret, timeout: 500 };
    const configurationRestAPI = { ...keys, basePath: url, retries: 0 };
    const sdk = resilient(new Spot({ configurationRestAPI, configurationWebsocketAPI: { ...keys, wsURL: `${wsUrl}/ws-api/v3` } }), OPTIONS);
    let socket: SpotConnection | undefined;
    return {
      sdk,
      steps: [
        async () => (socket = await sdk.websocketAPI.connect()),
        () => socket?.userDataStreamSubscribeSignature(),
        () => socket?.orderPlace(LIMIT as never),
      ],
      end: () => socket !== undefined && endAtOnce(socket),
    };
  },
};

function sieblyLife(wsUrl: string, apiKey: string, secret: string) {
  const sdk = resilient(new WebsocketAPIClient({ api_key: apiKey, api_secret: secret, wsUrl, attachEventListeners: false }, silent), OPTIONS);
  return {
    sdk,
    steps: [() => soonOrNot(sdk.subscribeUserDataStream('mainWSAPI')), () => sdk.submitNewSpotOrder(now(LIMIT))],
    end: () => sdk.getWSClient().closeAll(true),
  };
}

/** @param isLeft - whether the bot itself ends the connection at that moment */
async function live(name: string, pieces: number, from: 'client' | 'venue', isLeft: boolean): Promise<void> {
  const served = await serveBinance(binanceVenue({ visibilityLagMs: 0 }), name.endsWith('logs on') ? { publicKey: ED25519.publicKey } : {});
  let onCut = (): void => {};
  await using way = await cutAt(served, pieces, from, () => onCut());
  const { sdk, steps, end } = LIVES[name]!(served, way.wsUrl);
  if (isLeft) onCut = end;
  for (const step of [() => ready(sdk), ...steps]) await (async () => step())().catch(() => {});
  await release(sdk);
  end();
  await served.close();
}

describe('a session that drops', () => {
  it('leaves no rejection to nobody, whenever that is: while it opens, logs on, or has something under way', async () => {
    const lives = Object.keys(LIVES).flatMap((name) =>
      // @binance/spot throws where nobody can catch it if its first connection does not open, and binance-api-node if one takes four seconds: both raw, too.
      [0, 1, 2, 3]
        .slice(name === '@binance/spot' ? 1 : 0)
        .flatMap((pieces) => (['client', 'venue'] as const).flatMap((from) => [live(name, pieces, from, false), live(name, pieces, from, true)])),
    );
    await Promise.all(lives);
    await setImmediate();
    expect(unhandled).toEqual([]);
  });

  it('regression: a request of binance’s client that could not be sent was rejected to nobody when the connection was ended ("disconnected")', async () => {
    const served = await serveBinance(binanceVenue({ visibilityLagMs: 0 }));
    const { sdk: api, end } = sieblyLife(served.wsUrl, served.credentials.apiKey, served.credentials.secret);
    await ready(api, { deadlineMs: 30_000 });
    const client = api.getWSClient();
    const send = client.tryWsSend.bind(client);
    client.tryWsSend = (key, message, ...rest) => {
      if (message.includes('order.place')) throw new Error('WebSocket is not open: readyState 0 (CONNECTING)');
      send(key, message, ...rest);
    };
    await caught(api.submitNewSpotOrder(now(LIMIT)));
    await release(api);
    const closed = new Promise((resolve) => client.on('close', resolve));
    end();
    await closed;
    await setImmediate();
    await served.close();
    expect(unhandled).toEqual([]);
  });
});
