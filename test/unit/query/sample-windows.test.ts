import { describe, expect, it } from 'vitest';
import type { MetricStore } from '../../../src/contracts/metric-store.js';
import { type PreparedQuery, queryInstant, SampleWindows } from '../../../src/query/index.js';
import { each, START, storeOf, ticksOf } from './history.js';

function valuesOf(prepared: PreparedQuery, at: number): Record<string, number> {
  const { slots, present, values } = prepared.evaluate(at);
  return Object.fromEntries(slots.flatMap(({ key }, i) => (present[i] === 1 ? [[key, values[i] as number]] : [])));
}

const X = [{ name: 'x', values: each(1_000, (i) => i) }];

describe('sample windows', () => {
  it('answer what the store would, tick by tick', async () => {
    const ticks = ticksOf(X.concat([{ name: 'y', values: each(1_000, (i) => (i % 7 === 0 ? undefined : i * i)) }]));
    const store = await storeOf(ticks);
    const windows = new SampleWindows();
    const queries = ['rate(x[1m])', 'x / ignoring (a) y', 'median_over_time(sum(rate(y[30s]))[5m:10s])', 'absent(y)'].map((text) =>
      windows.prepare(text),
    );
    for (const [i, tick] of ticks.entries()) {
      windows.append(tick);
      if (i % 97 !== 0) continue;
      for (const prepared of queries) {
        const { series } = await queryInstant(store, prepared.query, { at: tick.t });
        expect(Object.values(valuesOf(prepared, tick.t))).toEqual(series.map(({ v }) => v[0]));
      }
    }
  });

  it('keep only what is looked back on', () => {
    const windows = new SampleWindows();
    windows.prepare('rate(x[10s])');
    for (const tick of ticksOf(X)) windows.append(tick);
    expect(windows.stats()).toEqual({ series: 1, samples: 11 });
  });

  it('keep a subquery of an hour in values of its own, not in samples', () => {
    const windows = new SampleWindows();
    const median = windows.prepare('median_over_time(rate(x[10s])[1h:1m])');
    for (const tick of ticksOf([{ name: 'x', values: each(4_000, (i) => i) }])) windows.append(tick);
    expect(windows.stats().samples).toBeLessThan(15);
    expect(valuesOf(median, START + 3_999_000)).toEqual({ '': 1 });
  });

  it('evaluate a subquery at every step that has passed, even when nobody asked meanwhile and ticks were missing', async () => {
    const ticks = ticksOf([{ name: 'x', values: each(1_500, (i) => (i > 300 && i < 700 ? undefined : i)) }]);
    const windows = new SampleWindows();
    const counted = windows.prepare('count_over_time(rate(x[10s])[20m:10s])');
    for (const tick of ticks) windows.append(tick);
    const at = START + 1_499_000;
    const { series } = await queryInstant(await storeOf(ticks), counted.query, { at });
    expect(valuesOf(counted, at)).toEqual({ '': series[0]?.v[0] });
  });

  it('are filled from a store with what was before, and go on from there', async () => {
    const ticks = ticksOf(X);
    const store = await storeOf(ticks);
    const windows = new SampleWindows();
    const queries = ['increase(x[5m])', 'count_over_time(x[10m:1m])'].map((text) => windows.prepare(text));
    await windows.fill(store, START + 800_000);
    for (const tick of ticks.slice(801)) windows.append(tick);
    for (const prepared of queries) {
      const { series } = await queryInstant(store, prepared.query, { at: START + 999_000 });
      expect(valuesOf(prepared, START + 999_000)).toEqual({ '': series[0]?.v[0] });
    }
  });

  it('look back for a subquery with an offset as far as the offset puts it', async () => {
    const ticks = ticksOf(X);
    const windows = new SampleWindows();
    const counted = windows.prepare('count_over_time(x[1m:10s] offset 3m)');
    await windows.fill(await storeOf(ticks), START + 998_000);
    windows.append(ticks[999] as (typeof ticks)[number]);
    expect(valuesOf(counted, START + 999_000)).toEqual({ '': 6 });
  });

  it('read from a store only what is new, once they are filled', async () => {
    const store = await storeOf(ticksOf(X));
    const asked: number[] = [];
    const query: MetricStore['query'] = (range) => {
      asked.push(range.from);
      return store.query(range);
    };
    const watched = { query } as MetricStore;
    const windows = new SampleWindows();
    const prepared = windows.prepare('increase(x[5m])');
    await windows.fill(watched, START + 900_000);
    await windows.fill(watched, START + 901_000);
    await windows.fill(watched, START + 901_000);
    expect(asked).toEqual([START + 600_000, START + 900_001]);
    expect(valuesOf(prepared, START + 901_000)).toEqual({ '': 300 });
  });

  it('miss no tick that was on its way into the store when they were filled', async () => {
    const ticks = ticksOf(X);
    const early = await storeOf(ticks.slice(0, 900));
    const [fed, filled] = [new SampleWindows(), new SampleWindows()];
    const queries = [fed, filled].map((windows) => windows.prepare('x'));
    for (const windows of [fed, filled]) await windows.fill(early, START + 900_500);
    fed.append(ticks[900] as (typeof ticks)[number]);
    await filled.fill(await storeOf(ticks), START + 900_500);
    for (const prepared of queries) expect(valuesOf(prepared, START + 900_500)).toEqual({ x: 900 });
  });

  it('give a query that comes later what it looks back on', async () => {
    const ticks = ticksOf(X);
    const windows = new SampleWindows();
    windows.prepare('increase(x[10s])');
    for (const tick of ticks) windows.append(tick);
    const later = windows.prepare('increase(x[10m])');
    await windows.fill(await storeOf(ticks), START + 999_000);
    expect(valuesOf(later, START + 999_000)).toEqual({ '': 600 });
  });

  it('evaluate a part that queries have in common once', () => {
    const windows = new SampleWindows();
    const first = windows.prepare('rate(x[1m]) > 0');
    const second = windows.prepare('rate( x[60s] ) < 5');
    for (const tick of ticksOf(X)) windows.append(tick);
    expect(valuesOf(first, START + 999_000)).toEqual({ '': 1 });
    expect(valuesOf(second, START + 999_000)).toEqual({ '': 1 });
  });

  it('keep a slot for the same labels as long as the version is the same', () => {
    const windows = new SampleWindows();
    const prepared = windows.prepare('x');
    const series = (op: string, from: number) => ({ name: 'x', labels: { op }, values: each(10, (i) => (i < from ? undefined : i)) });
    const versions = ticksOf([series('a', 0), series('b', 5)]).map((tick) => {
      windows.append(tick);
      const { version, slots } = prepared.evaluate(tick.t);
      return `${version} ${slots.length}`;
    });
    expect(new Set(versions).size).toBe(2);
    expect(versions.at(-1)).toContain(' 2');
  });

  it('forget series that are gone', () => {
    const windows = new SampleWindows();
    const prepared = windows.prepare('x');
    for (const tick of ticksOf([
      { name: 'x', labels: { op: 'gone' }, values: [1] },
      { name: 'x', labels: { op: 'stays' }, values: each(2_000, (i) => i) },
    ]))
      windows.append(tick);
    expect(windows.stats().series).toBe(1);
    expect(valuesOf(prepared, START + 1_999_000)).toEqual({ 'x{"op":"stays"}': 1_999 });
  });

  it('let go of what only a released query looked at', () => {
    const windows = new SampleWindows();
    const short = windows.prepare('increase(x[10s])');
    const long = windows.prepare('increase(x[10m])');
    const other = windows.prepare('y');
    const ticks = ticksOf(X.concat([{ name: 'y', values: each(1_000, () => 1) }]));
    for (const tick of ticks.slice(0, 900)) windows.append(tick);
    long.release();
    long.release();
    other.release();
    for (const tick of ticks.slice(900)) windows.append(tick);
    expect(windows.stats()).toEqual({ series: 1, samples: 11 });
    expect(valuesOf(short, START + 999_000)).toEqual({ '': 10 });
  });

  it('name metrics that nobody has, and those that are like them', async () => {
    const windows = new SampleWindows();
    windows.prepare('sum(venuekit_venue_callz_total)');
    const ticks = ticksOf([{ name: 'venuekit_venue_calls_total', values: [1] }]);
    await windows.fill(await storeOf(ticks), START);
    expect(windows.unknownMetrics()).toEqual([{ metric: 'venuekit_venue_callz_total', near: ['venuekit_venue_calls_total'] }]);
  });

  it('refuse a tick that is not after the last one', () => {
    const windows = new SampleWindows();
    const [tick] = ticksOf(X);
    if (tick === undefined) throw new Error('there is a tick');
    windows.append(tick);
    expect(() => windows.append(tick)).toThrow('must be after the last tick');
  });

  it('fail again at the same instant when an evaluation failed', () => {
    const windows = new SampleWindows();
    const prepared = windows.prepare('x / on () x');
    const [tick] = ticksOf(['a', 'b'].map((op) => ({ name: 'x', labels: { op }, values: [1] })));
    if (tick === undefined) throw new Error('there is a tick');
    windows.append(tick);
    for (let i = 0; i < 2; i++) expect(() => prepared.evaluate(tick.t)).toThrow('match the same one');
  });
});
