import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createDashboard } from 'venuekit/dashboard';
import { MemoryMetricStore, MetricsRegistry } from 'venuekit/metrics';

/** The dashboard at /desk/ of a Hono app, by Request and Response; the same serves Bun and Deno. */
const store = new MemoryMetricStore();
await using registry = new MetricsRegistry();
using _collecting = registry.collect(store);
await using dashboard = createDashboard({ store, title: 'Desk in Hono' });

const app = new Hono();
app.all('/desk/*', (context) => dashboard.fetchHandler(context.req.raw));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
await new Promise((listening) => server.once('listening', listening));

const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/desk/?token=${dashboard.token}`;
console.log(`The dashboard would be open at ${url.replace(dashboard.token, '…')}`);
console.log(`with the token ${(await fetch(url)).status}, without ${(await fetch(url.split('?')[0]!)).status}`);
server.close();
