import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { createDashboard } from 'venuekit/dashboard';
import { MemoryMetricStore, MetricsRegistry } from 'venuekit/metrics';

/** The dashboard at /desk/ of a Fastify server: Fastify hands the request over whole. */
const store = new MemoryMetricStore();
await using registry = new MetricsRegistry();
using _collecting = registry.collect(store);
await using dashboard = createDashboard({ store, title: 'Desk in Fastify' });

const app = fastify();
app.all('/desk/*', (request, reply) => {
  reply.hijack();
  dashboard.nodeHandler(request.raw, reply.raw);
});
await app.listen({ port: 0, host: '127.0.0.1' });

const { port } = app.server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/desk/?token=${dashboard.token}`;
console.log(`The dashboard would be open at ${url.replace(dashboard.token, '…')}`);
console.log(`with the token ${(await fetch(url)).status}, without ${(await fetch(url.split('?')[0]!)).status}`);
await app.close();
