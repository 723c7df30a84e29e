import type { Bus } from '../contracts/events.js';
import { type Clock, systemClock } from '../core/clock.js';
import { requireMethods } from '../core/options.js';
import type { Instrumentation } from './instrumentation.js';
import type { MetricsFactory } from './metric-source.js';
import { processMetrics } from './process-metrics.js';
import { alertMetrics } from './standard/alert-metrics.js';
import { cacheMetrics } from './standard/cache-metrics.js';
import { fetcherMetrics } from './standard/fetcher-metrics.js';
import { orderMetrics } from './standard/order-metrics.js';
import { poolMetrics } from './standard/pool-metrics.js';
import { venueMetrics } from './standard/venue-metrics.js';

/**
 * Keeps the standard metrics of every module up to date from what the modules say on the bus, until
 * disposed: orders, venue calls, limits, breakers, streams, journal, pools, cache, fetcher, alerts,
 * and this process. docs/reference/metrics.md lists them.
 *
 * Label values that are known beforehand are there from the start, at 0: an alert must see the first
 * failure as a rise.
 */
export function instrument(bus: Bus, registry: MetricsFactory, options: { readonly clock?: Clock } = {}): Disposable {
  requireMethods('bus', bus, ['on', 'emit']);
  requireMethods('registry', registry, ['counter', 'gauge', 'histogram']);
  const subscriptions: Disposable[] = [];
  const { clock = systemClock } = options;
  const to: Instrumentation = {
    metrics: registry,
    clock,
    on: (event, listener, how) => void subscriptions.push(bus.on(event, listener, how)),
    askForCounts: () => bus.emit('metrics.collect', { at: clock.now() }),
  };
  for (const group of [orderMetrics, venueMetrics, poolMetrics, cacheMetrics, fetcherMetrics, alertMetrics]) group(to);
  subscriptions.push(processMetrics(registry));
  return {
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions.splice(0)) subscription[Symbol.dispose]();
    },
  };
}
