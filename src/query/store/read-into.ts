import type { MetricStore } from '../../contracts/metric-store.js';
import { VenueKitError } from '../../core/errors.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';
import type { MetricWindow } from '../evaluation/metric-window.js';
import { type Reading, readSamples } from './read-samples.js';

/** Reads what a window does not have yet of a time: all of it for a new one, else what is newer than what it has. */
export async function readInto(
  window: MetricWindow,
  store: MetricStore,
  { from, to, signal }: { readonly from: number; readonly to: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const start = Math.max(0, window.isFilled ? Math.max(window.coveredTo + 1, from) : from);
  if (start > to) return;
  const reading = { metric: window.metric, match: window.commonLabels, from: start, to };
  let newest = Infinity;
  if (window.readsSamples) newest = await readValues(window, store, reading, signal);
  if (window.readsSketches) newest = Math.min(newest, await readSketches(window, store, reading, signal));
  window.isFilled = true;
  // Not up to `to`: a tick of before may still be on its way into the store.
  window.coveredTo = Math.max(window.coveredTo, start - 1, newest);
}

/** When the newest of what was read was taken. */
async function readValues(window: MetricWindow, store: MetricStore, reading: Reading, signal: AbortSignal | undefined): Promise<number> {
  let newest = -Infinity;
  for (const { labels, t, v } of await readSamples(store, reading, signal)) {
    newest = Math.max(newest, t[t.length - 1] ?? newest);
    const samples = window.seriesOf(labels)?.samples;
    samples?.prepend(t, v);
    samples?.extend(t, v);
  }
  return newest;
}

async function readSketches(window: MetricWindow, store: MetricStore, reading: Reading, signal: AbortSignal | undefined): Promise<number> {
  let newest = -Infinity;
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
    newest = Math.max(newest, times[times.length - 1] ?? newest);
    const series = window.seriesOf(labels)?.sketches;
    series?.prepend(times, read);
    series?.extend(times, read);
  }
  return newest;
}
