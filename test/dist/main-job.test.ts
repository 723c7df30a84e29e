import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../examples/session/report.js';

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
const run = (...args: string[]) => start(...args).done;

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
    expect(report.venuekit.cacheHitRate).toBeGreaterThan(0.5);
    expect(report.raw.cacheHitRate).toBe(0);
    expect(report.raw.requests).toBeGreaterThan(report.venuekit.requests);
    expect(output).toContain('errors that reached the bot');
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

  it('says which port is in use', async () => {
    const taken = net.createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    const { port } = taken.address() as net.AddressInfo;
    try {
      const { code, output } = await run('--port', String(port));
      expect(output).toMatch(new RegExp(`port ${port}.*in use`, 'i'));
      expect(code).toBe(1);
    } finally {
      taken.close();
    }
  });

  it('closes cleanly on Ctrl-C in the middle, and says what was done', async () => {
    const out = folder();
    writeFileSync(join(out, 'kept'), '');
    const { child, done, output } = start('--duration', '60', '--out', out);
    while (!/orders/.test(output().split('seed')[1] ?? '')) await new Promise((tick) => setTimeout(tick, 50));
    child.kill('SIGINT');
    const { code } = await done;
    expect(output()).toMatch(/Interrupted.*reads.*orders/s);
    expect(code).toBe(130);
    expect(existsSync(join(out, 'report.json'))).toBe(false);
  });
});
