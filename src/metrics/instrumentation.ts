import type { VenueKitEvents } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { MetricsFactory } from './metric-source.js';

/** What a group of standard metrics is made with. */
export interface Instrumentation {
  readonly metrics: MetricsFactory;
  readonly clock: Clock;
  on<K extends keyof VenueKitEvents>(event: K, listener: (payload: VenueKitEvents[K]) => void): void;
}
