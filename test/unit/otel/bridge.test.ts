import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricsRegistry } from '../../../src/metrics/registry.js';
import { bridgeToOpenTelemetry } from '../../../src/otel/index.js';

const providers: MeterProvider[] = [];
afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.shutdown();
});

/** The real SDK, with what it exported last as `name{attributes}` → value. */
const givenAProvider = () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] });
  providers.push(provider);
  const exported = async () => {
    exporter.reset();
    await provider.forceFlush();
    return exporter.getMetrics() as ResourceMetrics[];
  };
  return {
    provider,
    exported,
    values: async () => {
      const points = (await exported()).flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics);
      return new Map(
        points.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [`${descriptor.name}${JSON.stringify(attributes)}`, value as number] as const),
        ),
      );
    },
  };
};

describe('bridgeToOpenTelemetry', () => {
  it('exports counters and gauges with labels, default labels, descriptions and units', async () => {
    const registry = new MetricsRegistry({ defaultLabels: { bot: 'x' } });
    registry
      .counter({ name: 'calls_total', help: 'Calls.', labels: ['venue'] })
      .with({ venue: 'a' })
      .inc(3);
    registry.gauge({ name: 'age_seconds', help: 'Age.', unit: 'seconds' }).set(1.5);
    const { provider, values, exported } = givenAProvider();
    using _ = bridgeToOpenTelemetry(registry, provider);
    expect(await values()).toEqual(
      new Map([
        ['calls_total{"bot":"x","venue":"a"}', 3],
        ['age_seconds{"bot":"x"}', 1.5],
      ]),
    );
    const [calls, age] = (await exported())[0]!.scopeMetrics[0]!.metrics;
    expect([calls!.descriptor.description, age!.descriptor.unit]).toEqual(['Calls.', 's']);
  });

  it('follows values, collectors, and metrics that come later', async () => {
    const registry = new MetricsRegistry();
    const { provider, values } = givenAProvider();
    using _ = bridgeToOpenTelemetry(registry, provider);
    let reading = 1;
    registry.gauge({ name: 'level', help: 'Level.', collect: (gauge) => gauge.set(reading) });
    expect(await values()).toEqual(new Map([['level{}', 1]]));
    reading = 2;
    expect(await values()).toEqual(new Map([['level{}', 2]]));
  });

  it('exports histograms as count, sum and quantiles', async () => {
    const registry = new MetricsRegistry();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.', unit: 'seconds' });
    const { provider, values } = givenAProvider();
    using _ = bridgeToOpenTelemetry(registry, provider, { quantiles: [0.5, 0.99] });
    expect([...(await values()).keys()]).toEqual(['wait_seconds_count{}', 'wait_seconds_sum{}']);
    for (let i = 1; i <= 100; i++) seconds.observe(i);
    const exported = await values();
    expect(exported.get('wait_seconds_count{}')).toBe(100);
    expect(exported.get('wait_seconds_sum{}')).toBe(5050);
    expect(exported.get('wait_seconds{"quantile":0.5}')! / 50).toBeCloseTo(1, 1);
    expect(exported.get('wait_seconds{"quantile":0.99}')! / 99).toBeCloseTo(1, 1);
  });

  it('follows nothing once it is disposed', async () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter({ name: 'calls_total', help: 'Calls.' });
    counter.inc();
    const { provider, values } = givenAProvider();
    const bridge = bridgeToOpenTelemetry(registry, provider);
    expect((await values()).size).toBe(1);
    bridge[Symbol.dispose]();
    bridge[Symbol.dispose]();
    registry.counter({ name: 'late_total', help: 'Late.' }).inc();
    counter.inc();
    // The SDK goes on to show the last sum of a cumulative counter that nobody observes any more.
    expect(await values()).toEqual(new Map([['calls_total{}', 1]]));
  });

  it('refuses what is no registry, no provider, or no quantile', () => {
    const registry = new MetricsRegistry();
    const { provider } = givenAProvider();
    expect(() => bridgeToOpenTelemetry({} as never, provider)).toThrow(/registry must be an object with a method onFamily/);
    expect(() => bridgeToOpenTelemetry(registry, {})).toThrow(/meterProvider must be an object with a method getMeter/);
    expect(() => bridgeToOpenTelemetry(registry, provider, { quantiles: [99] })).toThrow(/quantiles must be between 0 and 1, got 99/);
  });
});
