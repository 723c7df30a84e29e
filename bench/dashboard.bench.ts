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

const ROUNDS = Number(argument('--rounds') ?? 10);
const MOST_MS = 1_000;
const MOMENTS = ['frame', 'inView', 'all', 'live'] as const;
const HOUR = 3_600_000;
/** What the page offers, and a range that nobody can have foreseen. */
const RANGES = [
  ['15 minutes, as it opens', 15 * 60_000],
  ['1 hour', HOUR],
  ['6 hours', 6 * HOUR],
  ['24 hours', 24 * HOUR],
] as const;
/** In the order in which a server does. */
const DRAWN_AHEAD = [RANGES[0][1], 5 * 60_000, HOUR, 6 * HOUR, 24 * HOUR];
const UNFORESEEN = ['12 hours, not offered', 12 * HOUR] as const;

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
 * has been read before. Needs the build: `npm run build:js`. `--hours=1` and `--rounds=2` for a short look;
 * `--day=<file>` keeps the day, or takes one that was kept.
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
  const ahead: number[] = [];
  const keep = (visits: Map<string, Visit[]>, name: string, one: Visit): void => void visits.set(name, [...(visits.get(name) ?? []), one]);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, rangeMs] of [...RANGES, UNFORESEEN]) {
        await using server = await serve(day);
        const began = performance.now();
        await untilDrawnAhead(server.url);
        ahead.push(performance.now() - began);
        const url = `${server.url}&range=${rangeMs}`;
        keep(first, name, await visit(browser, url));
        keep(second, name, await visit(browser, url));
      }
    }
  } finally {
    await browser.close();
  }
  const rows = [...RANGES, UNFORESEEN].map(([name]) => [
    name,
    ...MOMENTS.map((moment) => median(first.get(name)!, moment)),
    most(first.get(name)!),
    median(second.get(name)!, 'all'),
    median(second.get(name)!, 'live'),
  ]);
  const [opening] = RANGES[0];
  const longest = Math.max(...RANGES.map(([name]) => median(first.get(name)!, 'all')));
  const target = (what: string, ms: number) => ({ target: `${what} ≤ ${MOST_MS} ms`, reached: `${digits(ms)} ms`, met: ms <= MOST_MS });
  return [
    `### First paint over ${day.points.toLocaleString('en-US')} points of ${day.series} series in ${(day.bytes / 1e6).toFixed(0)} MB of SQLite`,
    '',
    `Milliseconds from the navigation on, in Chromium ${browser.version()} at 1280 × 900 without a cache, medians of ${ROUNDS} visits; the server is a new process for each first visit, and the visit comes when it has read and drawn ahead the ranges up to a day that the page offers, which takes it ${digits([...ahead].sort((a, b) => a - b)[ahead.length >> 1]! / 1_000)} s (median) from when it begins to listen. "All seven" is when each of the seven charts shows the data of the range, as a still that stands in the page's own HTML, in view or not; "live" is when the page has drawn each itself, on a canvas that answers the pointer. A still may be up to ten columns behind (50 s of a quarter of an hour); the live chart is not. A range that is not offered is read when it is asked for, and drawn by the page.`,
    '',
    table(
      ['range', 'frame', 'charts in view', 'all seven', 'all seven live', 'all seven, longest', 'second page: all seven', 'second page: live'],
      rows.map(([name, ...times]) => [name as string, ...times.map((ms) => digits(ms as number))]),
    ),
    '',
    targets([
      target('the page as it opens, its frame', median(first.get(opening)!, 'frame')),
      target('the page as it opens, the charts in view', median(first.get(opening)!, 'inView')),
      target('the page as it opens, all seven charts', median(first.get(opening)!, 'all')),
      target('24 hours, all seven charts', median(first.get('24 hours')!, 'all')),
      target('the slowest range that is offered, all seven charts', longest),
      target('a range that is not offered, all seven charts', median(first.get(UNFORESEEN[0])!, 'all')),
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

/** A server that begins to listen reads and draws the views that it offers, one after the other. To ask for one has it read: none is asked for before the one ahead of it is there. */
async function untilDrawnAhead(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (const rangeMs of DRAWN_AHEAD) {
    while (!(await (await fetch(`${url}&range=${rangeMs}`)).text()).includes('data-state="still"')) {
      if (Date.now() > deadline) throw new Error('the server has not drawn ahead within a minute');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
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
