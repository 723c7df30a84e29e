import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { runSession } from '../../workload/simulated-session.js';
import { givenATerminal } from './terminal.js';

const SECONDS = 420;
let directory: string;
let path: string;
let to: number;

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(args, terminal);
  return { ...output, code };
};

describe('venuekit analyze', () => {
  // The bot's store, with a venue that became slow four minutes into the session; still open, as beside a running bot.
  let store: SqliteMetricStore;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-analyze-'));
    path = join(directory, 'metrics.db');
    store = await SqliteMetricStore.open({ path });
    ({ to } = await runSession({ seed: 3, seconds: SECONDS, mishaps: 0, store, faults: [{ kind: 'latency step', atS: 240 }] }));
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  it('reports grade, insight and forecasts of the last hour, beside the bot that writes', async () => {
    const { code, out, err } = await venuekit('analyze', path);
    expect(code).toBe(0);
    expect(out).toMatch(/^2023-12-31T23:0\d:\d\dZ to 2024-01-01T00:0\d:\d\dZ\nGrade: [A-F]/);
    expect(out).toMatch(/What changed for the worse:\n- 2024-01-01T00:0[34]:\d\dZ venue: .*latency.* rose from/);
    expect(out).toMatch(/In 30 minutes:\n- venuekit_/);
    expect(err).toMatch(/^\d+ of \d+ series analyzed\n/);
  });

  it('prints one JSON document of a versioned schema alone on standard output', async () => {
    const { code, out } = await venuekit('analyze', path, '--json', '--from', '2m');
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ schema: 'venuekit.analytics-report/1', health: expect.any(String), grade: { letter: expect.any(String) } });
    expect(report.to - report.from).toBe(120_000);
    expect(Math.abs(report.to - to)).toBeLessThan(2_000);
  });

  it('takes a range in UTC', async () => {
    const { code, out } = await venuekit('analyze', path, '--from', '2024-01-01T00:01', '--to', '2024-01-01T01:05:00+01:00');
    expect(code).toBe(0);
    expect(out).toMatch(/^2024-01-01T00:01:00Z to 2024-01-01T00:05:00Z\n/);
  });

  it.each([
    [['--from', 'yesterday'], /option '--from <time>'.*It must be a time as 2026-11-27T14:30Z, or how long before/],
    [['--form', '-1h'], /unknown option '--form'\n\(Did you mean --from\?\)/],
    [['--from', '1m', '--to', '-2m'], /--from must lie before --to, got 2024-01-01T00:0/],
    [['--from', '2030-01-01', '--to', '2031-01-01'], /--from must lie before the newest record, 2024-01-01T00:0\S+, got 2030-01-01T00:00:00.000Z/],
  ])('exits with 2 at %j and names the option', async (args, message) => {
    const { code, out, err } = await venuekit('analyze', path, ...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(message);
  });

  it('fails without a file, or with one that is no metric store or holds nothing yet', async () => {
    const absent = await venuekit('analyze', join(directory, 'absent.db'));
    expect(absent).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^There is no file .*absent\.db\.\n$/) });
    writeFileSync(join(directory, 'notes.txt'), 'not a database at all, but long enough to be taken for one'.repeat(30));
    const strange = await venuekit('analyze', join(directory, 'notes.txt'));
    expect(strange).toMatchObject({ code: 1, out: '' });
    expect(strange.err).toMatch(/notes\.txt/);
    await using empty = await SqliteMetricStore.open({ path: join(directory, 'empty.db') });
    expect(await empty.newest()).toBeUndefined();
    expect(await venuekit('analyze', join(directory, 'empty.db'))).toMatchObject({ code: 1, err: expect.stringMatching(/holds no metrics yet/) });
  });

  it('stops when it is interrupted, and reports nothing', async () => {
    const { output, terminal } = givenATerminal();
    const interruption = new AbortController();
    const err = (text: string): void => {
      interruption.abort();
      terminal.err(text);
    };
    const interrupted = { ...terminal, signal: interruption.signal, err };
    expect(await run(['analyze', path], interrupted)).toBe(1);
    expect(output.out).toBe('');
    expect(output.err).toMatch(/Interrupted; nothing was reported\.\n$/);
  });
});
