import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import { Spot } from '@binance/spot';
import ccxt from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { instrument, MetricsRegistry } from '../../../src/metrics/index.js';
import { keepAliveAgents } from '../../../src/pool/index.js';
import { SimulatedVenue, serveAlpaca, serveBinance } from '../../../src/testing/index.js';

const REQUESTS = 5;

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanup.splice(0).reverse()) await one();
});

/** Agents as a host makes them, and what its metrics say of their reuse. */
function givenAgents(name: string, tls?: https.AgentOptions) {
  const bus = new EventBus();
  const registry = new MetricsRegistry();
  const instrumentation = instrument(bus, registry);
  const agents = keepAliveAgents({ name, bus, ...(tls === undefined ? {} : { tls }) });
  cleanup.push(
    () => instrumentation[Symbol.dispose](),
    () => agents.close(),
  );
  const acquired = (reused: boolean): number => {
    const series = `venuekit_pool_acquired_total{pool="${name}",reused="${reused}"} `;
    const line = registry
      .exposition()
      .split('\n')
      .find((each) => each.startsWith(series));
    return line === undefined ? 0 : Number(line.slice(series.length));
  };
  return { agents, acquired };
}

describe('keepAliveAgents in the SDKs that take them', () => {
  it('carry the requests of ccxt, whose reuse stands in the metrics', async () => {
    const served = await serveBinance(new SimulatedVenue({ seed: 1 }));
    cleanup.push(() => served.close());
    const { agents, acquired } = givenAgents('ccxt');
    const exchange = served.connect(new ccxt.binance({ enableRateLimit: false, fetchImplementation: agents.fetch }));
    for (let i = 0; i < REQUESTS; i++) expect(await exchange.fetchTime()).toBeGreaterThan(0);
    expect(agents.stats()).toMatchObject({ requests: REQUESTS, reused: REQUESTS - 1, socketsOpened: 1 });
    expect([acquired(false), acquired(true)]).toEqual([1, REQUESTS - 1]);
  });

  it("carry the requests of Alpaca's SDK as its fetchApi, orders and errors included", async () => {
    const venue = new SimulatedVenue({ clientIdUniqueness: 'forever', clientIdMaxLength: 128, fence: false, symbols: { AAPL: { price: 200 } } });
    const served = await serveAlpaca(venue);
    cleanup.push(() => served.close());
    const { agents, acquired } = givenAgents('alpaca');
    const alpaca = served.connect(new Alpaca({ keyId: 'any', secret: 'any', paper: true, fetchApi: agents.fetch }));
    for (let i = 0; i < REQUESTS; i++) expect(await alpaca.trading.account.getAccount()).toMatchObject({ status: 'ACTIVE' });
    await expect(alpaca.trading.orders.getOrderByOrderID({ orderId: '00000000-0000-4000-8000-000000000000' })).rejects.toThrow();
    expect(agents.stats()).toMatchObject({ socketsOpened: 1, inUse: 0 });
    expect(acquired(false)).toBe(1);
    expect(acquired(true)).toBeGreaterThanOrEqual(REQUESTS);
  });

  it("carry the requests of Binance's own SDK as its httpsAgent, over TLS", async () => {
    const tls = (file: string): string => readFileSync(`test/fixtures/tls/${file}`, 'utf8');
    const server = https.createServer({ key: tls('localhost-key.pem'), cert: tls('localhost-cert.pem') }, (request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(request.url === '/api/v3/time' ? '{"serverTime":1700000000000}' : '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { agents, acquired } = givenAgents('binance', { ca: tls('localhost-cert.pem') });
    const basePath = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const spot = new Spot({ configurationRestAPI: { apiKey: 'any', apiSecret: 'any', basePath, httpsAgent: agents.httpsAgent } });
    for (let i = 0; i < REQUESTS; i++) {
      const answer = await spot.restAPI.time();
      expect(await answer.data()).toMatchObject({ serverTime: 1_700_000_000_000 });
    }
    expect(agents.stats()).toMatchObject({ requests: REQUESTS, reused: REQUESTS - 1, socketsOpened: 1 });
    expect([acquired(false), acquired(true)]).toEqual([1, REQUESTS - 1]);
  });
});
