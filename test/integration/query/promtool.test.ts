import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileQuery, queryInstant, toPromQL } from '../../../src/query/index.js';
import { type World, world } from '../../property/query/worlds.js';
import { storeOf, ticksOf } from '../../unit/query/history.js';

const isInstalled = spawnSync('promtool', ['--version']).error === undefined;
const WORLDS = 60;

type Answer = Readonly<Record<string, number>> | 'refused';

/** What promtool, told to expect nothing, says that it got instead; an entry a question, in order. */
function askPromtool(worlds: readonly World[]): Answer[] {
  const tests = worlds.map(({ intervalMs, series, questions }) => ({
    interval: `${intervalMs}ms`,
    input_series: series.map(({ name, labels, values }) => ({
      series: `${name}{${Object.entries(labels ?? {})
        .map(([label, value]) => `${label}="${value}"`)
        .join(',')}}`,
      values: values.map((value) => (value === undefined ? '_' : Number.isNaN(value) ? 'stale' : value)).join(' '),
    })),
    promql_expr_test: questions.map(({ query, afterMs }) => ({ expr: toPromQL(query).promql, eval_time: `${afterMs}ms`, exp_samples: [] })),
  }));
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-promtool-'));
  try {
    const file = join(directory, 'tests.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ rule_files: [], evaluation_interval: '1s', tests }));
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8', maxBuffer: 1e8, timeout: 60_000 });
    return readAnswers(`${stdout}${stderr}`, worlds);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readAnswers(output: string, worlds: readonly World[]): Answer[] {
  const told = new Map<string, Answer[]>();
  for (const [, expr, time, rest] of output.matchAll(/expr: ("(?:[^"\\]|\\.)*"), time: (\S+?),(.*(?:\n {8}.*)*)/g)) {
    const key = `${JSON.parse(expr as string)} at ${millisecondsOf(time as string)}`;
    const got = /got: (.*)/.exec(rest as string)?.[1];
    told.set(key, [...(told.get(key) ?? []), got === undefined ? 'refused' : samplesOf(got)]);
  }
  return worlds.flatMap(({ questions }) => questions.map(({ query, afterMs }) => told.get(`${toPromQL(query).promql} at ${afterMs}`)?.shift() ?? {}));
}

function millisecondsOf(duration: string): number {
  const sizes: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  let total = 0;
  for (const [, count, unit] of duration.matchAll(/(\d+)(ms|[hms])/g)) total += Number(count) * (sizes[unit as string] as number);
  return total;
}

function samplesOf(got: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const [, labels, value] of got.matchAll(/\{([^}]*)\} ([^\s,]+)/g))
    samples[(labels as string).split(', ').sort().join()] = Number((value as string).replace('Inf', 'Infinity'));
  return samples;
}

async function ask({ series, intervalMs }: World, query: string, afterMs: number): Promise<Answer> {
  const ticks = ticksOf(series, intervalMs).map((tick) => ({ ...tick, t: tick.t - ticksStart }));
  try {
    const { series: found } = await queryInstant(await storeOf(ticks), query, { at: afterMs });
    return Object.fromEntries(
      found.map(({ name, labels, v }) => {
        const all = Object.entries(name === undefined ? labels : { __name__: name, ...labels });
        return [
          all
            .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
            .sort()
            .join(),
          v[0] as number,
        ];
      }),
    );
  } catch (error) {
    if ((error as { code?: string }).code === 'QUERY_EVALUATION') return 'refused';
    throw error;
  }
}

const ticksStart = ticksOf([{ name: 'x', values: [0] }])[0]?.t as number;

function isNear(a: number, b: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-3);
}

function agree(ours: Answer, theirs: Answer): boolean {
  if (ours === 'refused' || theirs === 'refused') return ours === theirs;
  const keys = Object.keys(ours);
  return (
    keys.length === Object.keys(theirs).length &&
    keys.every((key) => Object.hasOwn(theirs, key) && isNear(ours[key] as number, theirs[key] as number))
  );
}

describe.skipIf(!isInstalled)('promtool (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  it(`gives the same answers in ${WORLDS} random histories with gaps, resets and staleness`, async () => {
    const worlds = fc.sample(world, { seed: 20_231_114, numRuns: WORLDS });
    const theirs = askPromtool(worlds);
    const differences: string[] = [];
    let [answered, refused, i] = [0, 0, 0];
    for (const one of worlds) {
      for (const { query, afterMs } of one.questions) {
        const expected = theirs[i++] as Answer;
        const ours = await ask(one, query, afterMs);
        if (expected === 'refused') refused++;
        else if (Object.keys(expected).length > 0) answered++;
        if (!agree(ours, expected)) differences.push(`${query} at ${afterMs}: ${JSON.stringify(ours)}, promtool ${JSON.stringify(expected)}`);
      }
    }
    expect(differences).toEqual([]);
    // Most have an answer: a comparison of nothing with nothing would pass as well.
    expect(answered).toBeGreaterThan(i / 2);
    expect(refused).toBeGreaterThan(0);
  });

  it('is told when an answer differs, so that the comparison above can fail', async () => {
    const [one] = fc.sample(world, { seed: 1, numRuns: 1 });
    if (one === undefined) throw new Error('there is a world');
    const wrong = { ...one, questions: [{ query: 'count(c) + 1', afterMs: 30_000 }] };
    const [theirs] = askPromtool([wrong]);
    expect(agree(await ask(one, 'count(c)', 30_000), theirs as Answer)).toBe(false);
    expect(compileQuery('count(c) + 1').text).toBe('count(c) + 1');
  });
});
