import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import { socketUrlsFor } from '../../../../src/sdk/binance/endpoints.js';
import { toAdapter } from '../../../../src/sdk/ccxt/index.js';

const KEYS = { apiKey: 'k3y', secret: 's3cret' };

describe('the WebSocket addresses of a ccxt binance', () => {
  it.each([
    ['https://api.binance.com/api/v3', 'wss://ws-api.binance.com:443/ws-api/v3', 'wss://stream.binance.com:9443/stream'],
    ['https://api3.binance.com/api/v3', 'wss://ws-api.binance.com:443/ws-api/v3', 'wss://stream.binance.com:9443/stream'],
    ['https://testnet.binance.vision/api/v3', 'wss://ws-api.testnet.binance.vision/ws-api/v3', 'wss://stream.testnet.binance.vision/stream'],
    ['https://demo-api.binance.com/api/v3', 'wss://demo-ws-api.binance.com/ws-api/v3', 'wss://demo-stream.binance.com/stream'],
  ])('of %s are its own', (rest, api, streams) => {
    expect(socketUrlsFor(rest)).toEqual({ api, streams });
  });

  it.each(['https://api.binance.us/api/v3', 'https://my-proxy.example/api.binance.com', 'http://127.0.0.1:8080/api/v3', 'no address'])(
    'of %s are not guessed',
    (rest) => {
      expect(socketUrlsFor(rest)).toBeUndefined();
    },
  );

  it('agree with those that ccxt.pro has', () => {
    const { public: rest } = new ccxt.binance(KEYS).urls.api as { public: string };
    const { ws } = new ccxt.pro.binance(KEYS).urls.api as unknown as { ws: { spot: string; 'ws-api': { spot: string } } };
    expect(socketUrlsFor(rest)).toEqual({ api: ws['ws-api'].spot, streams: ws.spot.replace(/\/ws$/, '/stream') });
  });
});

describe('an adapter', () => {
  it('follows and streams where there are addresses, and not where WebSockets are switched off', () => {
    expect(toAdapter(new ccxt.binance(KEYS)).events).toBeTypeOf('function');
    expect(toAdapter(new ccxt.pro.binance(KEYS)).stream).toBeTypeOf('function');
    const off = toAdapter(new ccxt.binance(KEYS), { webSocket: false });
    expect([off.events, off.stream]).toEqual([undefined, undefined]);
  });

  it('does not go past a proxy of ccxt’s, unless it is given a WebSocket that goes through it', () => {
    const said: object[] = [];
    const logger = { debug() {}, info: (facts: object) => void said.push(facts), warn() {}, error() {} };
    const sdk = new ccxt.binance({ ...KEYS, httpsProxy: 'http://proxy.example:3128' });
    expect(toAdapter(sdk, { logger }).events).toBeUndefined();
    expect(said).toEqual([{ option: 'httpsProxy' }]);
    class Through extends EventTarget {
      readonly readyState = 0;
      send() {}
      close() {}
    }
    expect(toAdapter(sdk, { webSocket: { WebSocket: Through as never } }).events).toBeTypeOf('function');
  });

  it('refuses options that it does not know, by name', () => {
    expect(() => toAdapter(new ccxt.binance(KEYS), { webSocket: { maxSession: 2 } as never })).toThrow(
      /no option "maxSession"; did you mean "maxSessions"/,
    );
    expect(() => toAdapter(new ccxt.binance(KEYS), { webSocket: { maxSessions: 0 } })).toThrow('webSocket.maxSessions');
  });
});
