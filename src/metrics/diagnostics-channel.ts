import type { Bus, VenueKitEvents } from '../contracts/events.js';
import { missingPeerError } from '../core/errors.js';

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

// One entry for every event there is: the compiler refuses a list with one missing.
const EVENTS: Readonly<Record<keyof VenueKitEvents, true>> = {
  'order.state': true,
  'order.fill': true,
  'order.unknown': true,
  'order.resolved': true,
  'order.escalated': true,
  'order.external': true,
  'order.conflict': true,
  'venue.call': true,
  'limit.observed': true,
  'breaker.state': true,
  'concurrency.state': true,
  'budget.exhausted': true,
  'stream.state': true,
  'stream.recovered': true,
  reconcile: true,
  'leader.state': true,
  halt: true,
  'journal.durability': true,
  'journal.append': true,
  'journal.volatile': true,
  'pool.created': true,
  'pool.destroyed': true,
  'pool.state': true,
  'pool.acquired': true,
  'pool.released': true,
  'pool.leak': true,
  'pool.create_failed': true,
  'cache.read': true,
  'cache.reads': true,
  'cache.kept': true,
  'cache.load': true,
  'cache.prefetch': true,
  'cache.prefetch_state': true,
  'cache.gap': true,
  'cache.skew': true,
  'feed.update': true,
  'fetch.state': true,
  'fetch.task': true,
  'fetch.stuck': true,
  'fetch.parse': true,
  'metrics.collect': true,
  alert: true,
  'alert.action': true,
  'alert.notification': true,
  'alert.evaluated': true,
  'alert.failed': true,
};

/**
 * Publishes every event of the bus on `node:diagnostics_channel`, as `venuekit:<event>`, until
 * disposed: for tracers that instrument a process without touching its code. A channel that nobody
 * reads costs one look; but modules then build the payloads of all their events.
 */
export function publishDiagnostics(bus: Bus): Disposable {
  const process = (globalThis as { readonly process?: { getBuiltinModule?(id: string): unknown } }).process;
  const channels = process?.getBuiltinModule?.('node:diagnostics_channel') as { channel(name: string): Channel } | undefined;
  if (channels === undefined) throw missingPeerError('node:diagnostics_channel', 'publishDiagnostics', 'Use Node 20.16 or later, Bun or Deno.');
  const subscriptions = (Object.keys(EVENTS) as (keyof VenueKitEvents)[]).map((event) => {
    const channel = channels.channel(`venuekit:${event}`);
    return bus.on(event, (payload) => {
      if (channel.hasSubscribers) channel.publish(payload);
    });
  });
  return {
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions.splice(0)) subscription[Symbol.dispose]();
    },
  };
}
