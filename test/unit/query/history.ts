import type { MetricStore, MetricTick, SeriesKey } from '../../../src/contracts/metric-store.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';

/** A series and its value at each tick; undefined where the tick does not have it. */
export interface GivenSeries {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly values: readonly (number | undefined)[];
}

/** Divisible by all usual steps, so that instants are easy to name. */
export const START = 1_700_006_400_000;

/** Ticks of an interval from {@link START} on. */
export function ticksOf(series: readonly GivenSeries[], intervalMs = 1_000): readonly MetricTick[] {
  const length = Math.max(...series.map(({ values }) => values.length));
  const ticks: MetricTick[] = [];
  for (let i = 0; i < length; i++) {
    const there = series.filter(({ values }) => values[i] !== undefined);
    if (there.length === 0) continue;
    const keys: SeriesKey[] = there.map(({ name, labels = {} }) => ({ name, labels }));
    ticks.push({ t: START + i * intervalMs, series: keys, values: Float64Array.from(there, ({ values }) => values[i] as number) });
  }
  return ticks;
}

export async function storeOf(ticks: readonly MetricTick[]): Promise<MetricStore> {
  const store = new MemoryMetricStore();
  for (const tick of ticks) await store.append(tick);
  return store;
}

/** `[0, 1, 2, …]` through `value`. */
export function each(length: number, value: (i: number) => number | undefined): readonly (number | undefined)[] {
  return Array.from({ length }, (_, i) => value(i));
}
