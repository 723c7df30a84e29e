import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { HAS_POSTGRES } from '../setup/postgres-server.js';
import { HAS_REDIS } from '../setup/redis-server.js';

const ROOT = join(import.meta.dirname, '../..');
const DESK = join(ROOT, 'examples/desk');
const run = promisify(execFile);
const has = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;
/** Whichever quotes it has. */
const fileOf = (name: string): string => readFileSync(join(DESK, name), 'utf8').replaceAll('"', "'");

describe('the example of a desk', () => {
  it.skipIf(!HAS_POSTGRES || !HAS_REDIS)(
    'goes on with the other bot when the one that leads is killed, and doubles no order (skipped unless installed: sh scripts/install-test-services.sh)',
    { timeout: 150_000 },
    async () => {
      const { stdout } = await run(process.execPath, ['--import', 'tsx', 'examples/desk/run.ts', '--seconds', '2'], { cwd: ROOT, timeout: 140_000 });
      const [, first, second] = /(bot-\d) was killed with \d+ orders at the venue; (bot-\d) goes on after/.exec(stdout) ?? [];
      expect([first, second].sort(), stdout).toEqual(['bot-1', 'bot-2']);
      expect(stdout).toMatch(/[1-9]\d* orders in the journal, [1-9]\d* at the venue, 0 of them doubled/);
      if (has('prometheus') && has('prometheus-alertmanager')) expect(stdout).toMatch(/Prometheus scrapes [12] of 2 bots/);
    },
  );

  it.skipIf(!has('promtool') || !has('amtool'))('has configurations that Prometheus and Alertmanager take', () => {
    // It looks for the rules beside the file.
    const check = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8', cwd: DESK });
    const prometheus = check('promtool', 'check', 'config', 'prometheus.yml');
    expect([prometheus.status, prometheus.stdout]).toEqual([0, expect.stringMatching(/SUCCESS: 1 rule files found[\s\S]*SUCCESS: \d+ rules found/)]);
    const alertmanager = check('amtool', 'check-config', 'alertmanager.yml');
    expect([alertmanager.status, alertmanager.stdout]).toEqual([0, expect.stringMatching(/Checking 'alertmanager.yml'\s+SUCCESS/)]);
  });

  it('has the standard rules as the command prints them', async () => {
    const { stdout } = await run(process.execPath, ['dist/cli.js', 'grafana', '--alerts', 'prometheus'], { cwd: ROOT });
    expect(fileOf('venuekit.rules.yml'), 'npx venuekit grafana --alerts prometheus > examples/desk/venuekit.rules.yml').toBe(
      stdout.replaceAll('"', "'"),
    );
  });

  it('names the same ports, services and variables in all of its files', () => {
    const compose = fileOf('compose.yaml');
    const services = [...compose.matchAll(/^ {2}([\w-]+):$/gm)].map(([, name]) => name!);
    const bots = [...compose.matchAll(/BOT_NAME: ([\w-]+), HTTP_PORT: '(\d+)'/g)].map(([, name, port]) => ({ name, port }));
    expect(bots.map(({ name }) => name)).toEqual(['bot-1', 'bot-2']);
    for (const { name } of bots) expect(services).toContain(name);
    // They share the venue's network, so that it is the venue that Prometheus finds them at.
    const [, targets] = /job_name: venuekit[\s\S]*?targets: \[(.*)\]/.exec(fileOf('prometheus.yml'))!;
    expect(targets!.split(', ')).toEqual(bots.map(({ port }) => `'venue:${port}'`));
    for (const [, host] of compose.matchAll(/:\/\/(?:\w+:\w+@)?([a-z]+):\d+/g)) expect(services).toContain(host);
    expect(fileOf('prometheus.yml')).toContain("targets: ['alertmanager:9093']");
    for (const [, file] of compose.matchAll(/'\.\/([\w.]+):/g)) expect([file, existsSync(join(DESK, file!))]).toEqual([file, true]);
    for (const [, name] of fileOf('bot.ts').matchAll(/need\('(\w+)'\)/g)) expect([name, compose.includes(`${name}:`)]).toEqual([name, true]);
    const [, port] = /'--port', '(\d+)'/.exec(compose)!;
    expect(compose).toContain(`VENUE_URL: http://127.0.0.1:${port}`);
  });
});
