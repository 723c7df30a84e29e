import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { givenATerminal } from './terminal.js';

const AT = Date.UTC(2026, 0, 5, 9, 30);

let directory: string;
let path: string;
let writer: SqliteMetricStore;

// Still open for writing while the command reads.
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-cli-'));
  path = join(directory, 'metrics.db');
  writer = await SqliteMetricStore.open({ path, worker: false });
  const series = ['order', 'cancel'].map((operation) => ({ name: 'venuekit_venue_calls_total', labels: { operation } }));
  for (let i = 0; i <= 120; i++) await writer.append({ t: AT + i * 1_000, series, values: Float64Array.of(i < 60 ? i : 60 + (i - 60) * 3, 7) });
});
afterAll(async () => {
  await writer[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(['query', ...args], terminal);
  return { ...output, code };
};

const END = '2026-01-05T09:32:00Z';

describe('venuekit query', () => {
  it('answers for one instant, while another process writes', async () => {
    const { code, out, err } = await venuekit(path, 'increase(venuekit_venue_calls_total[1m])', '--to', END);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
      ['SERIES', 'VALUE'],
      ['{operation="order"}', '180'],
      ['{operation="cancel"}', '0'],
      [''],
    ]);
  });

  it('answers for a time with a line and a picture a series', async () => {
    const { code, out } = await venuekit(
      path,
      'rate(venuekit_venue_calls_total{operation="order"}[10s])',
      '--from',
      '2026-01-05T09:29:00Z',
      '--to',
      END,
      '--step',
      '10s',
    );
    expect(code).toBe(0);
    const [head, line] = out.split('\n').map((text) => text.split(/\s{2,}/));
    expect(head).toEqual(['SERIES', 'MIN', 'MEAN', 'MAX', 'LAST', 'CHART']);
    expect(line?.slice(0, 5)).toEqual(['{operation="order"}', '1', '2', '3', '3']);
    expect(line?.[5]).toBe('▁▁▁▁▁▁██████');
  });

  it('prints JSON alone, with its warnings beside', async () => {
    const { code, out, err } = await venuekit(path, 'venuekit_venue_call_total or vector(1) / 0', '--to', END, '--json');
    expect(code).toBe(0);
    const warning = 'no series of venuekit_venue_call_total has been kept; did you mean venuekit_venue_calls_total?';
    expect(err).toBe(`${warning}\n`);
    expect(JSON.parse(out)).toEqual({
      query: 'venuekit_venue_call_total or vector(1) / 0',
      at: AT + 120_000,
      type: 'vector',
      series: [{ labels: {}, points: [[AT + 120_000, '+Inf']] }],
      warnings: [warning],
    });
  });

  it('says so when nothing has a value', async () => {
    const { code, out, err } = await venuekit(path, 'venuekit_venue_calls_total > 1000', '--from', '2026-01-05T09:30:00Z', '--to', END);
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'nothing has a value then\n' });
  });

  it('is called wrongly with an expression that can not be read, and shows where', async () => {
    const { code, out, err } = await venuekit(path, 'rat(venuekit_venue_calls_total[1m])');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('error: there is no function rat, at column 1\n  rat(venuekit_venue_calls_total[1m])\n  ^^^\nHint: did you mean rate?');
  });

  it.each([
    [['--from', 'yesterday'], 'Expected a time such as'],
    [['--step', '5', '--from', '1h'], 'Expected a duration such as'],
    [['--from', 'now', '--to', '1h'], '--from must not be after --to'],
    [['--step', '5s'], '--step needs --from'],
    [['--frm', '1h'], 'Did you mean --from?'],
  ])('is called wrongly with %j', async (args, reason) => {
    const { code, err } = await venuekit(path, 'x', ...args);
    expect(code).toBe(2);
    expect(err).toContain(reason);
  });

  it('fails where there is no file, too many steps are asked for, or the answer is ambiguous', async () => {
    expect(await venuekit(join(directory, 'none.db'), 'x')).toMatchObject({ code: 1, err: expect.stringContaining('There is no file') });
    expect(await venuekit(path, 'x', '--from', '365d', '--step', '1s')).toMatchObject({ code: 1, err: expect.stringContaining('make it longer') });
    const ambiguous = await venuekit(path, 'venuekit_venue_calls_total / on () venuekit_venue_calls_total', '--to', END);
    expect(ambiguous).toMatchObject({ code: 1, err: expect.stringMatching(/^Two elements on the right match the same one/) });
  });
});
