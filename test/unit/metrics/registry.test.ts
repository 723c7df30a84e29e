import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MetricsRegistry } from '../../../src/metrics/registry.js';

const registries: MetricsRegistry[] = [];
const givenARegistry = (options: ConstructorParameters<typeof MetricsRegistry>[0] = {}) => {
  const registry = new MetricsRegistry({ clock: new ManualClock(), ...options });
  registries.push(registry);
  return registry;
};
const linesOf = (registry: MetricsRegistry, name: string, format?: 'text/plain' | 'openmetrics') =>
  registry
    .exposition(format)
    .split('\n')
    .filter((line) => line.startsWith(name));

afterEach(async () => {
  for (const registry of registries.splice(0)) await registry[Symbol.asyncDispose]();
});

describe('a counter', () => {
  it('rises by one, or by what is given', () => {
    const registry = givenARegistry();
    const counter = registry.counter({ name: 'calls_total', help: 'Calls.' });
    counter.inc();
    counter.inc(2.5);
    expect(linesOf(registry, 'calls_total')).toEqual(['calls_total 3.5']);
  });

  it.each([-1, Number.NaN, Infinity])('refuses to be raised by %s', (by) => {
    const counter = givenARegistry().counter({ name: 'calls_total', help: 'Calls.' });
    expect(() => counter.inc(by)).toThrow(/a counter only rises: by must be a finite number of 0 or more/);
  });

  it('has one series for each set of label values, whatever the order they are given in', () => {
    const registry = givenARegistry();
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labels: ['venue', 'operation'] });
    calls.with({ venue: 'a', operation: 'place' }).inc();
    calls.with({ operation: 'place', venue: 'a' }).inc();
    calls.with({ venue: 'place', operation: 'a' }).inc();
    expect(calls.with({ venue: 'a', operation: 'place' })).toBe(calls.with({ operation: 'place', venue: 'a' }));
    expect(linesOf(registry, 'calls_total')).toEqual(['calls_total{venue="a",operation="place"} 2', 'calls_total{venue="place",operation="a"} 1']);
  });

  it('that is kept elsewhere is brought in by its collector, once for each reading', () => {
    const registry = new MetricsRegistry();
    let pending = 3;
    const brought = registry.counter({
      name: 'brought_total',
      help: 'Brought.',
      collect: () => {
        brought.inc(pending);
        pending = 0;
      },
    });
    expect(linesOf(registry, 'brought_total')).toEqual(['brought_total 3']);
    pending = 2;
    expect(linesOf(registry, 'brought_total')).toEqual(['brought_total 5']);
  });
});

describe('a gauge', () => {
  it('is set and added to, and shows what is no finite number', () => {
    const registry = givenARegistry();
    const gauge = registry.gauge({ name: 'level', help: 'Level.', labels: ['of'] });
    gauge.with({ of: 'a' }).set(5);
    gauge.with({ of: 'a' }).add(-7);
    gauge.with({ of: 'b' }).set(Infinity);
    gauge.with({ of: 'c' }).set(Number.NaN);
    expect(linesOf(registry, 'level')).toEqual(['level{of="a"} -2', 'level{of="b"} +Inf', 'level{of="c"} NaN']);
  });

  it('is brought up to date by its collector before it is shown', () => {
    const registry = givenARegistry();
    let reading = 1;
    registry.gauge({ name: 'level', help: 'Level.', collect: (gauge) => gauge.set(reading) });
    expect(linesOf(registry, 'level')).toEqual(['level 1']);
    reading = 2;
    expect(linesOf(registry, 'level')).toEqual(['level 2']);
  });

  it('keeps its value, and the page, when its collector throws; that is counted and logged', () => {
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message?: string) => void warnings.push(message ?? '') };
    const registry = givenARegistry({ logger });
    const level = registry.gauge({
      name: 'level',
      help: 'Level.',
      collect: () => {
        throw new Error('no reading');
      },
    });
    level.set(3);
    expect(linesOf(registry, 'level')).toEqual(['level 3']);
    // It was shown twice.
    expect(linesOf(registry, 'venuekit_metrics_collect_errors_total')).toEqual(['venuekit_metrics_collect_errors_total{metric="level"} 2']);
    expect(warnings[0]).toMatch(/collector of level threw/);
  });

  it('whose collector shows the page does not collect without end', () => {
    const registry = givenARegistry();
    let collected = 0;
    registry.gauge({
      name: 'level',
      help: 'Level.',
      collect: () => {
        collected++;
        registry.exposition();
      },
    });
    registry.exposition();
    expect(collected).toBe(1);
  });
});

describe('a histogram', () => {
  it('is shown as a summary with quantiles within 1 %, sum and count', () => {
    const registry = givenARegistry();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.' });
    for (let i = 1; i <= 1000; i++) seconds.observe(i / 1000);
    expect(seconds.quantile(0.5)! / 0.5).toBeCloseTo(1, 1);
    expect(registry.exposition()).toContain('# TYPE wait_seconds summary');
    const [p50, , , p99, sum, count] = linesOf(registry, 'wait_seconds');
    expect(Number(p50?.split(' ')[1]) / 0.5).toBeCloseTo(1, 1);
    expect(Number(p99?.split(' ')[1]) / 0.99).toBeCloseTo(1, 1);
    expect(Number(sum?.split(' ')[1])).toBeCloseTo(500.5, 6);
    expect(count).toBe('wait_seconds_count 1000');
  });

  it('takes what was counted elsewhere as if it had been observed so often', () => {
    const [counted, observed] = [new MetricsRegistry(), new MetricsRegistry()].map((registry) => ({
      registry,
      histogram: registry.histogram({ name: 'age_seconds', help: 'Age.', buckets: [0.1, 1] }),
      sketch: registry.histogram({ name: 'age2_seconds', help: 'Age.' }),
    }));
    if (counted === undefined || observed === undefined) throw new Error('two registries');
    for (const [value, times] of [
      [0.05, 3],
      [0.5, 1],
      [0, 2],
      [-2, 2],
      [7, 0],
    ] as const) {
      counted.histogram.observeMany(value, times);
      counted.sketch.observeMany(value, times);
      for (let i = 0; i < times; i++) {
        observed.histogram.observe(value);
        observed.sketch.observe(value);
      }
    }
    expect(counted.registry.exposition()).toBe(observed.registry.exposition());
    expect(() => counted.sketch.observeMany(Number.NaN, 1)).toThrow(RangeError);
    expect(() => counted.sketch.observeMany(1, -1)).toThrow('times must be a whole number of 0 or more');
  });

  it('with buckets is a classic histogram whose buckets count everything below', () => {
    const registry = givenARegistry();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.', buckets: [0.1, 1] });
    for (const value of [0.1, 0.5, 7]) seconds.observe(value);
    expect(linesOf(registry, 'wait_seconds')).toEqual([
      'wait_seconds_bucket{le="0.1"} 1',
      'wait_seconds_bucket{le="1"} 2',
      'wait_seconds_bucket{le="+Inf"} 3',
      'wait_seconds_sum 7.6',
      'wait_seconds_count 3',
    ]);
  });

  it.each([Number.NaN, Infinity, -Infinity])('refuses to observe %s', (value) => {
    const seconds = givenARegistry().histogram({ name: 'wait_seconds', help: 'Waits.' });
    expect(() => seconds.observe(value)).toThrow(/value must be a finite number/);
    expect(seconds.quantile(0.5)).toBeUndefined();
  });
});

describe('the number of series', () => {
  it('of a metric is bounded: further label values share one series', () => {
    const registry = givenARegistry();
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labels: ['user'], maxSeries: 2 });
    for (const user of ['a', 'b', 'c', 'd', 'a']) calls.with({ user }).inc();
    expect(linesOf(registry, 'calls_total')).toEqual(['calls_total{user="a"} 2', 'calls_total{user="b"} 1', 'calls_total{overflow="true"} 2']);
    expect(registry.seriesCount()).toBe(3);
    expect(linesOf(registry, 'venuekit_metrics_overflow_total')).toEqual(['venuekit_metrics_overflow_total{metric="calls_total"} 2']);
  });

  it('of the registry is bounded over all metrics', () => {
    const registry = givenARegistry({ maxSeries: 10 });
    for (const name of ['a_total', 'b_total']) {
      const counter = registry.counter({ name, help: 'x', labels: ['id'] });
      for (let id = 0; id < 1000; id++) counter.with({ id: String(id) }).inc();
    }
    // One overflow series a metric on top, however many values come.
    expect(registry.seriesCount()).toBeLessThanOrEqual(12);
  });

  it('counts what overflowed once for each look-up, so that no recording is lost', () => {
    const registry = givenARegistry({ maxSeries: 1 });
    const counter = registry.counter({ name: 'a_total', help: 'x', labels: ['id'] });
    for (let id = 0; id < 100; id++) counter.with({ id: String(id) }).inc();
    const total = linesOf(registry, 'a_total').reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
    expect(total).toBe(100);
  });
});

describe('registering', () => {
  it('the same shape again gives the same metric', () => {
    const registry = givenARegistry();
    const shape = { name: 'calls_total', help: 'Calls.', labels: ['venue'] } as const;
    expect(registry.counter(shape).with({ venue: 'a' })).toBe(registry.counter(shape).with({ venue: 'a' }));
  });

  it.each([
    ['another kind', (r: MetricsRegistry) => r.gauge({ name: 'calls_total', help: 'Calls.', labels: ['venue'] })],
    ['other labels', (r: MetricsRegistry) => r.counter({ name: 'calls_total', help: 'Calls.', labels: ['host'] })],
    ['another unit', (r: MetricsRegistry) => r.counter({ name: 'calls_total', help: 'Calls.', labels: ['venue'], unit: 'seconds' })],
  ])('the same name with %s is refused', (_, again) => {
    const registry = givenARegistry();
    registry.counter({ name: 'calls_total', help: 'Calls.', labels: ['venue'] });
    expect(() => again(registry)).toThrow(/calls_total is registered as a counter with labels \[venue\]/);
  });

  it('a histogram with other buckets or another error is refused', () => {
    const registry = givenARegistry();
    registry.histogram({ name: 'wait_seconds', help: 'Waits.' });
    expect(() => registry.histogram({ name: 'wait_seconds', help: 'Waits.', buckets: [1] })).toThrow(TypeError);
    expect(() => registry.histogram({ name: 'wait_seconds', help: 'Waits.', relativeError: 0.05 })).toThrow(TypeError);
  });

  it('a name that a histogram writes its samples under is refused, in either order', () => {
    const registry = givenARegistry();
    registry.histogram({ name: 'wait', help: 'Waits.' });
    expect(() => registry.counter({ name: 'wait_count', help: 'x' })).toThrow(/mixed with those of wait/);
    registry.counter({ name: 'load_sum', help: 'x' });
    expect(() => registry.histogram({ name: 'load', help: 'x' })).toThrow(/mixed with those of load_sum/);
  });

  it.each(['', '1calls', 'calls-total', 'calls total', 'cälls'])('the name %j is refused', (name) => {
    expect(() => givenARegistry().counter({ name, help: 'x' })).toThrow(/name must be/);
  });

  it.each([['1a'], ['a-b'], ['__name'], ['le'], ['quantile'], ['overflow'], ['']])('the label %j is refused', (label) => {
    expect(() => givenARegistry().counter({ name: 'calls_total', help: 'x', labels: [label] })).toThrow(/labels must/);
  });

  it('a label given twice, or one of the default labels, is refused', () => {
    expect(() => givenARegistry().counter({ name: 'calls_total', help: 'x', labels: ['a', 'a'] })).toThrow(/got "a" twice/);
    expect(() => givenARegistry({ defaultLabels: { a: '1' } }).counter({ name: 'calls_total', help: 'x', labels: ['a'] })).toThrow(/defaultLabels/);
  });

  it('buckets that do not ascend are refused', () => {
    for (const buckets of [[], [1, 1], [2, 1], [Number.NaN], [1, Infinity]])
      expect(() => givenARegistry().histogram({ name: 'w', help: 'x', buckets })).toThrow(/buckets must be/);
  });

  it('a misspelt option is refused and the right one suggested', () => {
    expect(() => givenARegistry().counter({ name: 'a', help: 'x', label: ['a'] } as never)).toThrow(
      /counter has no option "label"; did you mean "labels"/,
    );
    expect(() => new MetricsRegistry({ maxSerie: 1 } as never)).toThrow(/did you mean "maxSeries"/);
  });
});

describe('label values', () => {
  const givenALabelledCounter = () => givenARegistry().counter({ name: 'calls_total', help: 'Calls.', labels: ['a', 'b'] });

  it.each([
    ['one is missing', { a: 'x' }, /label "b" of calls_total must be a string, got undefined/],
    ['one is no string', { a: 'x', b: 3 }, /label "b" of calls_total must be a string, got 3/],
    ['there is one too many', { a: 'x', b: 'y', c: 'z' }, /calls_total has no label "c"; it has a, b/],
  ])('are refused when %s', (_, labels, message) => {
    expect(() => givenALabelledCounter().with(labels as never)).toThrow(message);
  });

  it('are known to the compiler, by name and type, and a metric without labels records by itself', () => {
    const calls = givenALabelledCounter();
    // Each line below must not compile: an error that is gone is one itself.
    const wrong = [
      // @ts-expect-error: a label is missing
      () => calls.with({ a: 'x' }),
      // @ts-expect-error: no such label
      () => calls.with({ a: 'x', b: 'y', c: 'z' }),
      // @ts-expect-error: labels are strings
      () => calls.with({ a: 'x', b: 3 }),
      // @ts-expect-error: a metric with labels records through its children alone
      () => calls.inc(),
    ];
    for (const call of wrong) expect(call).toThrow(TypeError);
    expect(() => givenARegistry().counter({ name: 'plain_total', help: 'x' }).inc()).not.toThrow();
  });

  it('of hostile content are escaped, and stay apart', () => {
    const registry = givenARegistry();
    const calls = registry.counter({ name: 'calls_total', help: 'Line one.\nLine "two" \\ three.', labels: ['path'] });
    for (const path of ['a"b', 'a\\"b', 'a\nb', '', '{}', '<img onerror=x>', '__proto__', 'constructor']) calls.with({ path }).inc();
    expect(linesOf(registry, 'calls_total')).toEqual([
      'calls_total{path="a\\"b"} 1',
      'calls_total{path="a\\\\\\"b"} 1',
      'calls_total{path="a\\nb"} 1',
      'calls_total{path=""} 1',
      'calls_total{path="{}"} 1',
      'calls_total{path="<img onerror=x>"} 1',
      'calls_total{path="__proto__"} 1',
      'calls_total{path="constructor"} 1',
    ]);
    expect(registry.exposition()).toContain('# HELP calls_total Line one.\\nLine "two" \\\\ three.\n');
    expect(registry.exposition('openmetrics')).toContain('# HELP calls Line one.\\nLine \\"two\\" \\\\ three.\n');
  });

  it('with half a surrogate pair become one that can be written', () => {
    const registry = givenARegistry();
    const calls = registry.counter({ name: 'calls_total', help: 'Calls.', labels: ['path'] });
    calls.with({ path: 'a\uD800' }).inc();
    calls.with({ path: 'a\uD801' }).inc();
    expect(linesOf(registry, 'calls_total')).toEqual(['calls_total{path="a\uFFFD"} 2']);
  });
});

describe('OpenMetrics', () => {
  it('names the family without _total, tells units, and ends with EOF', () => {
    const registry = givenARegistry({ defaultLabels: { bot: 'x' } });
    registry.counter({ name: 'busy_seconds_total', help: 'Busy.', unit: 'seconds' }).inc(2);
    registry.histogram({ name: 'wait_seconds', help: 'Waits.', unit: 'seconds', buckets: [1] }).observe(0.5);
    expect(registry.exposition('openmetrics')).toBe(
      [
        '# HELP busy_seconds Busy.',
        '# TYPE busy_seconds counter',
        'busy_seconds_total{bot="x"} 2',
        '# HELP wait_seconds Waits.',
        '# TYPE wait_seconds histogram',
        '# UNIT wait_seconds seconds',
        'wait_seconds_bucket{bot="x",le="1.0"} 1',
        'wait_seconds_bucket{bot="x",le="+Inf"} 1',
        'wait_seconds_sum{bot="x"} 0.5',
        'wait_seconds_count{bot="x"} 1',
        '# EOF',
        '',
      ]
        .join('\n')
        .replace('# TYPE busy_seconds counter\n', '# TYPE busy_seconds counter\n# UNIT busy_seconds seconds\n'),
    );
  });

  it('shows exemplars with their value and time, which the classic format has not', () => {
    const registry = givenARegistry();
    registry.counter({ name: 'calls_total', help: 'Calls.' }).inc(1, { trace_id: 'abc' });
    registry.histogram({ name: 'wait', help: 'Waits.', buckets: [1] }).observe(0.5, { trace_id: 'def' });
    expect(linesOf(registry, 'calls_total', 'openmetrics')).toEqual(['calls_total 1 # {trace_id="abc"} 1 1704067200']);
    expect(linesOf(registry, 'wait_bucket{le="1.0"}', 'openmetrics')).toEqual(['wait_bucket{le="1.0"} 1 # {trace_id="def"} 0.5 1704067200']);
    expect(registry.exposition()).not.toContain('trace_id');
  });

  it('leaves out an exemplar longer than the format allows', () => {
    const registry = givenARegistry();
    registry.counter({ name: 'calls_total', help: 'Calls.' }).inc(1, { trace_id: 'x'.repeat(121) });
    expect(linesOf(registry, 'calls_total', 'openmetrics')).toEqual(['calls_total 1']);
  });

  it('is refused under another name', () => {
    expect(() => givenARegistry().exposition('json' as never)).toThrow(/format must be "text\/plain" or "openmetrics", got "json"/);
  });
});

describe('the handlers', () => {
  const givenAServedRegistry = () => {
    const registry = givenARegistry();
    registry.counter({ name: 'calls_total', help: 'Calls.' }).inc();
    return registry;
  };

  it('answer fetch in the format that is asked for', async () => {
    const { fetchHandler } = givenAServedRegistry();
    const plain = await fetchHandler(new Request('http://x/metrics'));
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await plain.text()).toContain('calls_total 1');
    const open = await fetchHandler(
      new Request('http://x/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' } }),
    );
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
    expect(await open.text()).toMatch(/# EOF\n$/);
  });

  it('answer only GET and HEAD', async () => {
    const { fetchHandler } = givenAServedRegistry();
    expect((await fetchHandler(new Request('http://x/metrics', { method: 'POST' }))).status).toBe(405);
    const head = await fetchHandler(new Request('http://x/metrics', { method: 'HEAD' }));
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('answer node:http', () => {
    const { nodeHandler } = givenAServedRegistry();
    const answer = { status: 0, headers: {} as Record<string, string>, body: new Uint8Array() };
    nodeHandler(
      { method: 'GET', headers: {} },
      {
        writeHead: (status: number, headers: Record<string, string>) => Object.assign(answer, { status, headers }),
        end: (body: Uint8Array) => Object.assign(answer, { body }),
      },
    );
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(Buffer.from(answer.body).toString()).toContain('calls_total 1');
  });
});
