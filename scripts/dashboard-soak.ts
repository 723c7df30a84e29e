import { type ChildProcess, fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { writeSoakSection } from '../bench/dashboard/soak-section.js';
import { launchChromium } from '../test/setup/chromium.js';
import { PlainClient } from './dashboard-soak/plain-client.js';
import type { LateTurn, ServerMessage, StreamCount } from './dashboard-soak/server.js';

/**
 * Open pages of the dashboard in a real Chromium, and two clients that are too slow, one that reads
 * nothing and one that sips, for minutes. Fails when the server's event loop was held up for 20 ms or
 * more at p99 by its own work (what others took of the processors is told apart), when its memory grew, or when it kept for a slow client what that did not take.
 * `npm run soak` runs it; it needs the build.
 *
 * Ten pages of a Chromium on the same machine take the processors from the server. `--clients plain` has
 * clients in their place that load and read all that a page does, without a browser: then the loop is held
 * to its target as it is, whoever held it up.
 *
 *     tsx scripts/dashboard-soak.ts --minutes 10 --pages 10 --write
 *     tsx scripts/dashboard-soak.ts --minutes 10 --pages 10 --clients plain --write
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    pages: { type: 'string', default: '10' },
    clients: { type: 'string', default: 'pages' },
    write: { type: 'boolean', default: false },
  },
});
const [minutes, pages] = [Number(values.minutes), Number(values.pages)];
if (!(minutes >= 1)) throw new RangeError(`--minutes must be at least 1, got ${values.minutes}`);
if (!Number.isSafeInteger(pages) || pages < 1) throw new RangeError(`--pages must be a whole number from 1, got ${values.pages}`);

const { clients } = values;
if (clients !== 'pages' && clients !== 'plain') throw new RangeError(`--clients must be "pages" or "plain", got ${clients}`);

const MOST_LOOP_MS = 20;
/** Growth of the heap after a collection, over the second half: what is left of noise. */
const MOST_GROWTH_MB_A_MINUTE = 0.2;
/** What may wait for one client: a snapshot, or what it missed in one. */
const MOST_WAITING_BYTES = 1_500_000;
const OPEN_MS = 180_000;
/** The server sends one each 5 s. */
const SAMPLES_A_MINUTE = 12;
const VIEWS = ['', '&range=300000', '&range=3600000', '&range=60000'];

const server = fork(fileURLToPath(new URL('dashboard-soak/server.ts', import.meta.url)), [], { execArgv: ['--import', 'tsx', '--expose-gc'] });
const memory: { readonly minute: number; readonly heapMB: number; readonly rssMB: number }[] = [];

const { url } = await told(server, (message): message is Extract<ServerMessage, { url: string }> => 'url' in message);
const browser = clients === 'pages' ? await launchChromium() : undefined;
const opened: (Page | PlainClient)[] = [];
for (let i = 0; i < pages; i++) {
  const address = url + VIEWS[i % VIEWS.length]!;
  if (browser === undefined) {
    opened.push(await PlainClient.open(address));
    continue;
  }
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(address, { timeout: OPEN_MS });
  opened.push(page);
}
const slow = [slowClient('reads nothing', 0), slowClient('sips', 2_000)];
server.on('message', (message: ServerMessage) => {
  if ('heapMB' in message) memory.push({ minute: memory.length / SAMPLES_A_MINUTE, ...message });
});
// By samples, not by the clock: a process that is halted meanwhile, as by a laptop that sleeps, does not soak.
const samples = minutes * SAMPLES_A_MINUTE;
for (let told = 0; memory.length < samples; ) {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  if (memory.length < told + SAMPLES_A_MINUTE) continue;
  told = memory.length;
  const { heapMB, rssMB } = memory.at(-1)!;
  console.error(`${told / SAMPLES_A_MINUTE} min: heap ${heapMB.toFixed(1)} MB, rss ${rssMB.toFixed(0)} MB`);
}
const behind = await Promise.all(
  opened.map(async (one) =>
    one instanceof PlainClient ? Date.now() - (one.at ?? Number.NaN) : one.evaluate(() => Date.now() - Number(document.documentElement.dataset.at)),
  ),
);
server.send('end');
const result = await told(server, (message): message is Extract<ServerMessage, { loopP99Ms: number }> => 'loopP99Ms' in message);
await browser?.close();
for (const one of opened) if (one instanceof PlainClient) one[Symbol.dispose]();
for (const socket of slow) socket.destroy();

const growth = slopeOf(memory.filter(({ minute }) => minute > minutes / 2));
const slowStreams = result.streams.filter(({ client }) => client !== 'page');
const usual = Math.max(...result.streams.filter(({ client }) => client === 'page').map(({ events }) => events));
const loopIsKept = result.loopP99Ms < MOST_LOOP_MS;
const checks: readonly (readonly [what: string, isKept: boolean])[] = [
  ...(clients === 'plain' ? [[`event loop held up by whatever it was, p99 ${result.loopP99Ms.toFixed(1)} ms`, loopIsKept] as const] : []),
  [`event loop held up by its own work, p99 ${result.ownP99Ms.toFixed(1)}, most ${result.ownMaxMs.toFixed(0)} ms`, result.ownP99Ms < MOST_LOOP_MS],
  [
    `heap after collections ${memory[0]!.heapMB.toFixed(1)} to ${memory.at(-1)!.heapMB.toFixed(1)} MB, in the second half ${growth.toFixed(3)} MB a minute`,
    growth < MOST_GROWTH_MB_A_MINUTE,
  ],
  [`${clients === 'plain' ? 'clients' : 'pages'} are behind by at most ${(Math.max(...behind) / 1_000).toFixed(1)} s`, Math.max(...behind) < 10_000],
  ...slowStreams.map(
    (stream) =>
      [
        `the client that ${stream.client}: ${inWords(stream)}; a page got ${usual} events`,
        stream.events < usual && stream.mostWaiting < MOST_WAITING_BYTES,
      ] as const,
  ),
];
const lines = [
  `${minutes} minutes, ${pages} ${clients === 'plain' ? 'plain clients' : 'pages'}, ${slow.length} slow clients; rss ${memory[0]!.rssMB.toFixed(0)} to ${memory.at(-1)!.rssMB.toFixed(0)} MB`,
  `event loop held up by whatever it was, p50 ${result.loopP50Ms.toFixed(1)}, p99 ${result.loopP99Ms.toFixed(1)}, most ${result.loopMaxMs.toFixed(0)} ms`,
  `the server's main thread ran for ${(result.ranMs / 1_000).toFixed(1)} s, and waited for a processor that others had for ${(result.waitedMs / 1_000).toFixed(1)} s`,
  `of what a turn of the loop was late, side by side: the thread ran for p99 ${result.ranP99Ms.toFixed(1)} ms of it, and waited for a processor for p99 ${result.waitedP99Ms.toFixed(1)} ms of it`,
  `the latest turns: ${result.worst.map(turnInWords).join('; ')}`,
  ...checks.map(([what, isKept]) => `${isKept ? 'kept  ' : 'MISSED'} ${what}`),
];
for (const line of lines) console.log(line);
if (values.write) writeSoakSection(clients, sectionOf(lines));
process.exitCode = checks.every(([, isKept]) => isKept) ? 0 : 1;

function sectionOf(all: readonly string[]): string {
  const who =
    clients === 'plain'
      ? 'Clients that load and read what a page does, without a browser that takes the processors'
      : 'Pages in a Chromium on the same machine, which takes the processors, too';
  const what = `${who}; beside a bot's process that keeps an hour of a desk and each second of its life; one client that reads nothing, one that takes 2 kB a second.`;
  return `${what} \`npm run soak\` runs it; alone: \`tsx scripts/dashboard-soak.ts --minutes ${minutes} --pages ${pages}${clients === 'plain' ? ' --clients plain' : ''} --write\`.\n\n${all.map((line) => `- ${line}`).join('\n')}\n`;
}

function turnInWords({ second, lateMs, ranMs, waitedMs }: LateTurn): string {
  const slept = Math.max(0, lateMs - ranMs - waitedMs);
  return `${lateMs.toFixed(0)} ms late at ${second.toFixed(0)} s (ran ${ranMs.toFixed(0)}, waited for a processor ${waitedMs.toFixed(0)}, slept ${slept.toFixed(0)})`;
}

function inWords({ events, snapshots, mostWaiting, isOver }: StreamCount): string {
  return `${events} events, ${snapshots} of them snapshots, at most ${(mostWaiting / 1_000).toFixed(0)} kB waited${isOver ? ', given up in the end' : ''}`;
}

// A view with a long name in it, so that what the kernel takes before it says no is used up within a minute or two.
function slowClient(name: string, bytesASecond: number): Socket {
  const { host, port, hostname, searchParams } = new URL(url);
  const metric = `venuekit_venue_calls_total{note="${'x'.repeat(12_000)}"}`;
  const query = new URLSearchParams({ client: name, range: '60000', metric, token: searchParams.get('token')! });
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /events?${query.toString()} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  if (bytesASecond > 0) setInterval(() => socket.read(bytesASecond), 1_000).unref();
  return socket;
}

function told<T extends ServerMessage>(from: ChildProcess, isWanted: (message: ServerMessage) => message is T): Promise<T> {
  return new Promise((resolve, reject) => {
    from.on('message', (message: ServerMessage) => {
      if (isWanted(message)) resolve(message);
    });
    from.once('exit', (code) => reject(new Error(`the server ended with ${code}; its message is above`)));
  });
}

/** MB a minute, by least squares. */
function slopeOf(samples: readonly { readonly minute: number; readonly heapMB: number }[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [t, v] = [mean(samples.map(({ minute }) => minute)), mean(samples.map(({ heapMB }) => heapMB))];
  const over = samples.reduce((sum, { minute }) => sum + (minute - t) ** 2, 0);
  return samples.reduce((sum, { minute, heapMB }) => sum + (minute - t) * (heapMB - v), 0) / over;
}
