import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { killWriters } from '../../scripts/kill-metric-store.js';
import type { AlertActionRecord, AlertEvent, Silence } from '../../src/contracts/alerts.js';
import type { SeriesKey } from '../../src/contracts/metric-store.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { createVenueKit } from '../../src/kit/create-venue-kit.js';
import { MetricsRegistry } from '../../src/metrics/registry.js';
import { loadBinding, type SqliteValue } from '../../src/stores/sqlite/binding.js';
import { openSqlite } from '../../src/stores/sqlite/driver.js';
import { SqliteMetricStore, type SqliteMetricStoreOptions } from '../../src/stores/sqlite/metric-store.js';
import { MetricEngine } from '../../src/stores/sqlite/metric-store-engine.js';
import { METRIC_STORE_SCHEMA } from '../../src/stores/sqlite/metric-store-schema.js';
import { metricStoreContract } from '../../src/testing/contracts/metric-store-contract.js';
import { simulatedBroker } from '../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../src/testing/simulated-venue.js';

const { store: STORE, worker: WORKER, writer: WRITER } = inject('storePrograms');
const T0 = 1_704_067_200_000;
const SERIES = Array.from({ length: 20 }, (_, i) => ({ name: 'm', labels: { id: String(i) } }));

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-sqlite-'));
  path = join(directory, 'metrics.db');
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (options: Partial<SqliteMetricStoreOptions> = {}) => SqliteMetricStore.open({ path, worker: false, recentPoints: 0, ...options });
const fill = async (store: Pick<SqliteMetricStore, 'append'>, fromS: number, toS: number, everyS = 1) => {
  for (let s = fromS; s < toS; s += everyS)
    await store.append({ t: T0 + s * 1000, series: SERIES, values: Float64Array.from(SERIES, (_, i) => s * i) });
};
/** Values that no codec makes small. */
const fillWithNoise = async (store: Pick<SqliteMetricStore, 'append'>, fromS: number, toS: number) => {
  for (let s = fromS; s < toS; s++)
    await store.append({ t: T0 + s * 1000, series: SERIES, values: Float64Array.from(SERIES, (_, i) => Math.sin(s * i + 1)) });
};
const pointsOf = async (store: Pick<SqliteMetricStore, 'query'>, id = '3') =>
  (await store.query({ metric: 'm', match: { id }, from: 0, to: Number.MAX_SAFE_INTEGER }))[0];

describe.each([
  ['on the calling thread', { worker: false, recentPoints: 0 }],
  ['on a thread of its own', { worker: WORKER, recentPoints: 0 }],
  ['with its newest ticks in memory too', { worker: WORKER }],
] as const)('SqliteMetricStore %s keeps the contract', (_, how) => {
  const subject = async () => {
    const own = mkdtempSync(join(tmpdir(), 'venuekit-contract-'));
    let store = await SqliteMetricStore.open({ path: join(own, 'm.db'), ...how });
    return {
      get store() {
        return store;
      },
      reopen: async () => {
        await store[Symbol.asyncDispose]();
        store = await SqliteMetricStore.open({ path: join(own, 'm.db'), ...how });
        return store;
      },
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]();
        rmSync(own, { recursive: true });
      },
    };
  };
  for (const { name, run } of metricStoreContract({ open: subject })) it(name, run);
});

describe('a file', () => {
  it('is compacted as slots end, and every point stays what it was', async () => {
    await using store = await open();
    await fill(store, 0, 2500);
    await store.settled();
    const points = (await pointsOf(store))!;
    expect([...points.t]).toEqual(Array.from({ length: 2500 }, (_, s) => T0 + s * 1000));
    expect([...points.v]).toEqual(Array.from({ length: 2500 }, (_, s) => s * 3));
    expect(await store.stats()).toMatchObject({ series: 20, points: 50_000 });
  });

  it('left by a process that ended before compaction is compacted when it is opened again', async () => {
    const first = await MetricEngine.open({ path, readOnly: false });
    await fill(first, 0, 500);
    await first.close();
    // In the file now: a slot that the next process passes.
    await using store = await open();
    await fill(store, 900, 1300);
    await store.settled();
    expect((await pointsOf(store))!.t).toHaveLength(900);
    await store[Symbol.asyncDispose]();
    using file = (await MetricEngine.open({ path, readOnly: true })).database;
    expect(file.prepare('SELECT count(*) AS n FROM slot').get()?.n).toBe(2);
    expect(file.prepare('SELECT min(t) AS t FROM tick').get()?.t).toBe(T0 + 1200_000);
  });

  it('of version 1 is brought up to date when it is opened for writing, and keeps what it has', async () => {
    const schema = { ...METRIC_STORE_SCHEMA, migrations: METRIC_STORE_SCHEMA.migrations.slice(0, 1) };
    const old = await openSqlite({ path, schema });
    old.write(() => {
      const run = (sql: string, ...values: SqliteValue[]) => old.prepare(sql).run(...values);
      run("INSERT INTO series (id, name, labels_json, kind, created, last_seen) VALUES (1, 'm', '[[\"id\",\"3\"]]', 'value', ?, ?)", T0, T0);
      run('INSERT INTO epoch (id, t0, series_ids) VALUES (1, ?, ?)', T0, new Uint8Array(Uint32Array.of(1).buffer));
      run('INSERT INTO tick (t, epoch, d) VALUES (?, 1, ?)', T0, new Uint8Array(Float64Array.of(1.5).buffer));
      run("INSERT INTO alert_event VALUES (1, ?, 'f', 'r', 'pending', 'firing', 2, '{}', '{\"severity\":\"info\",\"suppressedBy\":[]}')", T0);
    });
    old.close();
    await expect(open({ readOnly: true })).rejects.toMatchObject({
      failure: 'older_schema',
      message: expect.stringMatching(/open it once for writing/),
    });
    await using store = await open();
    await store.append({ t: T0 + 1000, series: [{ name: 'm', labels: { id: '3' } }], values: Float64Array.of(2.5) });
    expect([...(await pointsOf(store))!.v]).toEqual([1.5, 2.5]);
    expect(await store.openAlerts()).toMatchObject([{ at: T0, alert: { fingerprint: 'f', state: 'firing', value: 2 } }]);
    await store.saveAlertTick({ at: T0, stepMs: 1000 });
    expect(await store.alertTick()).toEqual({ at: T0, stepMs: 1000 });
  });

  it('is read beside its writer by others, who see each committed tick and change nothing', async () => {
    await using writer = await open();
    await fill(writer, 0, 700);
    await writer.settled();
    await using reader = await open({ readOnly: true });
    await using other = await open({ readOnly: true, worker: WORKER });
    for (let s = 700; s < 1300; s += 100) {
      await fill(writer, s, s + 100);
      for (const each of [reader, other]) expect((await pointsOf(each))!.t).toHaveLength(s + 100);
    }
    await expect(fill(reader, 2000, 2001)).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(reader.saveAlert({ at: 1, from: 'inactive', alert: {} as never })).rejects.toThrow();
  });

  it('is read by another process while the kit that made it writes, from its dataDir alone', async () => {
    const venue = new SimulatedVenue({ seed: 5, symbols: { 'BTC/USD': { price: 7_000 } } });
    const adapter = simulatedBroker(venue);
    await using kit = await createVenueKit({ broker: adapter, marketData: adapter, dataDir: directory });
    expect(kit.store).toBeInstanceOf(SqliteMetricStore);
    await kit.start();
    await kit.marketData!.get('quote', { symbol: 'BTC/USD' });
    const script = join(directory, 'dashboard.mjs');
    writeFileSync(
      script,
      `const { SqliteMetricStore } = await import(${JSON.stringify(STORE)});
      const store = await SqliteMetricStore.open({ path: ${JSON.stringify(path)}, readOnly: true, worker: false });
      const asked = { metric: 'venuekit_feed_updates_total', from: 0, to: 8e15 };
      let seen = [];
      for (let i = 0; i < 100 && (seen[0]?.t.length ?? 0) < 2; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        seen = await store.query(asked);
      }
      console.log(JSON.stringify({ labels: seen[0]?.labels, last: seen[0]?.v.at(-1), ticks: seen[0]?.t.length >= 2 }));`,
    );
    // Not spawnSync: this process must go on writing meanwhile.
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
    expect(JSON.parse(stdout)).toEqual({ labels: { feed: 'simulated/quote', symbol: 'BTC/USD' }, last: 1, ticks: true });
    // And it went on.
    expect((await kit.store.stats()).points).toBeGreaterThan(300);
    expect(kit.metrics.exposition()).toContain('venuekit_store_append_failures_total 0');
  });

  it('has one writer: a second, of this or another process, is told so and loses nothing of the first', async () => {
    const first = await open();
    await fill(first, 0, 3);
    const script = join(directory, 'second.mjs');
    writeFileSync(
      script,
      `const { SqliteMetricStore } = await import(${JSON.stringify(STORE)});
      await SqliteMetricStore.open({ path: ${JSON.stringify(path)}, worker: false }).catch((error) => console.log(error.failure));`,
    );
    // Both wait for some seconds whether the first goes; side by side.
    const other = promisify(execFile)(process.execPath, [script], { timeout: 30_000 });
    await expect(open()).rejects.toMatchObject({ failure: 'busy', message: expect.stringMatching(/one writer: open it with readOnly: true/) });
    expect((await other).stdout).toBe('busy\n');
    await fill(first, 3, 6);
    await first[Symbol.asyncDispose]();
    await using next = await open();
    expect((await pointsOf(next))!.t).toHaveLength(6);
  });

  it('is read to its end while retention takes its beginning away', async () => {
    const engine = await MetricEngine.open({ path, readOnly: false });
    try {
      await fill(engine, 0, 3 * 3600);
      await engine.settled();
      const asked = { metric: 'm', from: T0 + 2 * 3_600_000, to: T0 + 3 * 3_600_000 };
      const [before] = await engine.query({ ...asked, match: { id: '7' } });
      const [during] = await Promise.all([engine.query(asked), engine.retain({ rawMs: 3_600_000, minuteMs: 3_600_000, hourMs: 3_600_000 })]);
      expect(during).toHaveLength(20);
      const one = during.find(({ labels }) => labels.id === '7')!;
      expect([...one.v]).toEqual([...before!.v]);
    } finally {
      await engine.close();
    }
  });

  it('keeps names and values of the worst kind as they are, and finds them again', async () => {
    const long = 'x'.repeat(10_000);
    const worst = ['', 'a"b', "'; DROP TABLE series; --", 'line\nbreak', '\u0000', '😀', '__proto__', '[["a","b"]]', long];
    const series = worst.flatMap((value) => [
      { name: `m`, labels: { value } },
      { name: `m`, labels: { value, other: value } },
    ]);
    const values = Float64Array.from(series, (_, i) => [Number.NaN, -0, Infinity, 5e-324, -1e308][i % 5]!);
    const first = await open();
    for (let s = 0; s < 3; s++) await first.append({ t: T0 + s * 1000, series, values });
    await first[Symbol.asyncDispose]();
    await using store = await open();
    for (const value of worst) {
      const found = await store.query({ metric: 'm', match: { value }, from: 0, to: 9e15 });
      // An empty value is the same as none: it finds the series with it and nothing else here.
      expect(found.map(({ labels }) => labels.value)).toEqual([value, value]);
      for (const { labels, v } of found) {
        const column = series.findIndex((key) => key.labels.value === labels.value && key.labels.other === labels.other);
        expect([...v].every((each) => Object.is(each, values[column]))).toBe(true);
      }
    }
    expect(await store.query({ metric: "m'; DROP TABLE series; --", from: 0, to: 9e15 })).toEqual([]);
  });

  it('gives room back to the file system when old data is dropped', async () => {
    await using store = await open();
    await fill(store, 0, 6 * 3600, 5);
    await store.settled();
    const before = statSync(path).size;
    const { freedBytes } = await store.retain({ rawMs: 3_600_000, minuteMs: 1e12, hourMs: 1e12 });
    expect(freedBytes).toBeGreaterThan(0);
    expect(freedBytes).toBeLessThanOrEqual(before);
    const hours = await store.query({ metric: 'm', match: { id: '3' }, from: T0, to: T0 + 6 * 3_600_000, stepMs: 3_600_000, agg: 'increase' });
    expect([...hours[0]!.v]).toEqual([10_785, 10_800, 10_800, 10_800, 10_800, 10_800]);
    expect((await pointsOf(store))!.t[0]).toBeGreaterThanOrEqual(T0 + 5 * 3_600_000 - 600_000);
  });

  it('stays under maxBytes by giving up raw points first, then minutes', async () => {
    await using store = await open();
    await fill(store, 0, 4 * 3600);
    await store.settled();
    await store.retain({ rawMs: 1e12, minuteMs: 1e12, hourMs: 1e12, maxBytes: 250_000 });
    expect(statSync(path).size).toBeLessThan(260_000);
    const hours = await store.query({ metric: 'm', match: { id: '3' }, from: T0, to: T0 + 4 * 3_600_000, stepMs: 3_600_000, agg: 'max' });
    expect(hours[0]!.v.length).toBeGreaterThan(0);
    await store.retain({ rawMs: 1e12, minuteMs: 1e12, hourMs: 1e12, maxBytes: 1 });
    await fill(store, 4 * 3600, 4 * 3600 + 5);
    expect((await pointsOf(store))!.v.at(-1)).toBe((4 * 3600 + 4) * 3);
  });

  it('drops what it knows of alerts with the longest tier, and never the change that says what is still open', async () => {
    const HOUR = 3_600_000;
    const at = (hours: number): number => T0 + hours * HOUR;
    const change = (hours: number, fingerprint: string, state: AlertEvent['alert']['state']): AlertEvent => ({
      at: at(hours),
      from: 'pending',
      alert: { fingerprint, rule: 'r', severity: 'info', labels: {}, state, value: 1, suppressedBy: [] },
    });
    const done = (hours: number): AlertActionRecord => ({
      ...{ at: at(hours), fingerprint: 'f', rule: 'r', labels: {}, firedAt: 1, action: 'notify', with: {}, on: 'firing', mode: 'auto' },
      outcome: 'done',
    });
    const silence = (id: string, hours: number): Silence => ({ id, match: {}, until: at(hours), by: 'b', comment: '', createdAt: 1 });
    await using store = await open();
    const openSince = change(0, 'open', 'firing');
    for (const event of [change(-1, 'open', 'pending'), openSince, change(0, 'over', 'firing'), change(0.5, 'over', 'inactive')])
      await store.saveAlert(event);
    // More than one step of deletions takes.
    for (let i = 0; i < 600; i++) await store.saveAlert(change(0.6, `many-${i}`, 'inactive'));
    await store.saveAlert(change(9, 'late', 'inactive'));
    for (const hours of [0, 9]) await store.saveAction(done(hours));
    await store.saveSilence(silence('ended', 1));
    await store.saveSilence(silence('runs', 20));
    await store.append({ t: at(10), series: SERIES, values: new Float64Array(SERIES.length) });

    await store.retain({ rawMs: HOUR, minuteMs: 12 * HOUR, hourMs: HOUR });
    expect(await store.alerts({ from: 0, to: at(99) })).toHaveLength(605);
    await store.retain({ rawMs: HOUR, minuteMs: 5 * HOUR, hourMs: HOUR });
    expect(await store.alerts({ from: 0, to: at(99) })).toEqual([openSince, change(9, 'late', 'inactive')]);
    expect(await store.openAlerts()).toEqual([openSince]);
    expect(await store.actions({ from: 0, to: at(99) })).toEqual([done(9)]);
    expect((await store.silences(0)).map(({ id }) => id)).toEqual(['runs']);

    // Too large whatever is dropped: the history of alerts goes last, what is open stays.
    await store.retain({ rawMs: HOUR, minuteMs: 5 * HOUR, hourMs: HOUR, maxBytes: 1 });
    expect(await store.alerts({ from: 0, to: at(99) })).toEqual([openSince]);
  });

  it('applies its retention by itself, each hour', async () => {
    await using store = await open({ retention: { rawMs: 3_600_000, minuteMs: 1e12, hourMs: 1e12 } });
    await fill(store, 0, 3 * 3600 + 1300, 5);
    await store.settled();
    expect((await pointsOf(store))!.t[0]).toBeGreaterThan(T0 + 3_600_000);
  });
});

describe('a file that can not be used', () => {
  it('because a newer version wrote it is refused and left as it was', async () => {
    await (await open())[Symbol.asyncDispose]();
    const Connection = await loadBinding();
    const connection = new Connection(path, { readOnly: false, timeout: 0 });
    connection.exec('PRAGMA user_version = 99');
    connection.close();
    await expect(open()).rejects.toMatchObject({ failure: 'newer_schema', message: expect.stringContaining('version 99') });
    await expect(open({ worker: WORKER })).rejects.toMatchObject({ code: 'STORAGE', failure: 'newer_schema' });
  });

  it('because it is no database is refused and left as it was', async () => {
    writeFileSync(path, 'dear diary, '.repeat(500));
    await expect(open()).rejects.toMatchObject({ failure: 'not_a_database' });
    expect(readFileSync(path, 'utf8')).toBe('dear diary, '.repeat(500));
  });

  it('because it was cut is said to be damaged, or read as far as it goes; it is never rewritten', async () => {
    const first = await open();
    await fill(first, 0, 1300);
    await first.settled();
    await first[Symbol.asyncDispose]();
    const whole = readFileSync(path);
    for (const share of [0.9, 0.5, 0.1]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      writeFileSync(path, cut);
      const outcome = await open()
        .then(async (store) => {
          try {
            return await store.query({ metric: 'm', from: 0, to: 9e15 });
          } finally {
            await store[Symbol.asyncDispose]().catch(() => {});
          }
        })
        .catch((error: unknown) => error);
      if (outcome instanceof Error)
        expect(outcome).toMatchObject({ code: 'STORAGE', path, failure: expect.stringMatching(/corrupt|not_a_database/) });
      else expect(outcome).toBeInstanceOf(Array);
    }
  });

  it('because it is an order journal is refused', async () => {
    const Connection = await loadBinding();
    const connection = new Connection(path, { readOnly: false, timeout: 0 });
    connection.exec('CREATE TABLE record (id INTEGER); PRAGMA application_id = 1234');
    connection.close();
    await expect(open()).rejects.toMatchObject({ failure: 'foreign', message: expect.stringContaining('not a metric store') });
  });

  it('because it is not there to be read', async () => {
    await expect(open({ readOnly: true })).rejects.toMatchObject({ failure: 'cannot_open' });
    await expect(open({ path: join(directory, 'absent', 'm.db') })).rejects.toMatchObject({ failure: 'cannot_open' });
  });

  it('is told apart from a misspelt option', async () => {
    await expect(open({ readonly: true } as never)).rejects.toThrow(/did you mean "readOnly"/);
  });
});

describe('ticks that wait together', () => {
  const tick = (s: number, series: readonly SeriesKey[] = SERIES) => ({
    t: T0 + s * 1000,
    series,
    values: Float64Array.from(series, (_, i) => s * i),
  });

  it('are committed together, and one that can not be taken is refused alone', async () => {
    const engine = await MetricEngine.open({ path, readOnly: false });
    try {
      const [first, second] = [SERIES[0]!, SERIES[1]!];
      const one = { name: 'born', labels: { id: 'new' } };
      await engine.append(tick(0));
      const refused = await engine.appendTogether([
        tick(1),
        tick(1),
        tick(2, [first, second, first]),
        { ...tick(3), values: Float64Array.of(1) },
        { ...tick(4, [...SERIES, one]), sketches: new Map([[99, new Uint8Array()]]) },
        tick(5, [...SERIES, one]),
        tick(6, [...SERIES, one]),
      ]);
      expect(refused.map((error) => error?.message)).toEqual([
        undefined,
        expect.stringMatching(/must move forward/),
        expect.stringMatching(/got one twice/),
        expect.stringMatching(/one value a series/),
        expect.stringMatching(/keyed by index/),
        undefined,
        undefined,
      ]);
      expect([...(await pointsOf(engine))!.t]).toEqual([0, 1, 5, 6].map((s) => T0 + s * 1000));
      // Born at 5, after the tick of 1: its first value is a rise.
      const [rises] = await engine.query({ metric: 'born', from: T0, to: T0 + 9_999, stepMs: 10_000, agg: 'increase' });
      expect(rises!.v[0]).toBe(6 * SERIES.length);
    } finally {
      await engine.close();
    }
  });

  it('are in the file when the store is closed, and seen by what is asked after them', async () => {
    const store = await open({ worker: WORKER });
    const appended = Array.from({ length: 700 }, (_, s) => store.append(tick(s)));
    const seen = await pointsOf(store);
    expect(seen!.t).toHaveLength(700);
    const wrong = store.append(tick(3));
    appended.push(store.append(tick(700)));
    await Promise.all([store[Symbol.asyncDispose](), expect(wrong).rejects.toMatchObject({ code: 'TIME_BACKWARDS' }), ...appended]);
    await using again = await open();
    expect((await pointsOf(again))!.t).toHaveLength(701);
  });
});

describe('a full disk', () => {
  it('fails appends with a clear error, shows the gap as a metric, and serves again once there is room', async () => {
    const engine = await MetricEngine.open({ path, readOnly: false });
    try {
      const clock = new ManualClock(T0);
      const registry = new MetricsRegistry({ clock });
      const gauge = registry.gauge({ name: 'level', help: 'Level.', labels: ['id'] });
      for (let i = 0; i < 500; i++) gauge.with({ id: String(i) }).set(i);
      const errors: unknown[] = [];
      const store = {
        append: (tick: Parameters<typeof engine.append>[0]) =>
          engine.append(tick).catch((error: unknown) => Promise.reject(errors.push(error) && error)),
      };
      registry.collect(store as never);
      await clock.advance(5000);
      engine.database.pragma(`max_page_count = ${Number(engine.database.pragma('page_count')) + 2}`);
      await clock.advance(10_000);
      expect(errors[0]).toMatchObject({ code: 'STORAGE', failure: 'full', message: expect.stringMatching(/disk is full/) });
      const lost = Number(/venuekit_store_append_failures_total (\d+)/.exec(registry.exposition())?.[1]);
      expect(lost).toBe(errors.length);
      engine.database.pragma('max_page_count = 1000000');
      await clock.advance(5000);
      expect(errors).toHaveLength(lost);
      const [result] = await engine.query({ metric: 'level', match: { id: '7' }, from: 0, to: Number.MAX_SAFE_INTEGER });
      expect(result!.t).toHaveLength(20 - lost);
      const [gap] = await engine.query({ metric: 'venuekit_store_append_failures_total', from: 0, to: Number.MAX_SAFE_INTEGER });
      expect(gap!.v.at(-1)).toBe(lost);
    } finally {
      await engine.close();
    }
  });

  it('during compaction loses nothing: the log keeps the slot until it can be written', async () => {
    const engine = await MetricEngine.open({ path, readOnly: false });
    try {
      await fillWithNoise(engine, 0, 599);
      // Room for the tick that ends the slot, none for its chunks.
      engine.database.pragma(`max_page_count = ${Number(engine.database.pragma('page_count')) + 8}`);
      await fillWithNoise(engine, 599, 601);
      await expect(engine.settled()).rejects.toMatchObject({ failure: 'full' });
      expect((await pointsOf(engine))!.t).toHaveLength(601);
      engine.database.pragma('max_page_count = 1000000');
      await fillWithNoise(engine, 601, 1201);
      await engine.settled();
      expect((await pointsOf(engine))!.t).toHaveLength(1201);
    } finally {
      await engine.close();
    }
  });
});

describe('kill -9', () => {
  it.each([
    ['with the database on a thread of its own', true, 3],
    ['with the database on the calling thread', false, 2],
  ])('loses no acknowledged tick, compaction included (%s)', { timeout: 90_000 }, async (_, worker, rounds) => {
    const found = await killWriters({ rounds, seed: 11, worker, writer: WRITER });
    for (const round of found) expect(round).toMatchObject({ missing: 0, wrong: 0, integrity: 'ok' });
    expect(found.at(-1)!.acknowledged).toBeGreaterThan(0);
  });

  it('between the writing of chunks and the end of a slot loses and doubles nothing (compaction once lost 320 of 3,680 ticks)', async () => {
    const first = await MetricEngine.open({ path, readOnly: false });
    await fill(first, 0, 599);
    await first.close();
    // What a crash in the middle of a compaction leaves: chunks of some series, the mark where it was.
    const half = await MetricEngine.open({ path, readOnly: false });
    await fill(half, 599, 601);
    await half.settled();
    half.database.write(() => {
      half.database.prepare('UPDATE mark SET t = 0 WHERE name = ?').run('compacted');
      half.database.prepare('DELETE FROM slot').run();
      half.database.prepare('DELETE FROM chunk WHERE id % 2 = 0').run();
      const d = (s: number) => new Uint8Array(Float64Array.from(SERIES, (_, i) => s * i).buffer);
      // The layout that the last ticks have: the one before goes with its ticks once they are in chunks.
      const insert = half.database.prepare('INSERT OR REPLACE INTO tick (t, epoch, d) VALUES (?, (SELECT max(id) FROM epoch), ?)');
      for (let s = 0; s < 600; s++) insert.run(T0 + s * 1000, d(s));
    });
    await half.close();
    await using store = await open();
    await store.settled();
    for (const id of ['3', '4']) {
      const points = (await pointsOf(store, id))!;
      expect([...points.t]).toEqual(Array.from({ length: 601 }, (_, s) => T0 + s * 1000));
      expect([...points.v]).toEqual(Array.from({ length: 601 }, (_, s) => s * Number(id)));
    }
    const minutes = await store.query({ metric: 'm', match: { id: '3' }, from: T0, to: T0 + 599_999, stepMs: 60_000, agg: 'increase' });
    expect([...minutes[0]!.v]).toEqual([177, 180, 180, 180, 180, 180, 180, 180, 180, 180]);
  });
});

describe('the thread', () => {
  it('is inside no call of SQLite when the process exits in the middle of compaction: the exit code is the process’s own', () => {
    for (const ticks of [601, 640, 1201]) {
      rmSync(path, { force: true });
      const { status, signal, stderr } = spawnSync(
        process.execPath,
        [fileURLToPath(WRITER), path, join(directory, 'times'), String(T0), '500', 'worker', String(ticks)],
        {
          encoding: 'utf8',
        },
      );
      expect({ status, signal }, stderr).toEqual({ status: 7, signal: null });
    }
  });

  it('does not keep the process alive when nobody closes the store', () => {
    const script = join(directory, 'forgetful.mjs');
    writeFileSync(
      script,
      `const { SqliteMetricStore } = await import(${JSON.stringify(STORE)});
      const store = await SqliteMetricStore.open({ path: ${JSON.stringify(path)}, worker: ${JSON.stringify(WORKER)} });
      await store.append({ t: ${T0}, series: [{ name: 'm', labels: {} }], values: Float64Array.of(1) });
      console.log((await store.stats()).points);`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 30_000 });
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: '1\n' });
  });

  it('that fails says so to every caller, and does not hang them', async () => {
    const broken = join(directory, 'broken.mjs');
    writeFileSync(broken, "throw new Error('no such thread')");
    await expect(open({ worker: broken })).rejects.toThrow(/thread failed: no such thread/);
  });
});
