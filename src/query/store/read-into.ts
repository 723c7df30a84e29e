import type { MetricStore } from '../../contracts/metric-store.js';
import { VenueKitError } from '../../core/errors.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';
import type { MetricWindow } from '../evaluation/metric-window.js';
import { readSamples } from './read-samples.js';

/** Reads what a window does not have yet of a time: all of it for a new one, else what is newer than what it has. */
export async function readInto(
  window: MetricWindow,
  store: MetricStore,
  { from, to, signal }: { readonly from: number; readonly to: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const start = Math.max(0, window.isFilled ? Math.max(window.coveredTo + 1, from) : from);
  if (start > to) return;
  const reading = { metric: window.metric, match: window.commonLabels, from: start, to };
  if (window.readsSamples) {
    for (const { labels, t, v } of await readSamples(store, reading, signal)) {
      const samples = window.seriesOf(labels)?.samples;
      samples?.prepend(t, v);
      samples?.extend(t, v);
    }
  }
  if (window.readsSketches) await readSketches(window, store, reading, signal);
  window.isFilled = true;
  window.coveredTo = Math.max(window.coveredTo, to);
}

async function readSketches(
  window: MetricWindow,
  store: MetricStore,
  reading: { readonly metric: string; readonly match: Readonly<Record<string, string>>; readonly from: number; readonly to: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { labels, t, sketches } of await store.query({ ...reading, sketches: true }, signal)) {
    if (sketches === undefined)
      throw new VenueKitError('NOT_SUPPORTED', `The distribution of ${reading.metric} was asked for, and this metric store gives no sketches.`);
    const times: number[] = [];
    const read: QuantileSketch[] = [];
    for (let i = 0; i < t.length; i++) {
      const bytes = sketches[i];
      if (bytes === undefined) continue;
      times.push(t[i] as number);
      read.push(QuantileSketch.fromBytes(bytes));
    }
    if (times.length === 0) continue;
    const series = window.seriesOf(labels)?.sketches;
    series?.prepend(times, read);
    series?.extend(times, read);
  }
}
