import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBus } from '../../src/contracts/events.js';
import { instrument } from '../../src/metrics/instrument.js';
import { MetricsRegistry } from '../../src/metrics/registry.js';
import { freePort } from '../setup/free-port.js';

const isInstalled = (command: string) => spawnSync(command, ['--version']).error === undefined;
const HOSTILE = [
  'a"b',
  'back\\slash',
  'line\nbreak',
  '',
  '{le="1"}',
  '<img src=x onerror=alert(1)>',
  '#',
  'ünï☃😀',
  '__proto__',
  'a,b="c"',
  'half \uD800 pair',
];

/** What a session leaves in a registry, with label values of the worst kind. */
const givenABusyRegistry = () => {
  const registry = new MetricsRegistry({ defaultLabels: { bot: 'demo' } });
  const bus = new EventBus();
  const instrumented = instrument(bus, registry);
  for (const [i, symbol] of HOSTILE.entries()) {
    bus.emit('feed.update', { feed: 'quotes', symbol, at: 1_704_067_200_000 });
    bus.emit('venue.call', { venue: 'v', operation: symbol, attempt: 1, ms: i * 10, outcome: i % 2 === 0 ? 'ok' : 'failed', hedge: false });
  }
  const classic = registry.histogram({
    name: 'bot_latency_seconds',
    help: 'Latency "of" \\ orders.\nTwo lines.',
    unit: 'seconds',
    labels: ['path'],
    buckets: [0.1, 1, 10],
  });
  for (const path of HOSTILE) classic.with({ path }).observe(0.5, { trace_id: 'abc"\n' });
  registry
    .counter({ name: 'bot_orders_total', help: 'Orders.', labels: ['path'] })
    .with({ path: HOSTILE[0]! })
    .inc(3, { trace_id: 'def' });
  for (const value of [Number.NaN, Infinity, -Infinity, 1e-300])
    registry
      .gauge({ name: 'bot_odd', help: 'Odd values.', labels: ['value'] })
      .with({ value: String(value) })
      .set(value);
  return { registry, instrumented };
};

describe.skipIf(!isInstalled('promtool'))('promtool (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  it('finds nothing wrong in the exposition', () => {
    const { registry, instrumented } = givenABusyRegistry();
    using _ = instrumented;
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: registry.exposition(), encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('finds what is wrong when something is, so that the check above can fail', () => {
    const { status } = spawnSync('promtool', ['check', 'metrics'], { input: 'a{b="c} 1\n', encoding: 'utf8' });
    expect(status).not.toBe(0);
  });
});

describe.skipIf(!isInstalled('prometheus'))('Prometheus (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  let directory: string;
  let server: Server;
  let prometheus: ChildProcess | undefined;
  let base: string;
  let log = '';
  const accepted = new Set<string>();
  const { registry, instrumented } = givenABusyRegistry();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-prometheus-'));
    server = createServer((request, response) => {
      accepted.add(request.headers.accept ?? '');
      registry.nodeHandler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(directory, 'prometheus.yml'),
      `global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: bot\n    static_configs:\n      - targets: ['${target}']\n`,
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    prometheus.stderr?.on('data', (part: Buffer) => {
      log += part.toString();
    });
  });

  afterAll(async () => {
    instrumented[Symbol.dispose]();
    if (prometheus !== undefined && prometheus.exitCode === null) {
      const ended = new Promise((resolve) => prometheus?.once('close', resolve));
      prometheus.kill('SIGTERM');
      await ended;
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  });

  type Answer = { readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[] } };
  /** Asks until there is an answer: Prometheus scrapes each second. */
  const ask = async (query: string): Promise<Answer['data']['result']> => {
    for (let attempt = 0; attempt < 150; attempt++) {
      if (prometheus?.exitCode !== null) throw new Error(`Prometheus has ended: ${log.slice(-2000)}`);
      const answer = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(query)}`).then(
        // It listens before it is ready, and says 503 until then.
        (response) => (response.ok ? (response.json() as Promise<Answer>) : undefined),
        () => undefined,
      );
      if (answer !== undefined && answer.data.result.length > 0) return answer.data.result;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`no answer to ${query}; Prometheus says: ${log.slice(-2000)}`);
  };

  it('scrapes the handler, in OpenMetrics, and answers with every hostile label as it was', async () => {
    const feeds = await ask('venuekit_feed_updates_total');
    const written = HOSTILE.map((symbol) => symbol.replace('\uD800', '\uFFFD'));
    expect(new Set(feeds.map(({ metric }) => metric.symbol ?? ''))).toEqual(new Set(written));
    expect(feeds[0]!.metric.bot).toBe('demo');
    expect([...accepted].some((accept) => accept.includes('application/openmetrics-text'))).toBe(true);
    expect((await ask('up{job="bot"}'))[0]!.value[1]).toBe('1');
  });

  it('computes a quantile from the classic buckets, and keeps the exemplars', async () => {
    const quantile = await ask('histogram_quantile(0.5, sum by (le) (bot_latency_seconds_bucket))');
    expect(Number(quantile[0]!.value[1])).toBeCloseTo(0.55, 2);
    const now = Date.now() / 1000;
    const exemplars = (await fetch(`${base}/api/v1/query_exemplars?query=bot_orders_total&start=${now - 600}&end=${now + 600}`).then((r) =>
      r.json(),
    )) as {
      readonly data: readonly { readonly exemplars: readonly { readonly labels: Record<string, string> }[] }[];
    };
    expect(exemplars.data[0]?.exemplars[0]?.labels).toEqual({ trace_id: 'def' });
  });
});
