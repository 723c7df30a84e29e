import type { KitTuning, PoolTuning } from '../../../src/contracts/kit-tuning.js';
import { ConnectionPool } from '../../../src/pool/index.js';
import { type Desk, logNormal, meanOf, type Planted, plantedRun, poisson } from './desk.js';

const POOL = 'sessions';

interface Seen {
  readonly waits: number[];
  readonly sizes: number[];
  opened: number;
  reused: number;
}

/** Callers that hold a connection for a while; `come` says when they come. */
function pool(
  id: string,
  flaw: string,
  options: { readonly flawed: PoolTuning; readonly sound: PoolTuning },
  come: (desk: Desk, call: (heldMs: number) => void) => Promise<void>,
  metric: (seen: Seen, seconds: number) => number,
): Planted {
  const tuned = (pools: PoolTuning): KitTuning => ({ pools: { [POOL]: pools } });
  return {
    id,
    flaw,
    flawed: tuned(options.flawed),
    sound: tuned(options.sound),
    run: ({ seed, tuning }) =>
      plantedRun(
        { seed, tuning },
        () => ({}),
        async (desk) => {
          const { clock, kit, random } = desk;
          const seen: Seen = { waits: [], sizes: [], opened: 0, reused: 0 };
          const sessions = new ConnectionPool<{ used: boolean }>({
            ...kit.tuning.pools?.[POOL],
            name: POOL,
            bus: kit.bus,
            clock,
            random,
            create: async () => {
              await clock.sleep(logNormal(random, 40, 0.2));
              seen.opened++;
              return { used: false };
            },
          });
          const call = (heldMs: number): void => {
            const at = clock.monotonic();
            void sessions.use(async (session) => {
              seen.waits.push(clock.monotonic() - at);
              if (session.used) seen.reused++;
              session.used = true;
              await clock.sleep(heldMs);
            });
          };
          let watch: Disposable;
          const look = (): void => {
            seen.sizes.push(sessions.stats().size);
            watch = clock.schedule(1_000, look);
          };
          look();
          const began = clock.monotonic();
          await come(desk, call);
          watch![Symbol.dispose]();
          const seconds = (clock.monotonic() - began) / 1_000;
          await clock.advance(5_000);
          await desk.driven(sessions.close());
          return () => metric(seen, seconds);
        },
      ),
  };
}

const steady =
  (perSecond: number): Parameters<typeof pool>[3] =>
  (desk, call) =>
    poisson(desk, perSecond, 180, () => call(logNormal(desk.random, 90, 0.5)));

export const PLANTED_IN_POOLS: readonly Planted[] = [
  pool(
    'pool-too-small',
    'five connections for callers that need 4.3 at a time on average',
    { flawed: { max: 5 }, sound: { max: 14 } },
    steady(42),
    ({ waits }) => meanOf(waits),
  ),
  pool(
    'pool-too-large',
    'a start opens forty connections, of which two are needed afterwards',
    { flawed: { max: 50 }, sound: { max: 8 } },
    async (desk, call) => {
      for (let i = 0; i < 40; i++) call(300);
      await steady(20)(desk, call);
    },
    ({ sizes }) => meanOf(sizes),
  ),
  pool(
    'pool-reuse-below-target',
    'bursts every four seconds or so, between which connections are closed for being idle after one',
    { flawed: { max: 20, idleTimeoutMs: 1_000 }, sound: { max: 20, idleTimeoutMs: 120_000 } },
    async (desk, call) => {
      for (let burst = 0; burst < 60; burst++) {
        for (let i = 0; i < 8; i++) call(logNormal(desk.random, 200, 0.3));
        await desk.clock.advance(2_500 + 3_000 * desk.random());
      }
    },
    ({ reused, waits }) => reused / waits.length,
  ),
  pool(
    'pool-connection-churn',
    'connections that are replaced every three seconds',
    { flawed: { max: 14, maxLifetimeMs: 3_000 }, sound: { max: 14, maxLifetimeMs: 900_000 } },
    steady(30),
    ({ opened }, seconds) => opened / (seconds / 60),
  ),
];
