import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { webhookNotifier } from '../../alerts/index.js';
import type { OrderJournal } from '../../contracts/journal.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import type { VenueKitOptions } from '../../kit/venue-kit.js';
import { MemoryOrderJournal } from '../../stores/memory/memory-order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../testing/index.js';

/**
 * Options of a kit that can be tried from here: the host's, with a folder of its own, so that no
 * journal of a bot that runs is touched; or, where there are none, those of a kit over the simulated venue.
 */
export async function ownHost(given: VenueKitOptions | undefined, folder: string): Promise<AsyncDisposable & { readonly options: VenueKitOptions }> {
  const dataDir = join(folder, 'data');
  const hasVenue = given?.broker !== undefined || given?.marketData !== undefined;
  if (given !== undefined && hasVenue) {
    // Reads only, and an empty journal: there is nothing to resolve, so nothing is sent.
    const { dataDir: kept, trace: _, journal, store, ...rest } = given;
    return {
      options: {
        ...rest,
        ...(kept === undefined ? {} : { dataDir }),
        ...(journal === undefined ? {} : { journal: standIn(journal) }),
        ...(store === undefined ? {} : { store: readOnly(store) }),
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const venue = new SimulatedVenue({
    fence: { maxMs: 60_000, defaultMs: 2_000 },
    visibilityLagMs: 400,
    limits: [
      { id: 'weight', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
      { id: 'orders', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
    ],
  });
  const adapter = simulatedBroker(venue);
  const receiver = await webhookReceiver();
  return {
    options: {
      broker: adapter,
      marketData: adapter,
      dataDir,
      notifiers: [webhookNotifier({ url: receiver.url })],
      ...given,
    },
    [Symbol.asyncDispose]: receiver.close,
  };
}

/** An empty journal in the place of the host's, which a bot may be writing; of its file only the name is told. */
function standIn({ path }: OrderJournal): OrderJournal {
  const empty = new MemoryOrderJournal();
  return path === undefined ? empty : Object.assign(empty, { path });
}

/** The host's store, to which nothing is written. */
function readOnly(store: MetricStore): MetricStore {
  return {
    ...(store.path === undefined ? {} : { path: store.path }),
    ...(store.retention === undefined ? {} : { retention: store.retention }),
    append: async () => {},
    retain: async () => ({ freedBytes: 0 }),
    query: (query, signal) => store.query(query, signal),
    ...(store.series === undefined ? {} : { series: (signal) => store.series!(signal) }),
    stats: () => store.stats(),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Takes what a webhook tells, on this machine. */
async function webhookReceiver(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
