import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { instrument } from '../../../src/metrics/instrument.js';
import { MetricsRegistry } from '../../../src/metrics/registry.js';
import { compileQuery, parseQuery, toPromQL } from '../../../src/query/index.js';
import { FUNCTIONS } from '../../../src/query/language/functions.js';

const page = readFileSync(new URL('../../../docs/reference/query-language.md', import.meta.url), 'utf8');
const examples = (/```promql\n([\s\S]*?)```/.exec(page)?.[1] ?? '').split('\n\n').map((example) => example.trim());

describe('the page of the query language', () => {
  it('has examples', () => expect(examples.length).toBeGreaterThan(5));

  it.each(examples)('shows what can be read and asks for metrics that there are: %s', (example) => {
    const registry = new MetricsRegistry();
    using _ = instrument(new EventBus(), registry, { clock: new ManualClock() });
    const names = [...registry.families()].map(({ definition }) => definition.name);
    const { selectors, type } = compileQuery(example);
    expect(type).toBe('vector');
    for (const { metric } of selectors) expect(names).toContain(metric);
    expect(toPromQL(example).unsupported).toEqual([]);
  });

  it('names every function', () => {
    for (const name of Object.keys(FUNCTIONS)) {
      const short = name.replace('_over_time', '_');
      expect(page.includes(`\`${name}`) || page.includes(`\`${short}\``), name).toBe(true);
    }
  });

  it('shows the message of an error as it is', () => {
    const shown = /```\n(there is no function[\s\S]*?)\n```/.exec(page)?.[1];
    expect(() => parseQuery('sum by (operation) (rat(venuekit_venue_calls_total[1m]))')).toThrow(shown);
  });
});

describe('a query for Prometheus', () => {
  it.each([
    ['median by (op) (x)', 'quantile by (op) (0.5, x)'],
    ['median_over_time(x[5m])', 'quantile_over_time(0.5, x[5m])'],
    ['histogram_quantile(0.9, rate(h{a="b"}[1m]))', 'histogram_quantile(0.9, rate(h_bucket{a="b"}[1m]))'],
    ['histogram_quantile(0.9, sum(rate(h[1m])))', 'histogram_quantile(0.9, sum by (le) (rate(h_bucket[1m])))'],
    ['histogram_quantile(0.9, sum by (op) (rate(h[1m])))', 'histogram_quantile(0.9, sum by (le, op) (rate(h_bucket[1m])))'],
    ['histogram_quantile(0.9, sum without (op) (rate(h[1m])))', 'histogram_quantile(0.9, sum without (op) (rate(h_bucket[1m])))'],
    ['histogram_count(sum by (op) (increase(h[1m])))', 'sum by (op) (increase(h_count[1m]))'],
    ['histogram_avg(rate(h[1m]))', 'rate(h_sum[1m]) / rate(h_count[1m])'],
    ['-histogram_avg(rate(h[1m])) ^ 2', '-(rate(h_sum[1m]) / rate(h_count[1m])) ^ 2'],
  ])('writes %s as %s', (query, promql) => {
    expect(toPromQL(query).promql).toBe(promql);
  });

  it('notes what a histogram needs, and says what can not be asked for', () => {
    expect(toPromQL('histogram_quantile(0.9, rate(h[1m]))').notes).toEqual([expect.stringContaining('h must be exposed with buckets')]);
    expect(toPromQL('{__name__="no name"}').unsupported).toEqual([expect.stringContaining('"no name"')]);
    expect(toPromQL('rate(x[1m])')).toEqual({ promql: 'rate(x[1m])', unsupported: [], notes: [] });
  });
});
