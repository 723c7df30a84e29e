import { EventBus, type VenueKitEvents } from '../../src/contracts/events.js';
import type { SimulatedVenue } from '../../src/testing/index.js';
import { JumpingClock } from './jumping-clock.js';

/** The clock and the bus of a bot that follows streams of a served venue: what the bus has said, and a market that jumps ahead while they are cut. */
export function interruptedStreams() {
  const clock = new JumpingClock();
  const bus = new EventBus<VenueKitEvents>();
  const recoveries: VenueKitEvents['stream.recovered'][] = [];
  const states: string[] = [];
  let wake = (): void => {};
  let onDown = (): void => {};
  bus.on('stream.recovered', (recovered) => {
    recoveries.push(recovered);
    wake();
  });
  bus.on('stream.state', ({ state }) => {
    states.push(state);
    if (state === 'down') onDown();
    wake();
  });
  return {
    clock,
    bus,
    recoveries,
    states,
    /** Something has come that `until` may wait for. */
    woken: (): void => wake(),
    until: async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    /** Cuts a connection, and lets the market go on for so long before the SDK can be back. */
    interrupt: (venue: SimulatedVenue, ms: number): void => {
      onDown = () => {
        onDown = () => {};
        clock.jump(ms);
      };
      venue.fault({ when: 'after', kind: 'stream_drop', operation: 'stream', times: 1 });
    },
  };
}
