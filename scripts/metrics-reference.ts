import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EventBus } from '../src/contracts/events.js';
import type { MetricStore } from '../src/contracts/metric-store.js';
import { instrument } from '../src/metrics/instrument.js';
import { MetricsRegistry } from '../src/metrics/registry.js';

/**
 * Writes docs/reference/metrics.md from what the code registers. With `--check` it only compares,
 * and fails where the page is not what the code says.
 */
const PAGE = fileURLToPath(new URL('../docs/reference/metrics.md', import.meta.url));

const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ['venuekit_order', 'Orders'],
  ['venuekit_venue', 'Calls to the venue'],
  ['venuekit_limit', 'Limits of the venue'],
  ['venuekit_breaker', 'Protection'],
  ['venuekit_retry', 'Protection'],
  ['venuekit_halt', 'Protection'],
  ['venuekit_stream', 'Streams and reconciliation'],
  ['venuekit_reconcile', 'Streams and reconciliation'],
  ['venuekit_journal', 'Order journal'],
  ['venuekit_leader', 'Several processes'],
  ['venuekit_pool', 'Connection pools'],
  ['venuekit_cache', 'Market data'],
  ['venuekit_feed', 'Market data'],
  ['venuekit_fetch', 'Parallel fetcher'],
  ['venuekit_alert', 'Alerts'],
  ['venuekit_process', 'This process'],
  ['venuekit_store', 'Metric store'],
  ['venuekit_metrics', 'The registry itself'],
];

/** The page, as the code has it. */
export function metricsReference(): string {
  const registry = new MetricsRegistry();
  using _instrumented = instrument(new EventBus(), registry);
  using _collected = registry.collect({ append: async () => {} } as unknown as MetricStore);
  // The registry's own metrics appear with their first use.
  registry.gauge({
    name: 'throwing',
    help: '',
    collect: () => {
      throw new Error('makes the metric of throwing collectors appear');
    },
  });
  const crowded = registry.counter({ name: 'crowded_total', help: '', labels: ['id'], maxSeries: 1 });
  for (const id of ['a', 'b']) crowded.with({ id });
  registry.exposition();

  const sections = new Map<string, string[]>();
  for (const { definition } of registry.families()) {
    const { kind, name, labels, help, unit } = definition;
    const title = GROUPS.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (title === undefined) {
      if (name.startsWith('venuekit_')) throw new Error(`${name} belongs to no group of the reference: give it one`);
      continue;
    }
    const rows = sections.get(title) ?? [];
    sections.set(title, rows);
    rows.push(`| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ') || '–'} | ${unit ?? '–'} | ${help} |`);
  }
  const body = [...sections].map(
    ([title, rows]) => `## ${title}\n\n| metric | kind | labels | unit | |\n|---|---|---|---|---|\n${rows.sort().join('\n')}\n`,
  );
  return `# Metrics

Every metric that \`instrument()\`, \`collect()\` and the registry itself keep. Written from the code by \`scripts/metrics-reference.ts\`; edit the code.

Names are API: they change with a major version only. A histogram \`x\` is also stored as \`x_count\` and \`x_sum\`. A metric that holds as many series as it may puts further label values into one series with \`overflow="true"\`.

${body.join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = metricsReference();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error('docs/reference/metrics.md is not what the code says: run `npx tsx scripts/metrics-reference.ts` and commit it.');
    process.exitCode = 1;
  }
}
