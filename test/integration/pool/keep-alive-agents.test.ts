import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { keepAliveAgents } from '../../../src/pool/index.js';

const servers: http.Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function givenAServer(): Promise<{ port: number; sockets: () => number }> {
  let sockets = 0;
  const server = http.createServer((_request, response) => response.end('pong'));
  server.on('connection', () => sockets++);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, sockets: () => sockets };
}

function get(port: number, agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, agent }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () => resolve(body));
      })
      .on('error', reject);
  });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('keepAliveAgents', () => {
  it('keeps the connection, and reports that it was reused', async () => {
    const { port, sockets } = await givenAServer();
    const bus = new EventBus();
    const acquired: { pool: string; reused: boolean }[] = [];
    bus.on('pool.acquired', (event) => acquired.push(event));
    const agents = keepAliveAgents({ name: 'binance', bus });
    for (let i = 0; i < 3; i++) {
      expect(await get(port, agents.httpAgent)).toBe('pong');
      await settle();
    }
    expect(sockets()).toBe(1);
    expect(acquired.map(({ pool, reused }) => [pool, reused])).toEqual([
      ['binance', false],
      ['binance', true],
      ['binance', true],
    ]);
    expect(agents.stats()).toMatchObject({ requests: 3, reused: 2, socketsOpened: 1, sockets: 1, inUse: 0, waiting: 0 });
    expect(agents.stats().reuseRatio).toBeCloseTo(2 / 3);
    agents.close();
  });

  it('opens no more than maxSockets, and counts a socket handed to a waiting request as reused', async () => {
    const { port, sockets } = await givenAServer();
    const bus = new EventBus();
    const states: { max: number; inUse: number; waiting: number }[] = [];
    bus.on('pool.state', (state) => states.push(state));
    const agents = keepAliveAgents({ bus, maxSockets: 2 });
    await Promise.all(Array.from({ length: 10 }, () => get(port, agents.httpAgent)));
    expect(sockets()).toBe(2);
    expect(agents.stats()).toMatchObject({ requests: 10, reused: 8, reuseRatio: 0.8, socketsOpened: 2 });
    expect(states.some((state) => state.waiting > 0)).toBe(true);
    expect(states.every((state) => state.max === 2 && state.inUse <= 2)).toBe(true);
    agents[Symbol.dispose]();
    await expect.poll(() => agents.stats()).toMatchObject({ sockets: 0, inUse: 0 });
  });

  it('fetches with standard requests and responses: method, body, headers, status, and bodies that are not read', async () => {
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        if (request.url === '/gone') response.writeHead(204).end();
        else if (request.url === '/moved') response.writeHead(302, { location: '/echo' }).end();
        else {
          response.setHeader('x-seen', [request.method, request.headers['x-key'], request.headers['content-length']].join(' '));
          response.writeHead(418, { 'set-cookie': ['a=1', 'b=2'] }).end(body.toUpperCase());
        }
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    using agents = keepAliveAgents();
    const answer = await agents.fetch(`${origin}/echo`, { method: 'POST', body: 'größe', headers: { 'x-key': 'k' } });
    expect([answer.ok, answer.status, answer.headers.get('x-seen'), answer.headers.getSetCookie()]).toEqual([false, 418, 'POST k 7', ['a=1', 'b=2']]);
    expect(await answer.text()).toBe('GRÖSSE');
    expect((await agents.fetch(new Request(`${origin}/gone`))).status).toBe(204);
    expect((await agents.fetch(`${origin}/moved`)).headers.get('location')).toBe('/echo');
    await expect(agents.fetch(`${origin}/moved`, { redirect: 'error' })).rejects.toThrow('answered with a redirect');
    await expect(agents.fetch('ftp://127.0.0.1/')).rejects.toThrow('http: or https:');
    expect(agents.stats()).toMatchObject({ requests: 4, socketsOpened: expect.any(Number) as number, waiting: 0 });
  });

  it('fetches no longer than its signal allows, and rejects with the reason', async () => {
    const server = http.createServer(() => {});
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    using agents = keepAliveAgents();
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const waiting = agents.fetch(url, { signal: controller.signal });
    server.once('request', () => controller.abort(reason));
    await expect(waiting).rejects.toBe(reason);
    await expect(agents.fetch(url, { signal: controller.signal })).rejects.toBe(reason);
    await expect(agents.fetch('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('refuses options that can not be meant', () => {
    expect(() => keepAliveAgents({ maxSockets: 0 })).toThrow(/maxSockets must be a whole number of 1 or more, got 0/);
    expect(() => keepAliveAgents({ maxSocket: 1 } as object)).toThrow(/no option "maxSocket"; did you mean "maxSockets"/);
  });
});
