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
import { soakSection } from './dashboard/soak-section.js';
import { digits, publish } from './harness.js';

const ROUNDS = 10;
const MOST_MS = 1_000;
const MOMENTS = ['frame', 'inView', 'all', 'live'] as const;
const RANGES = [
  ['15 minutes', 15 * 60_000],
  ['1 hour', 3_600_000],
  ['6 hours', 6 * 3_600_000],
  ['24 hours', 24 * 3_600_000],
] as const;

/** What a visitor waited for, in ms since the navigation began. */
interface Visit {
  /** The page with its frame and its words: the browser's first contentful paint. */
  readonly frame: number;
  /** Each chart of which a part is in view shows its data, as a still or live. */
  readonly inView: number;
  /** All seven do. */
  readonly all: number;
  /** All seven are live: drawn by the page itself, and answer the pointer. */
  readonly live: number;
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
    publish('dashboard', [await firstPaint(day), soakSection()]);
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
        await untilWarm(server.url);
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
    ...MOMENTS.map((moment) => median(first.get(name)!, moment)),
    most(first.get(name)!),
    median(second.get(name)!, 'all'),
    median(second.get(name)!, 'live'),
  ]);
  const [opening] = RANGES[0];
  const [inView, all] = [median(first.get(opening)!, 'inView'), median(first.get(opening)!, 'all')];
  const longest = Math.max(...RANGES.map(([name]) => median(first.get(name)!, 'all')));
  const target = (what: string, ms: number) => ({ target: `${what} ≤ ${MOST_MS} ms`, reached: `${digits(ms)} ms`, met: ms <= MOST_MS });
  return [
    `### First paint over ${day.points.toLocaleString('en-US')} points of ${day.series} series in ${(day.bytes / 1e6).toFixed(0)} MB of SQLite`,
    '',
    `Milliseconds from the navigation on, in Chromium ${browser.version()} at 1280 × 900 without a cache, medians of ${ROUNDS} visits; the server is a new process for each first visit, which has drawn its opening view ahead as it does when it begins to listen; the second page of a view shares its reading. A page opens with the last 15 minutes.`,
    '',
    table(
      ['range', 'frame', 'charts in view', 'all seven', 'all seven live', 'all seven, longest', 'second page: all seven', 'second page: live'],
      rows.map(([name, ...times]) => [name as string, ...times.map((ms) => digits(ms as number))]),
    ),
    '',
    targets([
      target('the page as it opens, its frame', median(first.get(opening)!, 'frame')),
      target('the page as it opens, the charts in view', inView),
      target('the page as it opens, all seven charts', all),
      target('the slowest range, all seven charts', longest),
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

/** A server that begins to listen reads and draws its opening view, once. */
async function untilWarm(url: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 100)))
    if ((await (await fetch(url)).text()).includes('<picture>')) return;
  throw new Error('the server has drawn nothing ahead within 30 s');
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(markWhenShown);
    await page.goto(url);
    await page.waitForFunction(() => performance.getEntriesByName('live').length > 0, undefined, { timeout: 60_000 });
    return await page.evaluate(() => {
      const [frame, inView, all, live] = ['first-contentful-paint', 'inView', 'all', 'live'].map(
        (name) => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN,
      ) as [number, number, number, number];
      return { frame, inView, all, live };
    });
  } finally {
    await context.close();
  }
}

// Runs in the page: marks the frame after the one in which the last of the charts showed its data.
function markWhenShown(): void {
  const watch = new MutationObserver(() => {
    const figures = [...document.querySelectorAll<HTMLElement>('figure[data-chart]')];
    if (figures.length < 7) return;
    const waiting = figures.filter(({ dataset }) => dataset.state !== 'still' && dataset.state !== 'drawn');
    const moments = {
      inView: waiting.every((figure) => figure.getBoundingClientRect().top >= innerHeight),
      all: waiting.length === 0,
      live: figures.every(({ dataset }) => dataset.state === 'drawn'),
    };
    for (const [moment, isReached] of Object.entries(moments)) {
      if (!isReached || document.documentElement.hasAttribute(`data-marked-${moment}`)) continue;
      document.documentElement.setAttribute(`data-marked-${moment}`, '');
      requestAnimationFrame(() => requestAnimationFrame(() => performance.mark(moment)));
    }
    if (moments.live) watch.disconnect();
  });
  watch.observe(document, { subtree: true, childList: true, attributeFilter: ['data-state'] });
}

const median = (visits: readonly Visit[], of: keyof Visit): number => visits.map((visit) => visit[of]).sort((a, b) => a - b)[visits.length >> 1]!;
const most = (visits: readonly Visit[]): number => Math.max(...visits.map(({ all }) => all));
