import type { MetricStore, SeriesKey } from '../contracts/metric-store.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { requireMethods } from '../core/options.js';
import type { QuantileSketch } from '../core/quantile-sketch.js';
import { type CounterSeries, type GaugeSeries, HistogramSeries } from './instruments.js';
import type { MetricSource, MetricsFactory } from './metric-source.js';

/** What a {@link StoreCollector} works with. */
export interface StoreCollectorOptions {
  readonly registry: MetricSource & MetricsFactory;
  readonly store: MetricStore;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The sketch of a histogram as the store last got it, so that each tick carries what is new. */
interface Tracked {
  readonly column: number;
  readonly sketch: QuantileSketch;
  stored: QuantileSketch | undefined;
}

// A timer may fire a little before its time; the tick still belongs to the interval that it was for.
const EARLY_MS = 20;

/**
 * Samples a registry into a store at each whole interval. One append is under way at most: a slow
 * store loses ticks, which are counted, rather than piling them up in memory.
 *
 * A histogram becomes three series: its own name, with the mean of the interval's observations as
 * value and their sketch beside it, and `_count` and `_sum`, which rise like counters.
 */
export class StoreCollector implements Disposable {
  readonly #options: StoreCollectorOptions;
  readonly #keys: SeriesKey[] = [];
  #published: readonly SeriesKey[] = [];
  readonly #read: (() => number)[] = [];
  readonly #tracked: Tracked[] = [];
  readonly #seen = new Map<string, number>();
  readonly #failures;
  readonly #skipped;
  readonly #seconds;
  #timer: Disposable | undefined;
  #pending: Promise<void> | undefined;
  #last = -Infinity;
  #failing = false;
  #disposed = false;

  constructor(options: StoreCollectorOptions) {
    requireMethods('store', options.store, ['append']);
    this.#options = options;
    const { registry } = options;
    this.#failures = registry.counter({
      name: 'venuekit_store_append_failures_total',
      help: 'Ticks that the metric store refused: each is a gap in the kept history.',
    });
    this.#skipped = registry.counter({
      name: 'venuekit_store_ticks_skipped_total',
      help: 'Ticks not taken: the store was still busy, or the clock had gone back.',
      labels: ['reason'],
    });
    for (const reason of ['busy', 'clock']) this.#skipped.with({ reason });
    this.#seconds = registry.histogram({
      name: 'venuekit_store_append_seconds',
      help: 'How long the metric store took to keep a tick.',
      unit: 'seconds',
    });
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  /** Resolves when no append is under way. */
  async settled(): Promise<void> {
    await this.#pending;
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    const now = clock.now();
    // From the middle of the early margin on, the coming boundary has been served.
    const next = (Math.floor((now + EARLY_MS) / intervalMs) + 1) * intervalMs;
    this.#timer = clock.schedule(next - now, () => {
      if (this.#disposed) return;
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    const { clock, intervalMs } = this.#options;
    const t = Math.floor((clock.now() + EARLY_MS) / intervalMs) * intervalMs;
    if (t <= this.#last || this.#pending !== undefined) {
      this.#skipped.with({ reason: t <= this.#last ? 'clock' : 'busy' }).inc();
      return;
    }
    this.#last = t;
    this.#pending = this.#append(t).finally(() => {
      this.#pending = undefined;
    });
  }

  async #append(t: number): Promise<void> {
    const { store, clock, logger } = this.#options;
    const started = clock.monotonic();
    try {
      this.#extend();
      const values = new Float64Array(this.#read.length);
      for (let i = 0; i < values.length; i++) values[i] = (this.#read[i] as () => number)();
      const { sketches, confirm } = this.#sketchesOf(values);
      await store.append({ t, series: this.#published, values, sketches });
      confirm();
      if (this.#failing) logger.info({ t }, 'the metric store takes ticks again');
      this.#failing = false;
      this.#seconds.observe((clock.monotonic() - started) / 1000);
    } catch (error) {
      this.#failures.inc();
      // Said once: a full disk would otherwise write a line a second.
      if (!this.#failing) logger.error({ t, error: asError(error) }, 'the metric store refused a tick; the history has a gap');
      this.#failing = true;
    }
  }

  #sketchesOf(values: Float64Array): { readonly sketches: ReadonlyMap<number, Uint8Array>; readonly confirm: () => void } {
    const sketches = new Map<number, Uint8Array>();
    const taken: (() => void)[] = [];
    for (const tracked of this.#tracked) {
      const { sketch, stored, column } = tracked;
      values[column] = Number.NaN;
      if (sketch.count === (stored?.count ?? 0)) continue;
      const snapshot = sketch.clone();
      const recent = snapshot.since(stored);
      values[column] = recent.sum / recent.count;
      sketches.set(column, recent.toBytes());
      taken.push(() => {
        tracked.stored = snapshot;
      });
    }
    return {
      sketches,
      confirm: () => {
        for (const take of taken) take();
      },
    };
  }

  /** Gives new series their columns; the list that the store sees stays the same object while nothing is new. */
  #extend(): void {
    const { registry } = this.#options;
    const before = this.#keys.length;
    for (const { definition, series } of registry.families()) {
      for (let i = this.#seen.get(definition.name) ?? 0; i < series.length; i++) {
        const one = series[i] as CounterSeries | GaugeSeries | HistogramSeries;
        const labels = { ...registry.defaultLabels, ...one.labels };
        if (one instanceof HistogramSeries) this.#addHistogram(definition.name, labels, one.sketch);
        else this.#add(definition.name, labels, () => one.value);
      }
      this.#seen.set(definition.name, series.length);
    }
    if (this.#keys.length > before || before === 0) this.#published = [...this.#keys];
  }

  #addHistogram(name: string, labels: Readonly<Record<string, string>>, sketch: QuantileSketch): void {
    this.#tracked.push({ column: this.#keys.length, sketch, stored: undefined });
    this.#add(name, labels, () => Number.NaN);
    this.#add(`${name}_count`, labels, () => sketch.count);
    this.#add(`${name}_sum`, labels, () => sketch.sum);
  }

  #add(name: string, labels: Readonly<Record<string, string>>, read: () => number): void {
    this.#keys.push({ name, labels });
    this.#read.push(read);
  }
}
