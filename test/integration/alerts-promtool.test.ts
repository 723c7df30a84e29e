import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertEngine, type AlertRule } from '../../src/alerts/index.js';
import { EventBus } from '../../src/contracts/events.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../src/core/random.js';
import { MemoryMetricStore } from '../../src/stores/memory/memory-metric-store.js';

const SCENARIOS = 96;
const STEP_MS = 5_000;
const STEPS = 72;
/** promtool counts from the epoch. */
const T0 = 3_600_000;
const isInstalled = spawnSync('promtool', ['--version']).error === undefined;

/** Series of a scenario: a value a step, undefined where there is a gap, NaN for Prometheus' stale. */
type Samples = readonly (number | undefined)[];

interface Scenario {
  readonly name: string;
  readonly rule: AlertRule;
  readonly series: Readonly<Record<string, Samples>>;
}

const SERIES = ['{op="a"}', '{op="b"}'] as const;

function givenScenario(index: number): Scenario {
  const random = seededRandom(1_000 + index);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const base = {
    id: `r${index}`,
    severity: pick(['warning', 'critical'] as const),
    summary: 'Generated, with a {{ brace }} and a "quote".',
    everyMs: STEP_MS,
    forMs: pick([0, 0, STEP_MS, 2 * STEP_MS, 4 * STEP_MS]),
    keepFiringForMs: pick([0, 0, STEP_MS, 3 * STEP_MS]),
    ...(random() < 0.3 ? { labels: { team: 'desk' } } : {}),
  };
  const kind = index % 8;
  const gauge = (): Samples => walk(random, kind === 7 ? 0.3 : 0.12);
  const counter = (): Samples => climb(random);
  const op = pick(['>', '<', '>=', '<='] as const);
  const gauges = Object.fromEntries(SERIES.map((labels) => [`x${labels}`, gauge()]));
  const counters = Object.fromEntries(
    SERIES.flatMap((labels) => [
      [`errors_total${labels}`, counter()],
      [`calls_total${labels}`, counter()],
    ]),
  );
  const threshold = (expr: string, fire: number, more: object = {}): AlertRule =>
    ({ ...base, type: 'threshold', expr, op, fire, ...more }) as AlertRule;
  switch (kind) {
    case 0:
      return { name: `latest value ${op}`, rule: threshold('x', 5), series: gauges };
    case 1: {
      const clear = op === '>' || op === '>=' ? 3 : 7;
      return { name: `hysteresis ${op}`, rule: threshold('x', 5, { clear }), series: gauges };
    }
    case 2:
      return { name: 'rate', rule: threshold(pick(['rate(errors_total[30s])', 'sum(increase(errors_total[40s])) / 40']), 0.6), series: counters };
    case 3: {
      const expr = 'sum by (op) (increase(errors_total[30s])) / sum by (op) (increase(calls_total[30s]))';
      return { name: 'ratio with least samples', rule: threshold(expr, 0.8, { minSamples: 12 }), series: counters };
    }
    case 4: {
      const direction = pick(['up', 'down'] as const);
      return {
        name: `change ${direction}`,
        rule: { ...base, type: 'rate_of_change', expr: 'x', overMs: 4 * STEP_MS, percent: 40, direction },
        series: gauges,
      };
    }
    case 5: {
      const windows = [
        { longMs: 60_000, shortMs: 15_000, burn: 1.4 },
        { longMs: 120_000, shortMs: 30_000, burn: 1.1 },
      ];
      const rule: AlertRule = {
        ...base,
        type: 'burn_rate',
        errors: 'sum by (op) (errors_total)',
        total: 'sum by (op) (calls_total)',
        objective: 0.5,
        budgetWindowMs: 86_400_000,
        windows,
      };
      return { name: 'burn rate', rule, series: counters };
    }
    case 6:
      return {
        name: 'over a time',
        rule: threshold(pick(['avg_over_time(x[20s])', 'max_over_time(x[15s])', 'quantile_over_time(0.5, x[30s])', 'sum(min_over_time(x[20s]))']), 5),
        series: gauges,
      };
    default: {
      const only = gauges['x{op="a"}'] as Samples;
      return { name: 'absent', rule: { ...base, type: 'absent', expr: 'x{op="a"}', olderThanMs: 15_000 }, series: { 'x{op="a"}': only } };
    }
  }
}

/** A random walk between 0 and 10, with gaps and stale markers. */
function walk(random: Random, gap: number): Samples {
  let value = 5;
  let missing = 0;
  return Array.from({ length: STEPS }, () => {
    value = Math.min(10, Math.max(0, value + (random() - 0.5) * 4));
    if (missing === 0 && random() < gap) missing = 1 + Math.floor(random() * 5);
    if (missing > 0) return missing-- % 3 === 2 ? Number.NaN : undefined;
    return Math.round(value * 100) / 100;
  });
}

/** A counter that rises in bursts and is reset now and then, with gaps. */
function climb(random: Random): Samples {
  let value = 0;
  let pace = 3;
  return Array.from({ length: STEPS }, () => {
    if (random() < 0.1) pace = Math.floor(random() * 10);
    if (random() < 0.03) value = 0;
    value += Math.floor(random() * pace);
    return random() < 0.08 ? undefined : value;
  });
}

/** Steps at which each alert fires, by its labels, as our engine says. */
async function ours({
  rule,
  series,
}: Scenario): Promise<{ readonly firing: Map<string, number[]>; readonly yaml: string; readonly left: readonly string[] }> {
  const store = new MemoryMetricStore();
  const bus = new EventBus();
  // Prometheus misses a series from its first evaluation on; ours as soon as it has waited for one.
  await using engine = new AlertEngine({ store, bus, clock: new ManualClock(0), rules: [rule] });
  const firing = new Map<string, number[]>();
  for (let step = 0; step < STEPS; step++) {
    const t = T0 + step * STEP_MS;
    const present = Object.entries(series).filter(([, samples]) => samples[step] !== undefined);
    const keys = present.map(([text]) => {
      const [, name = '', op = ''] = /^(\w+)\{op="(\w)"\}$/.exec(text) ?? [];
      return { name, labels: { op } };
    });
    await store.append({ t, series: keys, values: Float64Array.from(present, ([, samples]) => samples[step] as number) });
    await engine.tick(t);
    for (const { state, labels, severity } of engine.instances()) {
      // What keeps firing is firing to Prometheus.
      if (state !== 'firing' && state !== 'recovering') continue;
      const key = labelsText({ ...labels, severity });
      firing.set(key, [...(firing.get(key) ?? []), step]);
    }
  }
  const { yaml, unsupported } = engine.toPrometheus();
  return { firing, yaml, left: unsupported };
}

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ');

/** promtool's own notation. */
const notation = (samples: Samples): string =>
  samples.map((value) => (value === undefined ? '_' : Number.isNaN(value) ? 'stale' : String(value))).join(' ');

/** One test of promtool, that asks for the alerts at every step. */
function testFile(scenario: Scenario, firing: ReadonlyMap<string, readonly number[]>): object {
  const { rule, series } = scenario;
  const steps = Array.from({ length: STEPS }, (_, step) => ({
    eval_time: `${step * STEP_MS}ms`,
    alertname: rule.id,
    exp_alerts: [...firing]
      .filter(([, at]) => at.includes(step))
      .map(([key]) => ({
        exp_labels: Object.fromEntries(key.split(', ').map((pair) => pair.split('=').map((part) => part.replaceAll('"', '')))) as Record<
          string,
          string
        >,
        exp_annotations: { summary: rule.summary },
      })),
  }));
  return {
    interval: `${STEP_MS}ms`,
    name: scenario.name,
    input_series: Object.entries(series).map(([name, samples]) => ({ series: name, values: notation(samples) })),
    alert_rule_test: steps,
  };
}

describe.skipIf(!isInstalled)('promtool test rules (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-promtool-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const judge = (name: string, yaml: string, tests: readonly object[]) => {
    writeFileSync(join(directory, `${name}.rules.yml`), yaml);
    // JSON is YAML.
    writeFileSync(
      join(directory, `${name}.test.yml`),
      JSON.stringify({ rule_files: [`${name}.rules.yml`], evaluation_interval: `${STEP_MS}ms`, tests }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', `${name}.test.yml`], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    return { status, said: `${stdout}${stderr}` };
  };

  it(`fires and stops at the same evaluations in ${SCENARIOS} generated scenarios`, async () => {
    let firings = 0;
    const wrong: string[] = [];
    for (let index = 0; index < SCENARIOS; index++) {
      const scenario = givenScenario(index);
      const { firing, yaml, left } = await ours(scenario);
      // Only what a rule file can say whole is compared.
      if (scenario.rule.type !== 'absent') expect(left, scenario.name).toEqual([]);
      for (const steps of firing.values()) firings += steps.length;
      const { status, said } = judge(`s${index}`, yaml, [testFile(scenario, firing)]);
      if (status !== 0) wrong.push(`${index} ${scenario.name}: ${said.slice(0, 1_500)}\n${yaml}`);
    }
    expect(wrong.length, wrong.slice(0, 3).join('\n')).toBe(0);
    // Scenarios in which nothing fires would prove little.
    expect(firings).toBeGreaterThan(SCENARIOS * 10);
  });

  it('would notice a firing that is one evaluation off, so that the comparison above can fail', async () => {
    const scenario = givenScenario(0);
    const { firing, yaml } = await ours(scenario);
    expect(judge('right', yaml, [testFile(scenario, firing)]).status).toBe(0);
    const late = new Map([...firing].map(([key, steps]) => [key, steps.slice(1)]));
    expect(judge('late', yaml, [testFile(scenario, late)]).status).not.toBe(0);
  });
});
