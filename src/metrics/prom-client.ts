import { requireMethods } from '../core/options.js';
import { SHOWN_QUANTILES } from './exposition.js';
import type { MetricFamily } from './family.js';
import type { CounterSeries, GaugeSeries, HistogramSeries } from './instruments.js';
import type { MetricSource } from './metric-source.js';

/** What is used of a prom-client Registry: by shape, so that any version of 14 and 15 fits. */
interface PromRegistry {
  registerMetric(metric: PromMetric): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

interface PromMetric {
  readonly name: string;
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: readonly PromValue[];
    readonly aggregator: 'sum';
  }>;
}

interface PromValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** Registers a stand-in for every family, present and future, that prom-client reads like its own metrics. */
export function mergeIntoPromClient(registry: MetricSource, target: object): Disposable {
  const prom = requireMethods('promRegistry', target as PromRegistry, ['registerMetric', 'getSingleMetric', 'removeSingleMetric']);
  const merged: string[] = [];
  const remove = (): void => {
    for (const name of merged.splice(0)) prom.removeSingleMetric(name);
  };
  try {
    const subscription = registry.onFamily((family) => {
      const { name } = family.definition;
      if (prom.getSingleMetric(name) !== undefined)
        throw new TypeError(`the prom-client registry already has a metric ${name}; rename one of the two`);
      prom.registerMetric(standIn(family, registry.defaultLabels));
      merged.push(name);
    });
    return {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function standIn(family: MetricFamily, defaults: Readonly<Record<string, string>>): PromMetric {
  const { name, help, kind } = family.definition;
  return {
    name,
    get: async () => {
      family.collect?.();
      const hasBuckets = kind === 'histogram' && (family.series[0] as HistogramSeries | undefined)?.bounds !== undefined;
      return {
        name,
        help,
        type: kind === 'histogram' && !hasBuckets ? 'summary' : kind,
        values: family.series.flatMap((series) => {
          const labels = { ...defaults, ...series.labels };
          return kind === 'histogram'
            ? histogramValues(name, labels, series as HistogramSeries)
            : [{ labels, value: (series as CounterSeries | GaugeSeries).value }];
        }),
        aggregator: 'sum',
      };
    },
  };
}

function histogramValues(name: string, labels: Readonly<Record<string, string>>, { sketch, bounds, bucketCounts }: HistogramSeries): PromValue[] {
  const values: PromValue[] = [];
  if (bounds === undefined) {
    for (const q of SHOWN_QUANTILES) values.push({ labels: { ...labels, quantile: q }, value: sketch.quantile(q) ?? Number.NaN });
  } else {
    let below = 0;
    for (const [i, bound] of [...bounds, Infinity].entries()) {
      below += bucketCounts[i] as number;
      values.push({ labels: { ...labels, le: bound === Infinity ? '+Inf' : bound }, value: below, metricName: `${name}_bucket` });
    }
  }
  values.push({ labels, value: sketch.sum, metricName: `${name}_sum` }, { labels, value: sketch.count, metricName: `${name}_count` });
  return values;
}
