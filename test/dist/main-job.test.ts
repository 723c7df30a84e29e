import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createVenueKit, seededRandom, systemClock } from 'venuekit';
import { simulatedBroker } from 'venuekit/testing';
import { describe, expect, it } from 'vitest';
import { runBot } from '../../examples/session/bot.js';
import { loadSession } from '../../examples/session/recorded-session.js';
import type { Report } from '../../examples/session/report.js';
import { openVenue, speedUp } from '../../examples/session/venue.js';
import { VenueKitDesk } from '../../examples/session/venuekit-desk.js';
import { freePort } from '../setup/free-port.js';

const root = resolve(import.meta.dirname, '../..');
const folder = (): string => mkdtempSync(join(tmpdir(), 'venuekit-main-'));

const start = (...args: string[]): { child: ChildProcess; done: Promise<{ code: number | null; output: string }>; output: () => string } => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/session/main.ts', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const done = new Promise<{ code: number | null; output: string }>((settle) => child.on('close', (code) => settle({ code, output })));
  return { child, done, output: () => output };
};
/** Where a run with `--open` says that it can be watched. */
async function liveAddress(run: ReturnType<typeof start>): Promise<string> {
  await shows(run, 'its address', /Live, while it runs: \S+\n/);
  return /Live, while it runs: (\S+)\n/.exec(run.output())![1]!;
}
/** Waits until it has printed that. @throws when it ends before */
async function shows({ child, output }: ReturnType<typeof start>, what: string, words: RegExp): Promise<void> {
  while (!words.test(output())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the run ended before it showed ${what}: ${output()}`);
    await new Promise((tick) => setTimeout(tick, 50));
  }
}
const run = (...args: string[]) => start(...args).done;

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

describe.skipIf(!hasPromtool)('the metrics of the main job (skipped unless promtool is installed: sh scripts/install-test-services.sh)', () => {
  it('are what promtool calls right, whatever the label values', async () => {
    const bars = loadSession(new URL('../../examples/session/data/btc_session.csv.gz', import.meta.url).pathname);
    const broker = simulatedBroker(openVenue(11, bars, speedUp(bars, 3_000), 0.05));
    await using kit = await createVenueKit({ broker, marketData: broker });
    await kit.start();
    await runBot({
      desk: new VenueKitDesk(kit),
      symbols: ['BTC/USD', 'ETH/USD'],
      random: seededRandom(11),
      durationMs: 2_000,
      signal: new AbortController().signal,
      now: () => systemClock.monotonic(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
      onTick: () => {},
    });
    const hostile = ['a"b', 'back\\slash', 'line\nbreak', '', '{le="1"}', '<img src=x onerror=alert(1)>', '# EOF', 'ünï☃😀', '__proto__', '\uD800'];
    for (const value of [...hostile, 'x'.repeat(10_000), '\u0000\r\u2028']) {
      kit.bus.emit('feed.update', { feed: value, symbol: value, at: systemClock.now() });
      kit.bus.emit('venue.call', { venue: value, operation: value, attempt: 2, ms: 1, outcome: 'failed', hedge: true });
      kit.bus.emit('limit.observed', { limit: value, used: Number.NaN, remaining: Number.POSITIVE_INFINITY });
      kit.bus.emit('fetch.task', { group: value, waitMs: 0, runMs: 1e-300, ok: true });
    }
    const page = kit.metrics.exposition();
    expect(page.match(/^venuekit_/gm)!.length).toBeGreaterThan(600);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('the main job', { timeout: 120_000 }, () => {
  it('runs one bot twice, and finds no error, duplicate, orphan or loss on the venuekit side', async () => {
    const out = folder();
    const { code, output } = await run('--duration', '8', '--seed', '11', '--faults', '0.1', '--out', out);
    expect(code, output).toBe(0);
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
    expect(report.seed).toBe(11);
    expect(report.venuekit).toMatchObject({ errors: 0, duplicates: 0, orphans: 0, lost: 0 });
    expect(report.venuekit.ordersIntended).toBeGreaterThan(30);
    expect(report.venuekit.ordersAtVenue).toBe(report.venuekit.ordersIntended);
    expect(report.raw.ordersIntended).toBe(report.venuekit.ordersIntended);
    expect(report.raw.reads).toBe(report.venuekit.reads);
    // Three quarters, where the strategies read as planned; on a slow machine more of their reads come too late for what is cached.
    expect(report.venuekit.cacheHitRate).toBeGreaterThan(0.25);
    expect(report.raw.cacheHitRate).toBe(0);
    expect(report.raw.requests).toBeGreaterThan(report.venuekit.requests);
    expect(output).toContain('errors that reached the bot');
    // What it looked like, from the metrics that it kept.
    expect(existsSync(join(out, 'session.db'))).toBe(true);
    expect(readFileSync(join(out, 'dashboard.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(readFileSync(join(out, 'report.html'), 'utf8').match(/<figure data-chart=/g)).toHaveLength(7);
    expect((JSON.parse(readFileSync(join(out, 'dashboard.json'), 'utf8')) as { charts: unknown[] }).charts).toHaveLength(7);
    // Every part of the kit is on record, as the table says.
    const { scraped, kept } = report.venuekit.metricSeries;
    expect(scraped).toBeGreaterThan(300);
    expect(kept).toBeGreaterThan(228);
    expect(output).toMatch(new RegExp(`metric series, scraped / kept each second +0 / 0 +${scraped} / ${kept}`));
    expect(readFileSync(join(out, 'metrics.txt'), 'utf8').match(/^venuekit_/gm)).toHaveLength(scraped);
  });

  it.each([
    [['--seed', 'seven'], /--seed.*whole number.*"seven"/s],
    [['--duration', '0'], /--duration.*between 3 and 600.*"0"/s],
    [['--faults', '2'], /--faults.*between 0 and 0\.5.*"2"/s],
    [['--symbols', 'DOGE/USD'], /no "DOGE\/USD".*BTC\/USD/s],
    [['--sed', '7'], /unknown option '--sed'.*--seed/s],
  ])('refuses %j, naming option, expectation and value', async (args, message) => {
    const { code, output } = await run(...args);
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });

  it('says which data file is missing', async () => {
    const { code, output } = await run('--data', join(folder(), 'gone.csv.gz'));
    expect(output).toMatch(/gone\.csv\.gz can't be read/);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it.each(['first', 'second'])('says which port is in use, where it is that of the %s venue', async (which) => {
    const taken = net.createServer();
    const port = await freePort();
    await new Promise<void>((listening) => taken.listen(port, '127.0.0.1', listening));
    try {
      const { code, output } = await run('--port', String(which === 'first' ? port : port - 1));
      expect(output).toMatch(new RegExp(`port ${port}.*in use`, 'i'));
      expect(code).toBe(1);
    } finally {
      taken.close();
    }
  });

  it('shows itself live while it runs, and closes cleanly on Ctrl-C in the middle, saying what was done', async () => {
    const out = folder();
    writeFileSync(join(out, 'kept'), '');
    const running = start('--duration', '60', '--out', out, '--open');
    const { child, done, output } = running;
    const live = await liveAddress(running);
    // While it runs: the page to who has the token, and what the bot does, second by second.
    expect((await fetch(new URL('/', live))).status).toBe(401);
    const page = await fetch(live);
    expect(await page.text()).toContain('<figure data-chart="latency">');
    const headers = { cookie: page.headers.get('set-cookie')!.split(';')[0]! };
    const stream = (await fetch(new URL('/events?range=60000', live), { headers })).body!.pipeThrough(new TextDecoderStream());
    let seen = '';
    for await (const text of stream) {
      seen += text;
      if (/^event: snapshot$/m.test(seen) && /^event: tick$/m.test(seen) && seen.includes('"name":"place","unit":"per second"')) break;
    }
    await shows(running, 'its orders', /seed[^]*orders/);
    child.kill('SIGINT');
    const { code } = await done;
    expect(output()).toMatch(/Interrupted.*reads.*orders/s);
    expect(code).toBe(130);
    expect(existsSync(join(out, 'report.json'))).toBe(false);
  });
});
