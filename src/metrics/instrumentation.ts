import type { VenueKitEvents } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { MetricsFactory } from './metric-source.js';

/** What a group of standard metrics is made with. */
export interface Instrumentation {
  readonly metrics: MetricsFactory;
  readonly clock: Clock;
  /** @param how - `quiet`: without asking for it. @defaultValue 'heard' */
  on<K extends keyof VenueKitEvents>(event: K, listener: (payload: VenueKitEvents[K]) => void, how?: 'heard' | 'quiet'): void;
  /** Has whoever counts by himself tell his counts: for what is about to be read. */
  askForCounts(): void;
}
