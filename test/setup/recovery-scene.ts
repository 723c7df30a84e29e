import { EventBus, type VenueKitEvents } from '../../src/contracts/events.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { StreamRecovery } from '../../src/sdk/shared/streams/stream-recovery.js';

/** What recovers the streams of one SDK object in virtual time, and what it has said on the bus. */
export function recoveryScene(venue: string, maxRows = 1_000) {
  const clock = new ManualClock();
  const bus = new EventBus<VenueKitEvents>();
  const recoveries: string[] = [];
  const states: string[] = [];
  bus.on('stream.recovered', ({ channel, symbol, rows, isWhole }) => recoveries.push(`${channel} ${symbol} ${rows} ${isWhole}`));
  bus.on('stream.state', ({ state }) => states.push(state));
  const quiet = (): void => {};
  const session = { bus, clock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } };
  const recovery = new StreamRecovery(venue, session, { maxAgeMs: 3_600_000, maxRows }, new AbortController().signal);
  return { clock, recovery, recoveries, states };
}
