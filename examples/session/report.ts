import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BotLog } from './bot.js';
import { percentiles, type Verdicts } from './judge.js';

/** One side of the comparison; every figure comes from the run. */
export interface Side extends Verdicts {
  /** Errors that reached the bot, of reads and orders. */
  readonly errors: number;
  /** What they said, and how often each. */
  readonly errorMessages: Readonly<Record<string, number>>;
  readonly ordersIntended: number;
  readonly readLatencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly orderLatencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Reads that one strategy gets in a second of waiting for them: 1 over the mean latency. */
  readonly readsPerSecond: number;
  readonly reads: number;
  readonly cacheHitRate: number;
  /** HTTP requests that the venue received. */
  readonly requests: number;
  /** Share of them that came over a connection that was open already. */
  readonly connectionReuse: number;
  /** Series of metrics: how many a scrape shows, and how many are kept each second. */
  readonly metricSeries: { readonly scraped: number; readonly kept: number };
}

export interface Report {
  readonly seed: number;
  readonly durationMs: number;
  readonly raw: Side;
  readonly venuekit: Side;
}

export function sideOf(
  log: BotLog,
  verdicts: Verdicts,
  served: { readonly requests: number; readonly connectionReuse: number },
  { cacheHitRate, metricSeries }: { readonly cacheHitRate: number; readonly metricSeries: Side['metricSeries'] },
): Side {
  return {
    errors: log.readErrors.length + log.failedOrders.size,
    errorMessages: countEach([...log.readErrors, ...log.failedOrders.values()]),
    ordersIntended: log.orders.length,
    ...verdicts,
    readLatencyMs: percentiles(log.readLatenciesMs),
    orderLatencyMs: percentiles(log.orderLatenciesMs),
    readsPerSecond: Math.round(
      (log.readLatenciesMs.length /
        Math.max(
          log.readLatenciesMs.reduce((sum, ms) => sum + ms, 0),
          0.001,
        )) *
        1000,
    ),
    reads: log.readLatenciesMs.length,
    cacheHitRate: Math.round(cacheHitRate * 10_000) / 10_000,
    requests: served.requests,
    connectionReuse: Math.round(served.connectionReuse * 10_000) / 10_000,
    metricSeries,
  };
}

function countEach(messages: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const message of messages) counts.set(message, (counts.get(message) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/** @param metrics - of the venuekit side at the end of the run, as a scrape shows them */
export function writeReport(folder: string, report: Report, metrics: string): { readonly report: string; readonly metrics: string } {
  mkdirSync(folder, { recursive: true });
  const paths = { report: join(folder, 'report.json'), metrics: join(folder, 'metrics.txt') };
  writeFileSync(paths.report, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(paths.metrics, metrics);
  return paths;
}

const count = (value: number): string => value.toLocaleString('en-US');
const ms = (value: number): string => (value >= 100 ? count(Math.round(value)) : value.toPrecision(3));
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** The before/after table, as lines. */
export function table({ raw, venuekit }: Report): string {
  const rows: readonly (readonly [string, (side: Side) => string])[] = [
    ['errors that reached the bot', (s) => count(s.errors)],
    ['orders intended', (s) => count(s.ordersIntended)],
    ['orders at the venue', (s) => count(s.ordersAtVenue)],
    ['  duplicated', (s) => count(s.duplicates)],
    ['  orphaned (at the venue, unknown to the bot)', (s) => count(s.orphans)],
    ['  lost (never at the venue, never explained)', (s) => count(s.lost)],
    ['read latency p50 / p95 / p99, ms', (s) => Object.values(s.readLatencyMs).map(ms).join(' / ')],
    ['order latency p50 / p95 / p99, ms', (s) => Object.values(s.orderLatencyMs).map(ms).join(' / ')],
    ['reads', (s) => count(s.reads)],
    ['reads per second of waiting', (s) => count(s.readsPerSecond)],
    ['cache hit rate', (s) => percent(s.cacheHitRate)],
    ['requests sent', (s) => count(s.requests)],
    ['connection reuse', (s) => percent(s.connectionReuse)],
    ['metric series, scraped / kept each second', (s) => `${count(s.metricSeries.scraped)} / ${count(s.metricSeries.kept)}`],
  ];
  const cells = [['', 'raw ccxt', 'venuekit'], ...rows.map(([name, show]) => [name, show(raw), show(venuekit)])];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 3))).join('');
  const rule = '─'.repeat(widths[0]! + widths[1]! + widths[2]! + 6);
  return [line(cells[0]!), rule, ...cells.slice(1).map(line)].join('\n');
}
