import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertEngine, type AlertRule, alertmanagerNotifier } from '../../src/alerts/index.js';
import { MemoryMetricStore } from '../../src/stores/memory/memory-metric-store.js';
import { freePort } from '../setup/free-port.js';

const isInstalled = spawnSync('prometheus-alertmanager', ['--version']).error === undefined;

const CONFIG = `
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
receivers:
  - name: nobody
inhibit_rules:
  - source_matchers: ['alertname = "data-staleness"', 'severity = "critical"']
    target_matchers: ['alertname = "latency-p99"']
    equal: [venue]
`;

interface Listed {
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}

describe.skipIf(!isInstalled)('Alertmanager (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  let directory: string;
  let server: ChildProcess | undefined;
  let base: string;
  let log = '';

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-alertmanager-'));
    writeFileSync(join(directory, 'alertmanager.yml'), CONFIG);
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const options = [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    server = spawn('prometheus-alertmanager', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr?.on('data', (part: Buffer) => {
      log += part.toString();
    });
    await until(async () => (await fetch(`${base}/-/ready`)).ok);
  });

  afterAll(async () => {
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server?.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let i = 0; i < 300; i++) {
      if (server?.exitCode !== null) throw new Error(`Alertmanager has ended: ${log.slice(-2_000)}`);
      if (await holds().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Alertmanager did not get there within 30 s: ${log.slice(-2_000)}`);
  }

  const read = async <T>(path: string): Promise<T> => (await (await fetch(`${base}/api/v2/${path}`)).json()) as T;

  it('receives, groups, inhibits and resolves what the engine raises', async () => {
    const rules: AlertRule[] = [
      {
        id: 'data-staleness',
        severity: 'critical',
        summary: 'A feed stands still.',
        type: 'threshold',
        expr: 'age',
        op: '>',
        fire: 30,
        inhibits: ['latency-p99'],
      },
      {
        id: 'latency-p99',
        severity: 'warning',
        summary: 'Calls are slow.',
        type: 'threshold',
        expr: 'p99',
        op: '>',
        fire: 0.5,
        runbook: 'https://wiki.test/latency',
      },
    ];
    const store = new MemoryMetricStore();
    await using engine = new AlertEngine({ store, rules, notifiers: [alertmanagerNotifier({ url: base })] });
    let now = Date.now();
    const tick = async (age: number, slow: number): Promise<void> => {
      now += 1_000;
      const series = [
        { name: 'age', labels: { venue: 'v', feed: 'v/quote' } },
        { name: 'p99', labels: { venue: 'v' } },
        { name: 'p99', labels: { venue: 'w' } },
      ];
      await store.append({ t: now, series, values: Float64Array.of(age, slow, slow) });
      await engine.tick(now);
      await engine.settled();
    };
    now -= 10_000;
    await tick(60, 0.9);
    await until(async () => (await read<Listed[]>('alerts')).length === 3);

    const listed = async (): Promise<readonly string[]> =>
      (await read<Listed[]>('alerts')).map(({ labels, status }) => `${labels.alertname} ${labels.venue} ${labels.severity} ${status.state}`).sort();
    // Ours inhibits by its own rules too; Alertmanager gets all and judges by its configuration.
    await until(async () => (await listed()).includes('latency-p99 v warning suppressed'));
    expect(await listed()).toEqual(['data-staleness v critical active', 'latency-p99 v warning suppressed', 'latency-p99 w warning active']);
    type Group = { readonly labels: { readonly alertname: string }; readonly alerts: readonly Listed[] };
    const grouped = async () => (await read<Group[]>('alerts/groups')).map(({ labels, alerts }) => [labels.alertname, alerts.length]).sort();
    // Sorted into groups a moment after they are listed.
    await expect.poll(grouped).toEqual([
      ['data-staleness', 1],
      ['latency-p99', 2],
    ]);
    const [stale] = (await read<(Listed & { annotations: Record<string, string> })[]>('alerts')).filter(
      ({ labels }) => labels.alertname === 'data-staleness',
    );
    expect(stale).toMatchObject({ startsAt: new Date(now).toISOString(), annotations: { summary: 'A feed stands still.', value: '60' } });
    // It would end by itself four minutes after the last post, and is posted again each minute.
    expect(Date.parse(stale!.endsAt) - Date.now()).toBeGreaterThan(180_000);

    await tick(1, 0.9);
    await until(async () => (await listed()).length === 2);
    expect(await listed()).toEqual(['latency-p99 v warning active', 'latency-p99 w warning active']);
    await tick(1, 0.1);
    await until(async () => (await read<Listed[]>('alerts')).length === 0);
  });
});
