import { TraceRecorder } from '../../../src/analyzer/index.js';
import type { Trace } from '../../../src/analyzer/trace/trace.js';
import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import type { KitTuning } from '../../../src/contracts/kit-tuning.js';
import type { MarketDataAdapter } from '../../../src/contracts/market-data.js';
import type { MetricStore } from '../../../src/contracts/metric-store.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../../src/core/random.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { traceOptions } from '../../../src/kit/trace-options.js';
import type { VenueKit, VenueKitOptions } from '../../../src/kit/venue-kit.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { VirtualTimeStore } from '../virtual-time-store.js';

/** What a run left behind, and what its own driver saw of the metric that is to move. */
export interface PlantedRun {
  readonly store: MetricStore;
  readonly trace: Trace;
  readonly from: number;
  readonly to: number;
  readonly metric: number;
}

/** A flaw on purpose: the run that has it, and the run that has not. */
export interface Planted {
  /** Of the detector that must find it. */
  readonly id: string;
  readonly flaw: string;
  /** The options of the run with the flaw, and of the one without. */
  readonly flawed: KitTuning;
  readonly sound: KitTuning;
  run(options: { readonly seed: number; readonly tuning: KitTuning; readonly isFlawed: boolean }): Promise<PlantedRun>;
}

export interface Desk {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly kit: VenueKit;
  /** Lets virtual time pass until `work` is over. */
  driven<T>(work: Promise<T>): Promise<T>;
}

/** A kit in virtual time, its metrics and its trace, around what `drive` does; `drive` gives the metric. */
export async function plantedRun(
  { seed, tuning, kit: options }: { readonly seed: number; readonly tuning: KitTuning; readonly kit?: Partial<VenueKitOptions> },
  parts: (wiring: { readonly clock: ManualClock; readonly random: Random }) => {
    readonly broker?: BrokerAdapter;
    readonly marketData?: MarketDataAdapter;
  },
  drive: (desk: Desk) => Promise<() => number>,
): Promise<PlantedRun> {
  const clock = new ManualClock();
  const random = seededRandom(seed);
  const { broker, marketData } = parts({ clock, random });
  const store = new VirtualTimeStore(new MemoryMetricStore());
  const given = { ...(broker === undefined ? {} : { broker }), ...(marketData === undefined ? {} : { marketData }) };
  const kit = await createVenueKit({ clock, random: seededRandom(seed + 1), store, tuning, rules: [], ...given, ...options });
  const { path: _, ...told } = traceOptions({ path: 'unused' }, { broker, marketData, tuning: kit.tuning });
  const recorder = new TraceRecorder({ bus: kit.bus, clock, ...told });
  const driven = <T>(work: Promise<T>): Promise<T> => drivenBy(clock, work);
  await driven(kit.start());
  const from = clock.now();
  const metric = await drive({ clock, random, kit, driven });
  const to = clock.now();
  const trace = recorder.trace();
  await driven(recorder.close());
  await driven(kit.close());
  return { store, trace, from, to, metric: metric() };
}

async function drivenBy<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) await clock.advance(10);
  return over;
}

/** Calls `arrive` at the points of a Poisson process, for `seconds`. */
export async function poisson({ clock, random }: Desk, perSecond: number, seconds: number, arrive: () => void): Promise<void> {
  const end = clock.monotonic() + seconds * 1_000;
  const next = (): void => {
    const inMs = (-Math.log(1 - random()) / perSecond) * 1_000;
    if (clock.monotonic() + inMs >= end) return;
    clock.schedule(inMs, () => {
      arrive();
      next();
    });
  };
  next();
  await clock.advance(seconds * 1_000);
}

/** Times with this median, and this standard deviation of their logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function quantileOf(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * ((sorted[Math.floor(at) + 1] ?? low) - low);
}
