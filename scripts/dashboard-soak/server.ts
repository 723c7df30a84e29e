import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
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

/** What the server's process tells its parent. */
export type ServerMessage =
  | { readonly url: string }
  | { readonly heapMB: number; readonly rssMB: number }
  | { readonly loopP50Ms: number; readonly loopP99Ms: number; readonly loopMaxMs: number; readonly ranMs: number; readonly waitedMs: number; readonly streams: readonly StreamCount[] };

const HISTORY_S = 3_600;
const SAMPLE_MS = 5_000;
const RESOLUTION_MS = 5;

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
/** How long the main thread has run, and how long it was ready to and another process had its processor. */
function schedule(): { readonly ranMs: number; readonly waitedMs: number } {
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
  } catch {
    return { ranMs: Number.NaN, waitedMs: Number.NaN };
  }
}
const atStart = schedule();

const say = (message: ServerMessage): void => void process.send?.(message);
const sampling = setInterval(() => {
  // A collection that the measurement asks for is none of the server's delays.
  delay.disable();
  globalThis.gc?.();
  delay.enable();
  const { heapUsed, rss } = process.memoryUsage();
  say({ heapMB: heapUsed / 1e6, rssMB: rss / 1e6 });
}, SAMPLE_MS);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=${dashboard.token}` });

process.once('message', async () => {
  delay.disable();
  clearInterval(living);
  clearInterval(sampling);
  const ms = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  const { ranMs, waitedMs } = schedule();
  const times = { ranMs: ranMs - atStart.ranMs, waitedMs: waitedMs - atStart.waitedMs };
  say({ ...times, loopP50Ms: ms(delay.percentile(50)), loopP99Ms: ms(delay.percentile(99)), loopMaxMs: ms(delay.max), streams });
  server.closeAllConnections();
  server.close();
  await dashboard[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  process.disconnect();
});
