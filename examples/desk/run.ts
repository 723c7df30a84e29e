import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { SimulatedVenue, serveBinance } from 'venuekit/testing';
import { freePort } from '../../test/setup/free-port.js';
import { HAS_POSTGRES, PostgresServer } from '../../test/setup/postgres-server.js';
import { HAS_REDIS, RedisServer } from '../../test/setup/redis-server.js';

/**
 * The desk of compose.yaml on processes of this machine, without containers: Redis, PostgreSQL, a simulated venue, two bots, and
 * Prometheus and Alertmanager where they are installed. Half-way the bot that leads is killed, and the other goes on:
 *
 *     npx tsx examples/desk/run.ts --seconds 20
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new RangeError(`--seconds must be a number above 0, got ${values.seconds}`);
if (!HAS_REDIS || !HAS_POSTGRES) {
  console.error('Redis and PostgreSQL are needed: sh scripts/install-test-services.sh');
  process.exit(2);
}
const here = import.meta.dirname;
const directory = mkdtempSync(join(tmpdir(), 'venuekit-desk-'));
const children: ChildProcess[] = [];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

function start(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
  children.push(child);
  return child;
}

/** Asks until it is as wanted. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  throw new Error(`${what}: not within a minute`);
}

const fetchJson = async (url: string): Promise<unknown> => (await fetch(url)).json();

/** A file of this folder with other addresses in it, as a configuration of its own. */
function configured(file: string, replaced: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(here, file), 'utf8');
  for (const [from, to] of Object.entries(replaced)) text = text.replaceAll(from, to);
  const path = join(directory, file);
  writeFileSync(path, text);
  return path;
}

const venue = new SimulatedVenue({ seed: 7, symbols: { 'BTC/USDT': { price: 50_000 } }, balances: { USDT: '1000000', BTC: '10' } });
try {
  await using served = await serveBinance(venue);
  await using redis = await RedisServer.start();
  await using postgres = await PostgresServer.start();
  const ports = { prometheus: await freePort(), alertmanager: await freePort(), bots: [await freePort(), await freePort()] };
  const hasPrometheus = isInstalled('prometheus') && isInstalled('prometheus-alertmanager');
  if (hasPrometheus) {
    configured('venuekit.rules.yml', {});
    const alertmanager = configured('alertmanager.yml', {});
    start('prometheus-alertmanager', [
      `--config.file=${alertmanager}`,
      `--storage.path=${join(directory, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ]);
    const prometheus = configured('prometheus.yml', {
      'venue:9101': `127.0.0.1:${ports.bots[0]}`,
      'venue:9102': `127.0.0.1:${ports.bots[1]}`,
      'alertmanager:9093': `127.0.0.1:${ports.alertmanager}`,
    });
    start('prometheus', [
      `--config.file=${prometheus}`,
      `--storage.tsdb.path=${join(directory, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${ports.prometheus}`,
      '--log.level=error',
    ]);
    console.log(`Prometheus at http://127.0.0.1:${ports.prometheus}, Alertmanager at http://127.0.0.1:${ports.alertmanager}`);
  } else console.log('Prometheus and Alertmanager are not installed; the bots run without them');

  const bots = new Map(
    ports.bots.map((port, i) => {
      const name = `bot-${i + 1}`;
      const child = start(process.execPath, ['--import', 'tsx', join(here, 'bot.ts')], {
        BOT_NAME: name,
        HTTP_PORT: String(port),
        REDIS_URL: redis.url,
        DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}/postgres`,
        VENUE_URL: served.url,
        VENUE_API_KEY: served.credentials.apiKey,
        VENUE_API_SECRET: served.credentials.secret,
        ...(hasPrometheus && { ALERTMANAGER_URL: `http://127.0.0.1:${ports.alertmanager}` }),
      });
      return [name, { child, url: `http://127.0.0.1:${port}` }];
    }),
  );
  const leader = (): Promise<string> =>
    until('a bot that leads', async () => {
      for (const [name, { url, child }] of bots) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const { role } = (await fetchJson(url)) as { readonly role: string };
        if (role === 'leader') return name;
      }
      return undefined;
    });
  const first = await leader();
  await until('an order', async () => venue.orders().length > 0 || undefined);
  await sleep((seconds * 1_000) / 2);
  const before = venue.orders().length;
  const killed = Date.now();
  bots.get(first)!.child.kill('SIGKILL');
  await once(bots.get(first)!.child, 'exit');
  const second = await leader();
  await until('an order of the other', async () => venue.orders().length > before + 2 || undefined);
  console.log(`${first} was killed with ${before} orders at the venue; ${second} goes on after ${((Date.now() - killed) / 1_000).toFixed(1)} s`);
  await sleep((seconds * 1_000) / 2);
  if (hasPrometheus) {
    const url = `http://127.0.0.1:${ports.prometheus}/api/v1/query?query=${encodeURIComponent('sum(up{job="venuekit"})')}`;
    const up = await until('Prometheus', async () => {
      const { data } = (await fetchJson(url)) as { readonly data: { readonly result: readonly { readonly value: [number, string] }[] } };
      return data.result[0]?.value[1];
    });
    console.log(`Prometheus scrapes ${up} of 2 bots`);
  }
  bots.get(second)!.child.kill('SIGTERM');
  await once(bots.get(second)!.child, 'exit');

  const pool = new pg.Pool({ host: '127.0.0.1', port: postgres.port, user: 'postgres', max: 1 });
  const { rows } = await pool.query<{ intents: string }>(`SELECT count(*) AS intents FROM venuekit.intent WHERE account = 'main'`);
  await pool.end();
  const ids = venue.orders().map(({ clientOrderId }) => clientOrderId);
  console.log(`${rows[0]!.intents} orders in the journal, ${ids.length} at the venue, ${ids.length - new Set(ids).size} of them doubled`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
