import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import type { Dashboard } from '../../src/dashboard/index.js';
import { eventsOf, givenDashboard, TOKEN } from '../unit/dashboard/given-dashboard.js';
import { givenAlert, givenDesk } from '../workload/given-desk.js';

type Mounted = { readonly port: number; readonly path: string; close(): Promise<void> };

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
const closing = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** Each framework as a host mounts a dashboard in it. */
const frameworks: Readonly<Record<string, (dashboard: Dashboard) => Promise<Mounted>>> = {
  'node:http': async ({ nodeHandler }) => {
    const server = createServer(nodeHandler);
    return { port: await listening(server), path: '/', close: () => closing(server) };
  },
  Express: async ({ nodeHandler }) => {
    const app = express();
    app.use(express.json());
    app.use('/ops/desk', nodeHandler);
    const server = createServer(app);
    return { port: await listening(server), path: '/ops/desk/', close: () => closing(server) };
  },
  Fastify: async ({ nodeHandler }) => {
    const app = fastify();
    app.all('/ops/desk/*', (incoming, reply) => {
      reply.hijack();
      nodeHandler(incoming.raw, reply.raw);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return {
      port: (app.server.address() as AddressInfo).port,
      path: '/ops/desk/',
      close: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
  Hono: async ({ fetchHandler }) => {
    const app = new Hono();
    app.all('/ops/desk/*', (context) => fetchHandler(context.req.raw));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    await new Promise((resolve) => server.once('listening', resolve));
    return { port: (server.address() as AddressInfo).port, path: '/ops/desk/', close: () => closing(server) };
  },
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** The status of a request with a Host of its own, which fetch would not send. */
const statusUnder = (host: string, port: number, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe.each(Object.entries(frameworks))('a dashboard in %s', (_, mount) => {
  it('serves its page, its stream and its changes where it is mounted, to those who may', async () => {
    const desk = await givenDesk({ seconds: 60, from: Math.floor(Date.now() / 1_000) * 1_000 - 60_000 });
    open.push(desk);
    const silenced: unknown[] = [];
    const alerts = { instances: () => [givenAlert()], silence: (silence: unknown) => String(silenced.push(silence)) };
    const { dashboard } = givenDashboard({ store: desk.store, alerts });
    open.push(dashboard);
    const { port, path, close } = await mount(dashboard);
    open.push({ [Symbol.asyncDispose]: close });
    const base = `http://127.0.0.1:${port}${path}`;

    expect((await fetch(base)).status).toBe(401);
    expect(await statusUnder('evil.example', port, `${path}?token=${TOKEN}`)).toBe(421);
    const page = await fetch(`${base}?token=${TOKEN}`);
    expect(page.status).toBe(200);
    const cookie = page.headers.get('set-cookie')!.split(';')[0]!;
    expect(await page.text()).toContain('<figure data-chart="latency">');

    const stream = await fetch(`${base}events?range=60000`, { headers: { cookie } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(stream);
    const first = await events.next();
    expect(first.type).toBe('snapshot');
    expect(first.data.snapshot.charts.find(({ id }) => id === 'throughput')!.series.map(({ name }) => name)).toContain('place');
    expect((await events.next()).type).toBe('tick');
    await events.close();

    const silence = `${base}silence?fingerprint=f1`;
    expect((await fetch(silence, { method: 'POST', headers: { cookie } })).status).toBe(403);
    expect((await fetch(silence, { method: 'POST', headers: { cookie, origin: `http://127.0.0.1:${port}` } })).status).toBe(200);
    expect(silenced).toHaveLength(1);
  });
});

describe('a mount without its slash', () => {
  it('leads to the one with it, and keeps the query', async () => {
    const { dashboard } = givenDashboard();
    open.push(dashboard);
    const { port, close } = await frameworks.Express!(dashboard);
    open.push({ [Symbol.asyncDispose]: close });
    const response = await fetch(`http://127.0.0.1:${port}/ops/desk?token=${TOKEN}`);
    expect(response.status).toBe(200);
    expect(response.url).toBe(`http://127.0.0.1:${port}/ops/desk/?token=${TOKEN}`);
  });
});
