import { systemClock } from '../../core/clock.js';
import { type Check, figure } from '../check.js';

const MOST_MS = 1_000;
const TRIES = 3;

/** The host's clock and the venue's agree. */
export const clockOffset: Check = {
  id: 'production.clock-offset',
  category: 'production',
  critical: false,
  leftOut: ({ options }) => (options.broker?.serverTime === undefined ? 'the venue does not tell its time' : undefined),
  async run({ host, live }) {
    const { kit, options } = host;
    const clock = options.clock ?? systemClock;
    let best = { offsetMs: Infinity, tripMs: Infinity };
    for (let i = 0; i < TRIES; i++) {
      const before = clock.now();
      const told = await live(kit.trading!.read('serverTime', (attempt) => options.broker!.serverTime!(attempt)));
      const after = clock.now();
      // The shortest trip says it most exactly.
      if (after - before < best.tripMs) best = { offsetMs: told - (before + after) / 2, tripMs: after - before };
    }
    const fenceMs = options.broker!.capabilities.fence?.defaultMs;
    const most = Math.min(MOST_MS, fenceMs === undefined ? Infinity : fenceMs / 2);
    return {
      passed: Math.abs(best.offsetMs) <= most,
      measured: `${figure(best.offsetMs)} ms, ± ${figure(best.tripMs / 2)} ms`,
      required: `at most ${most} ms`,
      why: "The venue's time, as its server told it, against the kit's clock in the middle of the request; half of the fence must remain for the way.",
    };
  },
};
