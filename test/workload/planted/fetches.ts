import type { KitTuning } from '../../../src/contracts/kit-tuning.js';
import { type Desk, logNormal, meanOf, type Planted, plantedRun, poisson, quantileOf } from './desk.js';

interface Run {
  readonly total: number[];
  fetch(): void;
}

function fetches(
  id: string,
  flaw: string,
  concurrency: readonly [flawed: number, sound: number],
  runMs: (desk: Desk, running: number) => number,
  come: (desk: Desk, run: Run) => Promise<void>,
): Planted {
  const tuned = (most: number): KitTuning => ({ fetcher: { concurrency: most } });
  return {
    id,
    flaw,
    flawed: tuned(concurrency[0]),
    sound: tuned(concurrency[1]),
    run: ({ seed, tuning }) =>
      plantedRun(
        { seed, tuning },
        () => ({}),
        async (desk) => {
          const { clock, kit } = desk;
          const total: number[] = [];
          let running = 0;
          const fetch = (): void => {
            const at = clock.monotonic();
            const task = kit.fetcher.run({
              input: undefined,
              run: async () => {
                running++;
                await clock.sleep(0);
                await clock.sleep(runMs(desk, running));
                running--;
              },
            });
            void task.then(() => total.push(clock.monotonic() - at));
          };
          await come(desk, { total, fetch });
          await desk.driven(kit.fetcher.drain());
          return () => meanOf(total);
        },
      ),
  };
}

/** A venue that is overwhelmed by more than eight at a time. */
const overwhelmed = ({ random }: Desk, running: number): number => logNormal(random, 15, 0.2) * (1 + (running / 8) ** 2);

const bursts = async (desk: Desk, { fetch }: Run): Promise<void> => {
  for (let burst = 0; burst < 60; burst++) {
    const size = Math.round(2 * 75 ** desk.random());
    for (let i = 0; i < size; i++) fetch();
    await desk.clock.advance(3_000 + 3_000 * desk.random());
  }
};

/** Parsing of megabytes, on the main thread where the fetcher has no worker. */
const PARSING: Planted = {
  id: 'parse-on-main-thread',
  flaw: 'megabytes of bars parsed on the main thread',
  flawed: { fetcher: { workers: 0 } },
  sound: { fetcher: { workers: 1 } },
  run: ({ seed, tuning }) =>
    plantedRun(
      { seed, tuning },
      () => ({}),
      async (desk) => {
        const { clock, kit, random } = desk;
        const busy: { readonly at: number; readonly ms: number }[] = [];
        await poisson(desk, 2, 180, () => {
          const bytes = Math.round(random() < 0.3 ? 20_000 : 500_000 + 3_000_000 * random());
          const ms = (bytes / 40_000_000) * 1_000;
          const thread = bytes >= 262_144 && kit.tuning.fetcher?.workers !== 0 ? 'worker' : 'main';
          if (thread === 'main') busy.push({ at: clock.monotonic(), ms });
          clock.schedule(ms, () => kit.bus.emit('fetch.parse', { bytes, ms, thread }));
        });
        await clock.advance(1_000);
        return () => quantileOf(timerDelays(busy, clock.monotonic()), 0.99);
      },
    ),
};

/** How late timers of 10 ms are. */
function timerDelays(busy: readonly { readonly at: number; readonly ms: number }[], endMs: number): readonly number[] {
  const delays: number[] = [];
  let freeAt = 0;
  let next = 0;
  for (let t = 0; t < endMs; t += 10) {
    for (; next < busy.length && busy[next]!.at <= t; next++) freeAt = Math.max(freeAt, busy[next]!.at) + busy[next]!.ms;
    delays.push(Math.max(0, freeAt - t));
  }
  return delays;
}

export const PLANTED_IN_FETCHES: readonly Planted[] = [
  fetches(
    'concurrency-too-low',
    'four tasks at a time where 3.5 run on average',
    [4, 12],
    ({ random }) => logNormal(random, 90, 0.5),
    (desk, { fetch }) => poisson(desk, 34, 180, fetch),
  ),
  fetches('concurrency-too-high', '48 at a time for a venue that eight overwhelm', [48, 8], overwhelmed, bursts),
  PARSING,
];
