import type { BrokerAdapter, LimitObservation } from '../../../src/contracts/broker.js';
import type { KitTuning } from '../../../src/contracts/kit-tuning.js';
import type { TradingPolicy } from '../../../src/contracts/trading-policy.js';
import type { Random } from '../../../src/core/random.js';
import { simulatedBroker } from '../../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../../src/testing/simulated-venue.js';
import { logNormal, meanOf, type Planted, plantedRun, poisson, quantileOf } from './desk.js';

interface Attempted {
  readonly ms: number;
  readonly ok: boolean;
}

interface Seen {
  readonly took: number[];
  sent: number;
  failed: number;
}

const SECONDS = 240;
const PER_SECOND = 25;
const FAILURE = new Error('the venue failed');

/** Reads through a kit's trading client, of a venue that answers as `attempt` says. */
function reads(
  id: string,
  flaw: string,
  options: { readonly flawed: TradingPolicy; readonly sound: TradingPolicy },
  attempt: (random: Random, second: number, isFlawed: boolean) => Attempted,
  metric: (seen: Seen) => number,
): Planted {
  const tuned = (policy: TradingPolicy): KitTuning => ({ policy });
  return {
    id,
    flaw,
    flawed: tuned(options.flawed),
    sound: tuned(options.sound),
    run: ({ seed, tuning, isFlawed }) =>
      plantedRun(
        { seed, tuning },
        ({ clock, random }) => ({
          broker: simulatedBroker(new SimulatedVenue({ clock, random, seed, limits: [], latency: { p50Ms: 5, p99Ms: 10 } })),
        }),
        async (desk) => {
          const { clock, kit, random } = desk;
          const seen: Seen = { took: [], sent: 0, failed: 0 };
          const began = clock.monotonic();
          await poisson(desk, PER_SECOND, SECONDS, () => {
            const at = clock.monotonic();
            const read = kit.trading!.read('balance', async ({ signal }) => {
              seen.sent++;
              const { ms, ok } = attempt(random, (clock.monotonic() - began) / 1_000, isFlawed);
              try {
                await clock.sleep(ms, signal);
                if (!ok) throw FAILURE;
              } catch (error) {
                if (error === FAILURE || (error as Error).name !== 'AbortError') seen.failed++;
                throw error;
              }
            });
            void read.catch(() => {}).finally(() => seen.took.push(clock.monotonic() - at));
          });
          await clock.advance(40_000);
          return () => metric(seen);
        },
      ),
  };
}

const UNHEDGED = { hedge: false } as const;

export const PLANTED_IN_READS: readonly Planted[] = [
  reads(
    'hedging-worth-it',
    'three reads in a hundred take twenty times as long as the others, and none is sent twice',
    { flawed: UNHEDGED, sound: UNHEDGED },
    (random, _, isFlawed) => ({ ms: logNormal(random, isFlawed && random() < 0.03 ? 800 : 40, 0.25), ok: true }),
    ({ took }) => quantileOf(took, 0.99),
  ),
  reads(
    'timeout-too-long',
    'one attempt in a hundred is never answered, and is waited for ten seconds',
    { flawed: { ...UNHEDGED, timeoutMs: 10_000 }, sound: { ...UNHEDGED, timeoutMs: 300 } },
    (random) => ({ ms: random() < 0.008 ? 3_600_000 : logNormal(random, 40, 0.3), ok: true }),
    ({ took }) => meanOf(took),
  ),
  reads(
    'timeout-too-short',
    'answers take up to half a second, and are waited for 200 ms',
    { flawed: { ...UNHEDGED, timeoutMs: 200 }, sound: { ...UNHEDGED, timeoutMs: 2_000 } },
    (random) => ({ ms: logNormal(random, 80, 0.6), ok: true }),
    ({ failed, sent }) => failed / sent,
  ),
  reads(
    'retry-amplification',
    '140 of 240 seconds in which 45 % of the attempts fail, and a budget that lets each be repeated',
    {
      flawed: { ...UNHEDGED, budget: { ratio: 1, minPerSecond: 50 }, breaker: { failureRate: 0.95, minCalls: 50, openMs: 1_000 } },
      sound: { ...UNHEDGED, budget: { ratio: 0.1, minPerSecond: 1 }, breaker: { failureRate: 0.95, minCalls: 50, openMs: 1_000 } },
    },
    (random, second) => ({ ms: logNormal(random, 40, 0.3), ok: second < 60 || second > 200 || random() >= 0.45 }),
    ({ sent, took }) => sent / took.length,
  ),
];

const WINDOW = { id: 'weight', scope: 'ip', kind: 'window', units: 100, perMs: 10_000 } as const;

/** A venue whose limit others spend, too, and that says so. */
export const LIMIT_SHARED: Planted = {
  id: 'limit-headroom',
  flaw: 'another process on the same address spends half of a limit, of which the kit keeps only a fifth back',
  flawed: { policy: { ...UNHEDGED, reserve: 0.2 } },
  sound: { policy: { ...UNHEDGED, reserve: 0.2 } },
  run: ({ seed, tuning, isFlawed }) => {
    const listeners = new Set<(seen: LimitObservation) => void>();
    return plantedRun(
      { seed, tuning },
      ({ clock, random }) => {
        const broker = simulatedBroker(new SimulatedVenue({ clock, random, seed, limits: [], latency: { p50Ms: 5, p99Ms: 10 } }));
        return { broker: watched(broker, listeners) };
      },
      async (desk) => {
        const { clock, kit, random } = desk;
        const others = isFlawed ? 50 : 5;
        const counted: number[] = [];
        let [sent, refused] = [0, 0];
        const read = (): Promise<unknown> =>
          kit.trading!.read('balance', async () => {
            sent++;
            const now = clock.monotonic();
            while (counted.length > 0 && counted[0]! <= now - WINDOW.perMs) counted.shift();
            const used = counted.length + others;
            const isRefused = used + 1 > WINDOW.units;
            if (!isRefused) counted.push(now);
            await clock.sleep(logNormal(random, 20, 0.3));
            for (const listener of listeners)
              listener({
                limit: WINDOW.id,
                used: used + (isRefused ? 0 : 1),
                remaining: WINDOW.units - used,
                ...(isRefused ? { blockedUntil: clock.now() + 200 } : {}),
              });
            if (!isRefused) return;
            refused++;
            throw Object.assign(new Error('too many requests'), { retryable: false });
          });
        // Bursts, as when a strategy looks at all its symbols.
        for (let burst = 0; burst < 25; burst++) {
          for (let i = 0; i < 55; i++) void read().catch(() => {});
          await clock.advance(14_000 + 4_000 * random());
        }
        await clock.advance(40_000);
        return () => refused / sent;
      },
    );
  },
};

function watched(broker: ReturnType<typeof simulatedBroker>, listeners: Set<(seen: LimitObservation) => void>): BrokerAdapter {
  return new Proxy(broker, {
    get: (target, name) => {
      if (name === 'limits') return [WINDOW];
      if (name === 'cost') return () => [{ limit: WINDOW.id, units: 1 }];
      if (name === 'observe')
        return (listener: (seen: LimitObservation) => void) => {
          listeners.add(listener);
          return { [Symbol.dispose]: () => void listeners.delete(listener) };
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
