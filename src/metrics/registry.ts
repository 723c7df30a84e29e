import type { MetricStore } from '../contracts/metric-store.js';
import type { Counter, Family, Gauge, Histogram, MetricOptions } from '../contracts/metrics.js';
import type { Wiring } from '../contracts/wiring.js';
import { type Clock, systemClock } from '../core/clock.js';
import { asError, closedError } from '../core/errors.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireObject, requirePositive, requireString, requireWithin } from '../core/options.js';
import { DEFAULT_RELATIVE_ERROR } from '../core/quantile-sketch.js';
import { Exposition, type ExpositionFormat } from './exposition.js';
import { type FamilyDefinition, MetricFamily } from './family.js';
import { metricsHandlers } from './http.js';
import { type AnySeries, CounterSeries, GaugeSeries, HistogramSeries, type MetricKind } from './instruments.js';
import type { MetricSource, MetricsFactory } from './metric-source.js';
import { escapeLabel, requireLabelNames, requireMetricName } from './names.js';
import { mergeIntoPromClient } from './prom-client.js';
import { StoreCollector } from './store-collector.js';

/** What a {@link MetricsRegistry} is made with. */
export interface MetricsRegistryOptions extends Wiring {
  /** Series of all metrics together; beyond, new label values share one series per metric. @defaultValue 10_000 */
  readonly maxSeries?: number;
  /** Added to every series that is shown or stored. @defaultValue none */
  readonly defaultLabels?: Readonly<Record<string, string>>;
}

const METRIC_OPTIONS = ['name', 'help', 'unit', 'labels', 'maxSeries'] as const;
const MAX_SERIES_OF_A_METRIC = 1_000;
// The registry's own metrics start with this; they are always let in.
const OWN = 'venuekit_metrics_';

/**
 * Counters, gauges and histograms of one process: cheap to record into, bounded in number, shown as
 * Prometheus or OpenMetrics text, and sampled into a {@link MetricStore} each second.
 *
 * Registering a metric twice in the same shape gives the same metric.
 *
 * @example
 * const registry = new MetricsRegistry();
 * const calls = registry.counter({ name: 'bot_calls_total', help: 'Calls made.', labels: ['venue'] });
 * const kraken = calls.with({ venue: 'kraken' });   // bound once
 * kraken.inc();                                     // as cheap as a typed array's increment
 */
export class MetricsRegistry implements MetricSource, MetricsFactory, AsyncDisposable {
  /** Serves {@link exposition} to `node:http`, Express or Fastify (`reply.raw`, hijacked). */
  readonly nodeHandler: (request: unknown, response: unknown) => void;
  /** Serves {@link exposition} to whatever speaks `Request` and `Response`. */
  readonly fetchHandler: (request: Request) => Promise<Response>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maxSeries: number;
  readonly #defaultLabels: Readonly<Record<string, string>>;
  readonly #families = new Map<string, MetricFamily>();
  readonly #shapes = new Map<string, string>();
  readonly #expositions: Record<ExpositionFormat, Exposition>;
  readonly #collectors = new Set<StoreCollector>();
  readonly #listeners = new Set<(family: MetricFamily) => void>();
  #seriesTotal = 0;
  #ownSeries = 0;
  #collecting = false;
  #closed = false;

  /** @throws RangeError or TypeError when an option is out of range; the message names option and value. */
  constructor(options: MetricsRegistryOptions = {}) {
    requireKnown('MetricsRegistry', options, ['bus', 'clock', 'random', 'logger', 'maxSeries', 'defaultLabels']);
    const { clock = systemClock, logger, maxSeries = 10_000, defaultLabels = {} } = options;
    this.#clock = clock;
    this.#logger = redactingLogger(logger);
    this.#maxSeries = requireInteger('maxSeries', maxSeries, 1);
    requireLabelNames(Object.keys(requireObject('defaultLabels', defaultLabels)));
    for (const [name, value] of Object.entries(defaultLabels)) {
      requireString(`defaultLabels.${name}`, value);
    }
    this.#defaultLabels = { ...defaultLabels };
    this.#expositions = {
      'text/plain': new Exposition('text/plain', this.#defaultLabels),
      openmetrics: new Exposition('openmetrics', this.#defaultLabels),
    };
    ({ nodeHandler: this.nodeHandler, fetchHandler: this.fetchHandler } = metricsHandlers((format) => this.expositionBytes(format)));
  }

  /**
   * A value that only rises: calls, errors, bytes. `collect` is called before each reading, for counts that are kept elsewhere and
   * brought in then; what it throws is logged and counted.
   * @throws RangeError for an invalid name, TypeError where the name is taken by another shape.
   */
  counter<const L extends string = never>(options: MetricOptions<L> & { readonly collect?: () => void }): Family<Counter, L> {
    requireKnown('counter', options, [...METRIC_OPTIONS, 'collect']);
    const { collect } = options;
    if (collect !== undefined) requireFunction('collect', collect);
    const counter = this.#register('counter', options, '', (labels) => new CounterSeries(labels, this.#clock));
    if (collect !== undefined) (this.#families.get(options.name) as MetricFamily).collect = collect;
    return counter as Family<Counter, L>;
  }

  /**
   * A value that goes both ways: sizes, states, ages. `collect` is called before each reading, with
   * the gauge, to bring it up to date; what it throws is logged and counted.
   * @throws RangeError for an invalid name, TypeError where the name is taken by another shape.
   */
  gauge<const L extends string = never>(options: MetricOptions<L> & { readonly collect?: (gauge: Family<Gauge, L>) => void }): Family<Gauge, L> {
    requireKnown('gauge', options, [...METRIC_OPTIONS, 'collect']);
    const { collect } = options;
    if (collect !== undefined) requireFunction('collect', collect);
    const gauge = this.#register('gauge', options, '', (labels) => new GaugeSeries(labels)) as Family<Gauge, L>;
    const family = this.#families.get(options.name) as MetricFamily;
    if (collect !== undefined) family.collect = () => collect(gauge);
    return gauge;
  }

  /**
   * A distribution: durations, sizes. Quantiles are within `relativeError` of the exact ones, over
   * any range of time and any set of processes, since sketches merge. Shown as a summary, or with
   * `buckets` (upper bounds, ascending) as a classic Prometheus histogram.
   * @throws RangeError for an invalid name or bounds, TypeError where the name is taken by another shape.
   */
  histogram<const L extends string = never>(
    options: MetricOptions<L> & { readonly relativeError?: number; readonly buckets?: readonly number[] },
  ): Family<Histogram, L> {
    requireKnown('histogram', options, [...METRIC_OPTIONS, 'relativeError', 'buckets']);
    const { relativeError = DEFAULT_RELATIVE_ERROR, buckets } = options;
    requireWithin('relativeError', relativeError, 0.0001, 0.5);
    const bounds = buckets === undefined ? undefined : requireBounds(buckets);
    const make = (labels: Readonly<Record<string, string>>): HistogramSeries => new HistogramSeries(labels, relativeError, bounds, this.#clock);
    return this.#register('histogram', options, `${relativeError}|${bounds?.join() ?? ''}`, make) as Family<Histogram, L>;
  }

  /** Every series as text; runs the collectors first. @param format - @defaultValue 'text/plain' */
  exposition(format: ExpositionFormat = 'text/plain'): string {
    return this.#expositionIn(format).text(this.families());
  }

  /** The same as UTF-8, ready for a socket or a file: cheaper than a string that is then encoded. @param format - @defaultValue 'text/plain' */
  expositionBytes(format: ExpositionFormat = 'text/plain'): Uint8Array {
    return this.#expositionIn(format).bytes(this.families());
  }

  /**
   * Shows these metrics in the `/metrics` of a prom-client Registry too, until disposed.
   * @throws TypeError when it is none, or when it has a metric of the same name.
   */
  mergeInto(promRegistry: object): Disposable {
    return mergeIntoPromClient(this, promRegistry);
  }

  /**
   * Samples every series into `store` at each whole interval of the clock, until disposed. A tick
   * that the store refuses is counted, and its observations go into the next one.
   */
  collect(store: MetricStore, options: { readonly intervalMs?: number } = {}): Disposable {
    if (this.#closed) throw closedError('MetricsRegistry');
    requireKnown('collect', options, ['intervalMs']);
    const intervalMs = requirePositive('intervalMs', options.intervalMs ?? 1000);
    const collector = new StoreCollector({ registry: this, store, intervalMs, clock: this.#clock, logger: this.#logger });
    this.#collectors.add(collector);
    return {
      [Symbol.dispose]: () => {
        collector[Symbol.dispose]();
        this.#collectors.delete(collector);
      },
    };
  }

  /** Series held, overflow series included; those about the registry itself are not counted. */
  seriesCount(): number {
    return this.#seriesTotal - this.#ownSeries;
  }

  /** Added to every series that is shown or stored. */
  get defaultLabels(): Readonly<Record<string, string>> {
    return this.#defaultLabels;
  }

  /** Every family, brought up to date by its collector: for exporters. */
  families(): IterableIterator<MetricFamily> {
    // A collector that reads the exposition must not start itself again.
    if (!this.#collecting) {
      this.#collecting = true;
      try {
        for (const family of this.#families.values()) this.#collectFamily(family);
      } finally {
        this.#collecting = false;
      }
    }
    return this.#families.values();
  }

  /** Calls `listener` with every family that there is and will be: for exporters. */
  onFamily(listener: (family: MetricFamily) => void): Disposable {
    for (const family of this.#families.values()) listener(family);
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Stops collecting; resolves when the ticks that are under way have been stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const collectors = [...this.#collectors];
    this.#collectors.clear();
    for (const collector of collectors) collector[Symbol.dispose]();
    await Promise.all(collectors.map((collector) => collector.settled()));
  }

  #expositionIn(format: ExpositionFormat): Exposition {
    const exposition = this.#expositions[format];
    if (exposition === undefined) throw new RangeError(`format must be "text/plain" or "openmetrics", got ${JSON.stringify(format)}`);
    return exposition;
  }

  // What comes back is a series or a family, as the labels say: the callers' types know which.
  #register(
    kind: MetricKind,
    options: MetricOptions<string>,
    details: string,
    make: (labels: Readonly<Record<string, string>>) => AnySeries,
  ): unknown {
    const { help, unit, maxSeries = MAX_SERIES_OF_A_METRIC } = options;
    const name = requireMetricName(options.name);
    requireString('help', help);
    if (unit !== undefined) requireString('unit', unit);
    const labels = requireLabelNames(options.labels ?? []);
    for (const label of labels) {
      if (label in this.#defaultLabels) throw new RangeError(`labels of ${name} must differ from the registry's defaultLabels, got "${label}"`);
    }
    requireInteger('maxSeries', maxSeries, 1);
    const shape = [kind, labels.join(), unit ?? '', details].join(' ');
    const known = this.#families.get(name);
    if (known !== undefined) {
      if (this.#shapes.get(name) === shape) return this.#faceOf(known);
      throw new TypeError(
        `${name} is registered as a ${this.#describe(known.definition)}; it can't also be a ${kind} with labels [${labels.join(', ')}]`,
      );
    }
    this.#requireFreeSamples(name, kind);
    const own = name.startsWith(OWN);
    const definition: FamilyDefinition = { kind, name, help, unit, labels, maxSeries };
    const family = new MetricFamily(definition, {
      make: (bound) => {
        this.#seriesTotal++;
        if (own) this.#ownSeries++;
        return make(Object.freeze(bound));
      },
      hasRoom: () => own || this.seriesCount() < this.#maxSeries,
      overflowed: (metric) => this.#countOverflow(metric),
    });
    const face = this.#faceOf(family);
    this.#families.set(name, family);
    this.#shapes.set(name, shape);
    for (const listener of this.#listeners) listener(family);
    return face;
  }

  #faceOf(family: MetricFamily): AnySeries | MetricFamily {
    return family.definition.labels.length === 0 ? family.only() : family;
  }

  #describe({ kind, labels }: FamilyDefinition): string {
    return `${kind} with labels [${labels.join(', ')}], another unit, or other buckets`;
  }

  /** A histogram writes samples under three further names, which nobody else may use. */
  #requireFreeSamples(name: string, kind: MetricKind): void {
    const taken = (other: string): never => {
      throw new TypeError(`${name} can't be registered: its samples would be mixed with those of ${other}`);
    };
    for (const suffix of ['_sum', '_count', '_bucket']) {
      if (kind === 'histogram' && this.#families.has(name + suffix)) taken(name + suffix);
      const base = name.slice(0, -suffix.length);
      if (name.endsWith(suffix) && this.#families.get(base)?.definition.kind === 'histogram') taken(base);
    }
  }

  #countOverflow(metric: string): void {
    const overflow = this.counter({
      name: `${OWN}overflow_total`,
      help: 'Look-ups of label values that went into the overflow series of a metric, because it or the registry holds as many series as it may.',
      labels: ['metric'],
    });
    overflow.with({ metric }).inc();
  }

  #collectFamily(family: MetricFamily): void {
    try {
      family.collect?.();
    } catch (error) {
      const { name } = family.definition;
      this.#logger.warn({ metric: name, error: asError(error) }, `the collector of ${escapeLabel(name)} threw; its value stays as it was`);
      this.counter({ name: `${OWN}collect_errors_total`, help: 'Collectors of metrics that threw.', labels: ['metric'] })
        .with({ metric: name })
        .inc();
    }
  }
}

function requireBounds(buckets: readonly number[]): readonly number[] {
  if (!(Array.isArray as (value: unknown) => boolean)(buckets) || buckets.length === 0)
    throw new TypeError('buckets must be a list of upper bounds with at least one');
  for (const [i, bound] of buckets.entries()) {
    if (!Number.isFinite(bound) || (i > 0 && bound <= (buckets[i - 1] as number)))
      throw new RangeError(`buckets must be finite and ascending, got ${bound} at ${i}`);
  }
  return buckets.slice();
}
