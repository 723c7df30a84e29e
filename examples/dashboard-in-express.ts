import type { AddressInfo } from 'node:net';
import express from 'express';
import { createDashboard } from 'venuekit/dashboard';
import { MemoryMetricStore, MetricsRegistry } from 'venuekit/metrics';

/** The dashboard at /desk of an Express server; the token guards it wherever it is mounted. */
const store = new MemoryMetricStore();
await using registry = new MetricsRegistry();
using _collecting = registry.collect(store);
await using dashboard = createDashboard({ store, title: 'Desk in Express' });

const app = express();
app.use('/desk', dashboard.nodeHandler);
const server = app.listen(0, '127.0.0.1');
await new Promise((listening) => server.once('listening', listening));

const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/desk/?token=${dashboard.token}`;
console.log(`The dashboard would be open at ${url.replace(dashboard.token, '…')}`);
console.log(`with the token ${(await fetch(url)).status}, without ${(await fetch(url.split('?')[0]!)).status}`);
server.close();
server.closeAllConnections();
