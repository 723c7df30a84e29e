import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import { grafanaFiles } from '../../../scripts/grafana-dashboard.js';
import { metricsReference } from '../../../scripts/metrics-reference.js';
import { run } from '../../../src/cli/run.js';
import { givenATerminal } from './terminal.js';

interface Query {
  readonly expr: string;
  readonly refId: string;
}
interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly options?: object;
  readonly fieldConfig?: { readonly defaults: { readonly custom?: object } };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Query[];
}
interface Dashboard {
  readonly panels: readonly GrafanaPanel[];
}
interface RuleGroup {
  readonly rules: readonly { readonly title: string; readonly data: readonly { readonly model: Query }[] }[];
}

const venuekit = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(['grafana', ...args], terminal);
  return { ...output, code };
};

const checks = new Map<string, ValidateFunction>();

/** Of Grafana's Foundation SDK. @returns what is wrong with a value that should be a `definition`, in words */
function schemaOf(name: string): (definition: string, value: unknown) => readonly string[] {
  return (definition, value) => {
    const check = checks.get(`${name} ${definition}`) ?? compile(name, definition);
    checks.set(`${name} ${definition}`, check);
    check(value);
    return (check.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  };
}

function compile(name: string, definition: string): ValidateFunction {
  const path = fileURLToPath(new URL(`../../fixtures/grafana/${name}.jsonschema.json`, import.meta.url));
  const { definitions } = JSON.parse(readFileSync(path, 'utf8')) as { readonly definitions: object };
  return new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile({ definitions, $ref: `#/definitions/${definition}` });
}

/** Names of metrics in a text of PromQL, without what Prometheus makes of a histogram. */
function metricsIn(promql: string): readonly string[] {
  return (promql.match(/venuekit_\w+/g) ?? []).map((name) => name.replace(/_(bucket|count|sum)$/, ''));
}

/** Metrics and their labels, as the reference has them. */
const known = new Map(
  [...metricsReference().matchAll(/^\| `(venuekit_\w+)` \| (\w+) \| (.*?) \|/gm)].map(([, name, kind, labels]) => [
    name!,
    { kind, labels: new Set([...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!)) },
  ]),
);

describe('venuekit grafana', () => {
  it('prints a dashboard that keeps the schema of Grafana, and each panel that of its kind', async () => {
    const { code, out, err } = await venuekit();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const dashboard = JSON.parse(out) as Dashboard;
    expect(schemaOf('dashboard')('Dashboard', dashboard)).toEqual([]);
    const isQuery = schemaOf('prometheus');
    for (const { title, type, options, fieldConfig, targets = [] } of dashboard.panels) {
      if (type === 'row') continue;
      const keeps = schemaOf(type);
      expect([title, keeps('Options', options)]).toEqual([title, []]);
      if (type === 'timeseries') expect([title, keeps('FieldConfig', fieldConfig?.defaults.custom ?? {})]).toEqual([title, []]);
      expect(targets.length).toBeGreaterThan(0);
      for (const target of targets) expect([title, isQuery('Dataquery', target)]).toEqual([title, []]);
    }
  });

  it('would notice what is against the schema, so that the check above can fail', async () => {
    const dashboard = JSON.parse((await venuekit()).out) as Dashboard;
    expect(schemaOf('dashboard')('Dashboard', { ...dashboard, panelz: [] })).toEqual([expect.stringContaining('panelz')]);
    expect(schemaOf('timeseries')('Options', { legend: { showLegend: 'yes' } })).not.toEqual([]);
  });

  it('asks for metrics and labels that exist, on panels that overlap nowhere', async () => {
    const { panels } = JSON.parse((await venuekit()).out) as Dashboard;
    const asked = new Set<string>();
    for (const { expr } of panels.flatMap(({ targets = [] }) => targets)) {
      const names = metricsIn(expr);
      expect([expr, names.filter((name) => !known.has(name))]).toEqual([expr, []]);
      for (const name of names) asked.add(name);
      for (const [, labels] of expr.matchAll(/by \(([^)]*)\)/g))
        for (const label of labels!.split(', ').filter((one) => !['le', 'job', 'instance'].includes(one)))
          expect([expr, label, names.some((name) => known.get(name)!.labels.has(label))]).toEqual([expr, label, true]);
      for (const [, name, selector] of expr.matchAll(/(venuekit_\w+)\{([^}]*)\}/g))
        for (const [, label] of selector!.matchAll(/(\w+)=/g))
          if (label !== 'job' && label !== 'instance') expect([name, known.get(metricsIn(name!)[0]!)!.labels.has(label!)]).toEqual([name, true]);
    }
    expect(asked.size).toBeGreaterThan(30);
    const taken = new Set<string>();
    for (const { gridPos } of panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x).toBeLessThan(24);
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
  });

  it('prints the standard rules as a group for Grafana’s alerting, which keeps its schema, too', async () => {
    const { code, out } = await venuekit('--alerts', 'grafana');
    expect(code).toBe(0);
    const group = JSON.parse(out) as RuleGroup;
    expect(schemaOf('alerting')('RuleGroup', group)).toEqual([]);
    expect(group.rules.map(({ title }) => title)).toContain('error-rate (critical)');
    for (const { model } of group.rules.flatMap(({ data }) => data)) {
      expect(schemaOf('prometheus')('Dataquery', model)).toEqual([]);
      expect(metricsIn(model.expr).filter((name) => !known.has(name))).toEqual([]);
      expect(model.expr).not.toContain('ALERTS');
    }
  });

  it('prints them as a rule file for Prometheus, and says what that leaves out', async () => {
    const { code, out, err } = await venuekit('--alerts', 'prometheus');
    expect(code).toBe(0);
    expect(out).toMatch(/^groups:\n.*- alert: "error-rate"/s);
    expect(err).toMatch(/^not in the file: error-rate.*: actions are done by venuekit alone/m);
  });

  it('refuses another kind of alerts', async () => {
    const { code, err } = await venuekit('--alerts', 'loki');
    expect([code, err]).toEqual([2, expect.stringMatching(/Allowed choices are prometheus, grafana/)]);
  });

  it('ships what scripts/grafana-dashboard.ts makes', () => {
    for (const [name, text] of Object.entries(grafanaFiles()))
      expect(
        readFileSync(new URL(`../../../src/cli/grafana/${name}.json`, import.meta.url), 'utf8'),
        `run npx tsx scripts/grafana-dashboard.ts`,
      ).toBe(text);
  });
});
