import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../test/setup/chromium.js';
import { table, targets } from './analytics/shared-data.js';
import { type RecordedDay, recordDay } from './dashboard/recorded-day.js';
import { digits, publish } from './harness.js';

const ROUNDS = 5;
const MOST_MS = 1_000;
const RANGES = [
  ['15 minutes', 15 * 60_000],
  ['1 hour', 3_600_000],
  ['6 hours', 6 * 3_600_000],
  ['24 hours', 24 * 3_600_000],
] as const;

/** What a visitor waited for, in ms since the navigation began. */
interface Visit {
  /** The page with its frame and its words. */
  readonly frame: number;
  /** All charts that have something to show are drawn. */
  readonly charts: number;
}

/**
 * How long a page takes until it shows its charts, in a real Chromium on loopback, over a SQLite file
 * with a day of 1,000 series. The server is a process of its own, new for each round, so that nothing
 * has been read before. Needs the build: `npm run build:js`. `--hours=1` for a short look; `--day=<file>`
 * keeps the day, or takes one that was kept.
 */
export default async function dashboard(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  try {
    const day = await recordDay(argument('--day') ?? join(folder, 'day.db'), { hours: Number(argument('--hours') ?? 24) });
    publish('dashboard', [await firstPaint(day)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argument(name: string): string | undefined {
  return process.argv.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
}

async function firstPaint(day: RecordedDay): Promise<string> {
  const browser = await launchChromium();
  const first = new Map<string, Visit[]>();
  const second = new Map<string, Visit[]>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, rangeMs] of RANGES) {
        await using server = await serve(day);
        const url = `${server.url}&range=${rangeMs}`;
        first.set(name, [...(first.get(name) ?? []), await visit(browser, url)]);
        second.set(name, [...(second.get(name) ?? []), await visit(browser, url)]);
      }
    }
  } finally {
    await browser.close();
  }
  const rows = RANGES.map(([name]) => [
    name,
    median(first.get(name)!, 'frame'),
    median(first.get(name)!, 'charts'),
    most(first.get(name)!),
    median(second.get(name)!, 'charts'),
  ]);
  const longest = Math.max(...[...first.values()].map(most));
  return [
    `### First paint over ${day.points.toLocaleString('en-US')} points of ${day.series} series in ${(day.bytes / 1e6).toFixed(0)} MB of SQLite`,
    '',
    `Milliseconds from the navigation on, in Chromium ${browser.version()} without a cache, ${ROUNDS} visits each; the server is a new process for each first visit, the second page of a view shares its reading.`,
    '',
    table(
      ['range', 'frame, median', 'all charts, median', 'all charts, longest', 'second page, median'],
      rows.map(([name, ...times]) => [name as string, ...times.map((ms) => digits(ms as number))]),
    ),
    '',
    targets([
      { target: `all seven charts ≤ ${MOST_MS} ms, in the longest visit of any range`, reached: `${digits(longest)} ms`, met: longest <= MOST_MS },
    ]),
    '',
  ].join('\n');
}

async function serve({ path, newest }: RecordedDay): Promise<AsyncDisposable & { readonly url: string }> {
  const file = fileURLToPath(new URL('./dashboard/serve-day.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', file, path, String(newest)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  const [url] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the server ended; its message is above'))),
  ])) as [string];
  return {
    url,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(markWhenDrawn);
    await page.goto(url);
    const charts = await page.waitForFunction(() => performance.getEntriesByName('charts')[0]?.startTime, undefined, { timeout: 60_000 });
    const frame = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN);
    return { frame, charts: (await charts.jsonValue())! };
  } finally {
    await context.close();
  }
}

// Runs in the page: marks the frame after the one in which the last chart was drawn.
function markWhenDrawn(): void {
  const ALL = 7;
  const watch = new MutationObserver(() => {
    if (document.querySelectorAll('figure[data-chart][data-state="drawn"]').length < ALL) return;
    watch.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('charts')));
  });
  watch.observe(document, { subtree: true, childList: true, attributeFilter: ['data-state'] });
}

const median = (visits: readonly Visit[], of: keyof Visit): number => visits.map((visit) => visit[of]).sort((a, b) => a - b)[visits.length >> 1]!;
const most = (visits: readonly Visit[]): number => Math.max(...visits.map(({ charts }) => charts));
