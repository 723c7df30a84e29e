import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { givenATerminal } from './terminal.js';

const FROM = Date.UTC(2026, 0, 5, 9, 30);

let directory: string;
let path: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-report-'));
  path = join(directory, 'metrics.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(args, terminal);
  return { ...output, code };
};

/** Two minutes of calls, one a second, of which every tenth failed. */
async function givenAStore(): Promise<void> {
  await using store = await SqliteMetricStore.open({ path });
  const labels = { venue: 'sim', operation: 'place' };
  const series = [
    { name: 'venuekit_venue_calls_total', labels },
    { name: 'venuekit_venue_call_failures_total', labels },
  ];
  for (let second = 0; second < 120; second++)
    await store.append({ t: FROM + second * 1_000, series, values: Float64Array.of(second, Math.floor(second / 10)) });
}

describe('venuekit report', () => {
  it('writes what the store has on record, and says how far it is', async () => {
    await givenAStore();
    const out = join(directory, 'made/report.json');
    const { code, err, out: printed } = await venuekit('report', path, '--out', out, '--title', 'Monday');
    expect({ code, printed }, err).toEqual({ code: 0, printed: '' });
    expect(err).toMatch(
      /2026-01-05T09:30:00\.000Z to 2026-01-05T09:32:00\.000Z, as json\n.*analysed \d+ series; drawing\n.*report\.json, \d+ bytes\n$/s,
    );
    const report = JSON.parse(readFileSync(out, 'utf8')) as Record<string, unknown> & { charts: { id: string; words: string }[] };
    expect(report).toMatchObject({ schema: 'venuekit.dashboard-report/1', title: 'Monday', from: FROM, to: FROM + 120_000 });
    expect(report.charts.map(({ id }) => id)).toEqual(['latency', 'throughput', 'errors', 'cache', 'utilisation', 'metric', 'alerts']);
    expect(report.charts[2]!.words).toMatch(/^9\.24 % of calls failed/);
    expect(report.charts[3]!.words).toMatch(/^No read of market data was counted/);
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  it('prints JSON alone to the standard output', async () => {
    await givenAStore();
    const { out } = await venuekit('report', path, '--format', 'json', '--out', '-');
    expect(JSON.parse(out)).toMatchObject({ title: 'metrics.db', grade: { letter: 'C-' } });
  });

  it.each([
    [['report', 'nowhere.db'], 1, /There is no file nowhere\.db/],
    [['report', 'PATH', '--format', 'gif'], 2, /--format.*gif.*Allowed choices are svg, png, html, json, pdf/s],
    [['report', 'PATH', '--from', 'yesterday'], 2, /--from.*Expected a time such as/s],
    [['report', 'PATH', '--from', '1h', '--to', '2h'], 1, /--from must be before --to/],
    [['report', 'PATH', '--frmat', 'pdf'], 2, /unknown option '--frmat'.*--format/s],
    [['dashboard', 'nowhere.db'], 1, /There is no file nowhere\.db/],
    [['dashboard', 'PATH', '--port', '70000'], 2, /--port.*whole number from 0 to 65535/s],
  ])('ends %j with %d', async (args, expected, message) => {
    await givenAStore();
    const { code, err } = await venuekit(...args.map((arg) => (arg === 'PATH' ? path : arg)));
    expect(err).toMatch(message);
    expect(code).toBe(expected);
  });

  it('says of an empty file that there is nothing in it', async () => {
    await (await SqliteMetricStore.open({ path }))[Symbol.asyncDispose]();
    const { code, err } = await venuekit('report', path);
    expect(err).toMatch(/Nothing is recorded in this file/);
    expect(code).toBe(1);
  });
});
