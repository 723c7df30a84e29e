import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDashboard } from 'venuekit/dashboard';
import { MemoryMetricStore, MetricsRegistry } from 'venuekit/metrics';

/** The dashboard on a server of node:http. */
const store = new MemoryMetricStore();
await using registry = new MetricsRegistry();
using _collecting = registry.collect(store);
await using dashboard = createDashboard({ store, title: 'Desk' });

const server = createServer(dashboard.nodeHandler);
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/?token=${dashboard.token}`;
console.log(`The dashboard would be open at ${url.replace(dashboard.token, '…')}`);
console.log(`with the token ${(await fetch(url)).status}, without ${(await fetch(url.split('?')[0]!)).status}`);
server.close();
server.closeAllConnections();
