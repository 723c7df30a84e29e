import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificationReport } from '../../../src/certification/index.js';
import { run } from '../../../src/cli/run.js';
import type { Terminal } from '../../../src/cli/terminal.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { ConnectionPool } from '../../../src/pool/index.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { VirtualTimeStore } from '../../workload/virtual-time-store.js';
import { givenATerminal } from './terminal.js';

let directory: string;
let db: string;

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(args, terminal);
  return { ...output, code };
};

/** A bot whose two connections are too few, for 90 s: its metrics and its trace on disk. */
async function givenARecordedRun(): Promise<void> {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const store = await SqliteMetricStore.open({ path: db });
  const trace = { path: join(directory, 'trace.bin') };
  const kit = await createVenueKit({
    clock,
    random,
    store: new VirtualTimeStore(store),
    rules: [],
    trace,
    tuning: { pools: { sessions: { max: 2 } } },
  });
  await kit.start();
  const create = async (): Promise<object> => {
    await clock.sleep(20);
    return {};
  };
  const pool = new ConnectionPool<object>({ ...kit.tuning.pools?.sessions, name: 'sessions', bus: kit.bus, clock, random, create });
  for (let i = 0; i < 900; i++) {
    void pool.use(() => clock.sleep(100 + 140 * random()));
    await clock.advance(100);
  }
  await clock.advance(10_000);
  await pool.close();
  await kit.close();
  await store[Symbol.asyncDispose]();
}

let hosts = 0;

/** The options of a host whose clock runs as fast as the machine lets it. */
function givenAFastHost(): { readonly file: string; readonly venue: SimulatedVenue; readonly [Symbol.dispose]: () => void } {
  const clock = new ManualClock(Date.UTC(2026, 10, 27));
  const venue = new SimulatedVenue({ clock, seed: 3, latency: { p50Ms: 40, p99Ms: 40 }, symbols: { 'BTC/USDT': { price: 60_000 } } });
  const adapter = simulatedBroker(venue);
  const tuning = { marketData: { kinds: { quote: { ttlMs: 3_000, swrMs: 0, prefetch: 'off' } } } };
  Object.assign(globalThis, { venuekitFastHost: { clock, broker: adapter, marketData: adapter, tuning, rules: [] } });
  let isOver = false;
  const pass = (): void => {
    if (!isOver) void clock.advance(500).then(() => setImmediate(pass));
  };
  pass();
  // A name of its own: a module is loaded once.
  const file = join(directory, `host-${hosts++}.mjs`);
  writeFileSync(file, 'export default globalThis.venuekitFastHost;');
  return { file, venue, [Symbol.dispose]: () => void (isOver = true) };
}

describe('venuekit plan --options', () => {
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-probe-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('probes a kit that has no record yet, orders nothing, and writes what it proposes', async () => {
    using host = givenAFastHost();
    const applied = join(directory, 'probed.json');
    const { out, err, code } = await venuekit('plan', '--options', host.file, '--duration', '31', '--symbols', 'BTC/USDT', '--apply', applied);
    expect(err).toContain('a probe of 31 s: quotes and bars of BTC/USDT are read, nothing is ordered');
    expect(err).toContain('30 of 31 s');
    expect(out).toMatch(/market-data cache +\S/);
    expect(JSON.parse(readFileSync(applied, 'utf8'))).toMatchObject({ schema: 'venuekit.tuning/1' });
    expect(host.venue.orders()).toEqual([]);
    expect(code).toBe(0);
  });

  it('gives what it has when it is interrupted, and writes nothing', async () => {
    using host = givenAFastHost();
    const { output, terminal } = givenATerminal();
    const interruption = new AbortController();
    const err = (text: string): void => {
      output.err += text;
      if (text.startsWith('10 of')) interruption.abort();
    };
    const applied = join(directory, 'interrupted.json');
    const code = await run(['plan', '--options', host.file, '--duration', '40', '--json', '--apply', applied], {
      ...terminal,
      err,
      signal: interruption.signal,
    });
    expect(JSON.parse(output.out)).toMatchObject({ partial: true });
    expect(output.err).toContain('Interrupted: this is a part, and nothing was written.');
    expect(existsSync(applied)).toBe(false);
    expect(code).toBe(1);
  });

  it.each([
    [[], /Name the metric store of a run .*, or --options <file> of a kit to probe/, 2],
    [['some.db', '--options', 'kit.mjs'], /give one of the two/, 2],
    [['--options', '/nowhere.mjs'], /There is no file \/nowhere.mjs/, 1],
    [['--options', 'x', '--duration', '30'], /from 31 to 3600/, 2],
    [['--options', 'x', '--symbols', 'a,,b'], /names with commas between/, 2],
  ])('refuses %j with a message that says why', async (args, message, exitCode) => {
    const { err, code } = await venuekit('plan', ...args);
    expect(err).toMatch(message);
    expect(code).toBe(exitCode);
  });
});

describe('venuekit plan', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-plan-'));
    db = join(directory, 'metrics.db');
    await givenARecordedRun();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('shows components, plan with estimates, and targets', async () => {
    const { code, out, err } = await venuekit('plan', db);
    expect(code).toBe(0);
    expect(out).toMatch(/COMPONENT +VERDICT\n/);
    expect(out).toMatch(/connection pool +missed: waitP95Ms/);
    expect(out).toMatch(
      /PHASE +FINDING +OPTION +FROM +TO +EFFORT +EXPECTED\n1 +pool-too-small +pools\.sessions\.max +2 +\d+ +low +mean wait .* → .*/,
    );
    expect(out).toMatch(/AREA +TARGET +NOW +THEN +PHASE\n/);
    expect(err).toContain('20 of 20 detectors');
    expect(err).toMatch(/cache-too-small could not tell: /);
  });

  it('prints one JSON document of a versioned schema alone on standard output', async () => {
    const { code, out } = await venuekit('plan', db, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'venuekit.performance-report/1',
      components: { length: 6 },
      opportunities: [{ id: 'pool-too-small', estimate: { how: expect.stringContaining('replayed through ConnectionPool') } }],
    });
  });

  it('gives no estimate without a trace, and says so', async () => {
    const elsewhere = join(directory, 'nowhere.bin');
    expect(await venuekit('plan', db, '--trace', elsewhere)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`There is no trace ${elsewhere}`),
    });
  });

  it('writes an options file on top of what is in it, which createVenueKit reads before what the code says', async () => {
    const file = join(directory, 'options.json');
    writeFileSync(file, JSON.stringify({ schema: 'venuekit.tuning/1', policy: { timeoutMs: 700 } }));
    const { code, err } = await venuekit('plan', db, '--apply', file);
    expect(code).toBe(0);
    expect(err).toContain(`${file}: pools.sessions.max`);
    const written = JSON.parse(readFileSync(file, 'utf8'));
    expect(written).toMatchObject({ schema: 'venuekit.tuning/1', policy: { timeoutMs: 700 } });
    expect(written.pools.sessions.max).toBeGreaterThan(2);
    await using kit = await createVenueKit({ optionsFile: file, policy: { timeoutMs: 900, deadlineMs: 5_000 } });
    expect(kit.tuning).toMatchObject({ pools: written.pools, policy: { timeoutMs: 700, deadlineMs: 5_000 } });
  });

  it('certifies a kit with the options file that it wrote, and with those of the trace', async () => {
    const file = join(directory, 'planned.json');
    expect(await venuekit('plan', db, '--apply', file)).toMatchObject({ code: 0 });
    const { max } = (JSON.parse(readFileSync(file, 'utf8')) as { pools: { sessions: { max: number } } }).pools.sessions;
    const certified = await venuekit('certify', '--options', file, '--only', 'integration.pools', '--duration', '10', '--json');
    expect(certified).toMatchObject({ code: 0 });
    expect(JSON.parse(certified.out)).toMatchObject({
      options: { tuning: { pools: { sessions: { max } } } },
      categories: [{ checks: [{ id: 'integration.pools', passed: true, measured: expect.stringMatching(/^sessions: 0 in use in the end/) }] }],
    });
    const asRecorded = await venuekit('certify', '--options', join(directory, 'trace.bin'), '--only', 'production.limits-configured', '--json');
    expect(JSON.parse(asRecorded.out)).toMatchObject({ options: { tuning: { pools: { sessions: { max: 2 } } } } });
  });

  it('certifies what the record of the run shows, without a level, and says which checks need a live kit', async () => {
    const { code, out, err } = await venuekit('certify', db, '--json');
    const report = JSON.parse(out) as CertificationReport;
    expect(report).toMatchObject({ partial: true, ready: false });
    expect(report).not.toHaveProperty('level');
    expect(report.categories.flatMap(({ checks }) => checks)).toContainEqual(
      expect.objectContaining({
        id: 'performance.recorded-objectives',
        passed: false,
        measured: expect.stringContaining('connection pool missed: waitP95Ms'),
      }),
    );
    expect(report.leftOut).toContainEqual({ id: 'production.durability', why: expect.stringContaining('it needs a live kit') });
    expect(err).toContain('7 of 7 checks: production.recorded-journal');
    expect(code).toBe(1);
    expect((await venuekit('certify', db)).out).toContain('It is the record of a run: no level.');
  });

  it.each([
    [['certify', 'nowhere.db'], 1, /There is no file nowhere.db/],
    [['certify', 'DB', '--journal', 'nowhere.db'], 1, /There is no file nowhere.db \(--journal\)/],
    [['certify', 'DB', '--options', 'kit.mjs'], 2, /give one of the two/],
    [['certify', 'DB', '--from', '20s'], 1, /has 20 s of venuekit's metrics.*30 s are needed/],
  ])('says what is wrong with %j', async (args, code, message) => {
    expect(await venuekit(...args.map((arg) => (arg === 'DB' ? db : arg)))).toMatchObject({ code, err: expect.stringMatching(message) });
  });

  it('does not write over a file that is something else', async () => {
    const file = join(directory, 'precious.json');
    writeFileSync(file, '{"mine":true}');
    expect(await venuekit('plan', db, '--apply', file)).toMatchObject({ code: 1, err: expect.stringContaining('is no options file of venuekit') });
    expect(readFileSync(file, 'utf8')).toBe('{"mine":true}');
  });

  it('applies nothing when it is interrupted, and shows what it has as a part', async () => {
    const interruption = new AbortController();
    const { output, terminal } = givenATerminal();
    const err = (text: string): void => {
      terminal.err(text);
      if (text.startsWith('10 of')) interruption.abort();
    };
    const interrupted: Terminal = { ...terminal, err, signal: interruption.signal };
    const file = join(directory, 'never.json');
    expect(await run(['plan', db, '--apply', file, '--json'], interrupted)).toBe(1);
    expect(JSON.parse(output.out)).toMatchObject({ partial: true });
    expect(output.err).toContain('Interrupted: this is a part, and nothing was written.');
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    [['--from', 'yesterday'], /It must be a time as/],
    [['--from', '1m', '--to', '5m'], /--from must lie before --to/],
    [['--form', '1m'], /unknown option '--form'[\s\S]*--from/],
  ])('refuses wrong usage: %j', async (args, message) => {
    expect(await venuekit('plan', db, ...args)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });

  it('says how much is needed of a range with too little', async () => {
    expect(await venuekit('plan', db, '--from', '20s')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has 20 s of venuekit's metrics.*30 s are needed/),
    });
  });
});
