import { requireFraction, requireKnown, requireMethods } from '../core/options.js';
import type { MetricFamily } from '../metrics/family.js';
import type { CounterSeries, GaugeSeries, HistogramSeries } from '../metrics/instruments.js';
import type { MetricSource } from '../metrics/metric-source.js';

/** What is used of OpenTelemetry's API: by shape, so that any 1.x fits and nothing of it is loaded here. */
interface MeterProviderShape {
  getMeter(name: string): MeterShape;
}

interface MeterShape {
  createObservableCounter(name: string, options: InstrumentOptions): ObservableShape;
  createObservableGauge(name: string, options: InstrumentOptions): ObservableShape;
}

interface InstrumentOptions {
  readonly description: string;
  readonly unit?: string;
}

type Observe = (result: { observe(value: number, attributes?: Readonly<Record<string, string | number>>): void }) => void;

interface ObservableShape {
  addCallback(callback: Observe): void;
  removeCallback(callback: Observe): void;
}

/** How histograms are shown. */
export interface OpenTelemetryBridgeOptions {
  /** The meter's name. @defaultValue 'venuekit' */
  readonly meterName?: string;
  /** @defaultValue [0.5, 0.9, 0.95, 0.99] */
  readonly quantiles?: readonly number[];
}

// UCUM, as OpenTelemetry's conventions want units.
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', ratio: '1' };

/**
 * Feeds an OpenTelemetry MeterProvider from a registry, until disposed: each metric, present and
 * future, becomes an observable instrument that is read when the provider's readers collect. Recording
 * costs nothing more.
 *
 * A histogram becomes the counters `<name>_count` and `<name>_sum` and the gauge `<name>` with an
 * attribute `quantile`, since OpenTelemetry has no observable histogram.
 *
 * @throws TypeError when either is not what it should be.
 *
 * @example
 * const provider = new MeterProvider({ readers: [reader] });
 * using bridge = bridgeToOpenTelemetry(registry, provider);
 */
export function bridgeToOpenTelemetry(registry: MetricSource, meterProvider: object, options: OpenTelemetryBridgeOptions = {}): Disposable {
  requireMethods('registry', registry, ['onFamily', 'families']);
  requireKnown('bridgeToOpenTelemetry', options, ['meterName', 'quantiles']);
  const { meterName = 'venuekit', quantiles = [0.5, 0.9, 0.95, 0.99] } = options;
  for (const q of quantiles) requireFraction('quantiles', q);
  const meter = requireMethods('meterProvider', meterProvider as MeterProviderShape, ['getMeter']).getMeter(meterName);
  const bound: (readonly [ObservableShape, Observe])[] = [];
  const bind = (instrument: ObservableShape, callback: Observe): void => {
    instrument.addCallback(callback);
    bound.push([instrument, callback]);
  };
  const subscription = registry.onFamily((family) => bridgeFamily(family, { meter, bind, quantiles, defaults: registry.defaultLabels }));
  return {
    [Symbol.dispose]: () => {
      subscription[Symbol.dispose]();
      for (const [instrument, callback] of bound.splice(0)) instrument.removeCallback(callback);
    },
  };
}

interface Bridge {
  readonly meter: MeterShape;
  readonly bind: (instrument: ObservableShape, callback: Observe) => void;
  readonly quantiles: readonly number[];
  readonly defaults: Readonly<Record<string, string>>;
}

function bridgeFamily(family: MetricFamily, bridge: Bridge): void {
  const { kind, name, help, unit } = family.definition;
  const { meter, bind, defaults } = bridge;
  const options: InstrumentOptions = { description: help, ...(unit === undefined ? {} : { unit: UNITS[unit] ?? unit }) };
  if (kind === 'histogram') {
    bridgeHistogram(family as unknown as MetricFamily<HistogramSeries>, options, bridge);
    return;
  }
  const instrument = kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options);
  bind(instrument, (result) => {
    family.collect?.();
    for (const series of family.series as (CounterSeries | GaugeSeries)[]) result.observe(series.value, { ...defaults, ...series.labels });
  });
}

function bridgeHistogram(family: MetricFamily<HistogramSeries>, options: InstrumentOptions, { meter, bind, quantiles, defaults }: Bridge): void {
  const { name, help } = family.definition;
  bind(meter.createObservableCounter(`${name}_count`, { description: help }), (result) => {
    for (const { sketch, labels } of family.series) result.observe(sketch.count, { ...defaults, ...labels });
  });
  bind(meter.createObservableCounter(`${name}_sum`, options), (result) => {
    for (const { sketch, labels } of family.series) result.observe(sketch.sum, { ...defaults, ...labels });
  });
  bind(meter.createObservableGauge(name, options), (result) => {
    for (const { sketch, labels } of family.series) {
      for (const q of quantiles) {
        const value = sketch.quantile(q);
        if (value !== undefined) result.observe(value, { ...defaults, ...labels, quantile: q });
      }
    }
  });
}
