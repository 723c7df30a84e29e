import type { Counter, Family, Gauge, Histogram, MetricOptions } from '../contracts/metrics.js';
import type { MetricFamily } from './family.js';

/** The part of a registry that metrics are made with. */
export interface MetricsFactory {
  counter<const L extends string = never>(options: MetricOptions<L> & { readonly collect?: () => void }): Family<Counter, L>;
  gauge<const L extends string = never>(options: MetricOptions<L> & { readonly collect?: (gauge: Family<Gauge, L>) => void }): Family<Gauge, L>;
  histogram<const L extends string = never>(
    options: MetricOptions<L> & { readonly relativeError?: number; readonly buckets?: readonly number[] },
  ): Family<Histogram, L>;
}

/** The part of a registry that exporters read. */
export interface MetricSource {
  /** Added to every series that is shown or stored. */
  readonly defaultLabels: Readonly<Record<string, string>>;
  /** Every family, brought up to date by its collector. */
  families(): IterableIterator<MetricFamily>;
  /** Calls `listener` with every family that there is and will be. */
  onFamily(listener: (family: MetricFamily) => void): Disposable;
}
