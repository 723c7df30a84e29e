import { existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createDashboard } from 'venuekit/dashboard';
import { SqliteMetricStore } from 'venuekit/sqlite';
import { givenDesk } from '../../test/workload/given-desk.js';

/** What one stream was sent. */
export interface StreamCount {
  readonly client: string;
  events: number;
  /** Of them. */
  snapshots: number;
  /** Most that waited in the process for the client, bytes. */
  mostWaiting: number;
  isOver: boolean;
}

/** A turn of the loop that ended late, and what its thread did meanwhile. */
export interface LateTurn {
  /** Since the measurement began. */
  readonly second: number;
  readonly lateMs: number;
  readonly ranMs: number;
  /** Ready to run, while others had the processors. What is neither it slept: on the disk, on another thread, or with the whole machine. */
  readonly waitedMs: number;
}

/** What the server's process tells its parent. */
export type ServerMessage =
  | { readonly url: string }
  | { readonly heapMB: number; readonly rssMB: number }
  | {
      readonly loopP50Ms: number;
      readonly loopP99Ms: number;
      readonly loopMaxMs: number;
      readonly ownP99Ms: number;
      readonly ownMaxMs: number;
      readonly ranMs: number;
      readonly waitedMs: number;
      /** Of all turns: how much of the lateness the thread ran itself, and how much of it the thread waited for a processor. */
      readonly ranP99Ms: number;
      readonly waitedP99Ms: number;
      /** The latest first. */
      readonly worst: readonly LateTurn[];
      readonly streams: readonly StreamCount[];
    };

const HISTORY_S = 3_600;
const SAMPLE_MS = 5_000;
const RESOLUTION_MS = 5;
const MOST_WORST = 5;

/**
 * A bot's process: a desk that keeps its metrics each second, and the dashboard over them in a server
 * of the host's own, which counts what it hands to each client. Ends when its parent says so.
 */
const folder = mkdtempSync(join(tmpdir(), 'venuekit-soak-'));
const store = await SqliteMetricStore.open({ path: join(folder, 'metrics.db') });
const desk = await givenDesk({ store, seconds: HISTORY_S, from: Math.floor(Date.now() / 1_000) * 1_000 - HISTORY_S * 1_000 });
const dashboard = createDashboard({ store, title: 'soak' });
const streams: StreamCount[] = [];

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/events') count(response, searchParams.get('client') ?? 'page');
  dashboard.nodeHandler(request, response);
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

function count(response: ServerResponse, client: string): void {
  const stream: StreamCount = { client, events: 0, snapshots: 0, mostWaiting: 0, isOver: false };
  streams.push(stream);
  const write = response.write.bind(response) as (text: string) => boolean;
  response.write = ((text: string): boolean => {
    if (text.includes('\nevent: ')) stream.events++;
    if (text.includes('\nevent: snapshot')) stream.snapshots++;
    const hasRoom = write(text);
    stream.mostWaiting = Math.max(stream.mostWaiting, response.writableLength);
    return hasRoom;
  }) as typeof response.write;
  response.once('close', () => {
    stream.isOver = true;
  });
}

let isLiving = false;
const living = setInterval(() => {
  const behind = Math.floor((Date.now() - desk.now()) / 1_000);
  if (isLiving || behind < 1) return;
  isLiving = true;
  void desk.live(behind).finally(() => {
    isLiving = false;
  });
}, 100);
// On Linux: how long the main thread has run, and how long it was ready to while others had the processors.
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;
const schedstat = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, 'r') : undefined;
const text = Buffer.alloc(100);
function schedule(): { readonly ranMs: number; readonly waitedMs: number } {
  if (schedstat === undefined) return { ranMs: Number.NaN, waitedMs: 0 };
  const [ran = 0, waited = 0] = text
    .toString('latin1', 0, readSync(schedstat, text, 0, text.length, 0))
    .split(' ')
    .map(Number);
  return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
}
const atStart = schedule();

/** The loop's own delays: how much later than due a timer fired, less the time in which others had the processors. */
const own = createHistogram();
const ran = createHistogram();
const waited = createHistogram();
const worst: LateTurn[] = [];
const beganAt = performance.now();
const record = (into: ReturnType<typeof createHistogram>, ms: number): void => into.record(1 + Math.max(0, Math.round(1_000 * ms)));
let last = { at: performance.now(), ...schedule() };
const watching = setInterval(() => {
  const now = { at: performance.now(), ...schedule() };
  const [lateMs, ranMs, waitedMs] = [now.at - last.at - RESOLUTION_MS, now.ranMs - last.ranMs, now.waitedMs - last.waitedMs];
  record(own, lateMs - waitedMs);
  record(ran, Math.min(lateMs, ranMs));
  record(waited, Math.min(lateMs, waitedMs));
  if (lateMs > (worst.at(-1)?.lateMs ?? 0) || worst.length < MOST_WORST) {
    worst.push({ second: (now.at - beganAt) / 1_000, lateMs, ranMs, waitedMs });
    worst.sort((a, b) => b.lateMs - a.lateMs).splice(MOST_WORST);
  }
  last = now;
}, RESOLUTION_MS);

const say = (message: ServerMessage): void => void process.send?.(message);
const sampling = setInterval(() => {
  // A collection that the measurement asks for is none of the server's delays.
  delay.disable();
  globalThis.gc?.();
  delay.enable();
  last = { at: performance.now(), ...schedule() };
  const { heapUsed, rss } = process.memoryUsage();
  say({ heapMB: heapUsed / 1e6, rssMB: rss / 1e6 });
}, SAMPLE_MS);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=${dashboard.token}` });

// The parent has gone: nobody is left to tell.
const onOrphaned = (): never => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
};
process.once('disconnect', onOrphaned);
process.once('message', async () => {
  process.off('disconnect', onOrphaned);
  delay.disable();
  clearInterval(living);
  clearInterval(watching);
  clearInterval(sampling);
  const ms = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  const { ranMs, waitedMs } = schedule();
  const times = { ranMs: ranMs - atStart.ranMs, waitedMs: waitedMs - atStart.waitedMs };
  say({
    ...times,
    ownP99Ms: own.percentile(99) / 1_000,
    ownMaxMs: own.max / 1_000,
    ranP99Ms: ran.percentile(99) / 1_000,
    waitedP99Ms: waited.percentile(99) / 1_000,
    worst,
    loopP50Ms: ms(delay.percentile(50)),
    loopP99Ms: ms(delay.percentile(99)),
    loopMaxMs: ms(delay.max),
    streams,
  });
  server.closeAllConnections();
  server.close();
  await dashboard[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  process.disconnect();
});
