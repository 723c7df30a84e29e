import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { grafanaAlertRules, grafanaDashboard } from '../../scripts/grafana-dashboard.js';

const isInstalled = spawnSync('promtool', ['--version']).error === undefined;

/** What Prometheus says of expressions, each as a rule of its own. */
function check(expressions: readonly string[]): { readonly status: number | null; readonly said: string } {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-grafana-'));
  try {
    const path = join(directory, 'rules.yml');
    // JSON is YAML.
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'all', rules: expressions.map((expr, i) => ({ record: `r${i}`, expr })) }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', path], { encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe.skipIf(!isInstalled)('promtool (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  it('understands every expression of the Grafana dashboard and of the alert rules for Grafana', () => {
    const { panels } = grafanaDashboard() as { readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[] };
    const { rules } = grafanaAlertRules() as {
      readonly rules: readonly { readonly data: readonly { readonly model: { readonly expr: string } }[] }[];
    };
    // As Grafana fills its variables in.
    const filled = panels
      .flatMap(({ targets = [] }) => targets)
      .map(({ expr }) => expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*'));
    const { status, said } = check([...filled, ...rules.flatMap(({ data }) => data).map(({ model }) => model.expr)]);
    expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    expect(check(['sum(by(x)']).status).not.toBe(0);
  });
});
