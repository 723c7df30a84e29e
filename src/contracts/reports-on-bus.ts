import type { Bus } from './events.js';

/** An adapter that holds something worth watching, such as a pool of sessions, and may be built before there is a bus. */
export interface ReportsOnBus {
  /** Reports on `bus` what it opens from now on; where it was built with a bus, that one stays. */
  reportTo(bus: Bus): void;
}

export function reportsOnBus(adapter: object): adapter is ReportsOnBus {
  return typeof (adapter as Partial<ReportsOnBus>).reportTo === 'function';
}
