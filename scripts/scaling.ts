import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { digits } from '../bench/harness.js';
import { HAS_POSTGRES } from '../test/setup/postgres-server.js';
import { HAS_REDIS } from '../test/setup/redis-server.js';
import { type DeskCosts, measureCosts } from './scaling/measure-costs.js';
import { type DeskHosts, type DeskLoad, firstSaturated, RESOURCES, simulateDesk } from './scaling/simulate-desk.js';

/**
 * `npm run scaling`: measures what a process, a symbol and an order cost on a Redis and a PostgreSQL of this machine, and simulates desks
 * of up to 1,000 bots and 100,000 symbols in virtual time over these costs. `--write` puts both into docs/concepts/scaling.md.
 */
const PAGE = fileURLToPath(new URL('../docs/concepts/scaling.md', import.meta.url));
const BOTS = [1, 8, 50, 100, 500, 1_000];
const LOAD = { symbols: 100_000, followed: 100, readEveryMs: 1_000, ttlMs: 1_000, orders: 0.2, botsPerAccount: 10, series: 300 } as const;
const HOSTS: DeskHosts = { postgresCores: 4, venueCalls: 100, batch: 100 };

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
if (!HAS_POSTGRES || !HAS_REDIS) {
  console.error('PostgreSQL and Redis are needed: sh scripts/install-test-services.sh');
  process.exit(2);
}
if (globalThis.gc === undefined) {
  console.error('bytes are counted after a collection: node --expose-gc --import tsx scripts/scaling.ts, or npm run scaling');
  process.exit(2);
}
const text = costTable(await measureCosts());
console.log(text);
if (values.write) {
  const marked = /<!-- scaling: npm run scaling -->[\s\S]*<!-- \/scaling -->/;
  const page = readFileSync(PAGE, 'utf8');
  if (!marked.test(page)) throw new Error(`${PAGE} has no place for the tables`);
  writeFileSync(
    PAGE,
    page.replace(marked, () => `<!-- scaling: npm run scaling -->\n${text}<!-- /scaling -->`),
  );
}
process.exit(0);

function costTable(costs: DeskCosts): string {
  const { redis, postgres, bot } = costs;
  const us = (value: number): string => `${digits(value)} µs`;
  const kb = (value: number): string => `${digits(value / 1_000)} kB`;
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['a process that does nothing, for each second', us(bot.idleSecond), us(redis.idleSecond), us(postgres.renewal * 0.6)],
    ['its memory, of JavaScript objects', kb(bot.bytesPerProcess), '', ''],
    ['a symbol that is kept', kb(bot.bytesPerSymbol), '', ''],
    ['a read from the first level', us(bot.cachedRead), '0', ''],
    ['a read from the second level', us(bot.sharedRead), `${us(redis.readKey)} (of twenty together)`, ''],
    ['a load from the venue: lease and write', us(bot.load), us(redis.lease + redis.writeKey), ''],
    ['a grant of a shared limit', '', us(redis.grant), ''],
    ['a word that one process hears (halt, ban, invalidation)', '', us(redis.wordHeard), ''],
    ['an order: sent, acknowledged, open', us(bot.order), us(redis.grant), us(postgres.placement)],
    ['its memory while it is known', kb(bot.bytesPerOrder), '', ''],
    ['a point of metrics', '', '', us(postgres.point)],
  ];
  return `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Redis and PostgreSQL on loopback. Time of a processor, measured at the server by its own count,
with real clients and the code as it is; PostgreSQL's with all its processes, four placements in flight.

| | bot | Redis | PostgreSQL |
|---|---:|---:|---:|
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}

${simulationTable(costs)}`;
}

function simulationTable(costs: DeskCosts): string {
  const percent = (value: number): string => (value >= 1 ? `**${digits(value * 100)} %**` : `${digits(value * 100)} %`);
  const line = (load: DeskLoad): string => {
    const { busy, live, redisWaitMs } = simulateDesk(load, costs, HOSTS);
    const wait = redisWaitMs === undefined ? 'grows' : `${digits(redisWaitMs.p50)} / ${digits(redisWaitMs.p99)}`;
    return `| ${load.bots.toLocaleString('en')} | ${live.toLocaleString('en')} | ${RESOURCES.map((one) => percent(busy[one])).join(' | ')} | ${wait} |`;
  };
  const head = `| bots | symbols that somebody follows | ${RESOURCES.join(' | ')} | wait at Redis, ms, p50 / p99 |\n|---:|---:|${'---:|'.repeat(RESOURCES.length + 1)}`;
  const table = (over: Partial<DeskLoad>): string => `${head}\n${BOTS.map((bots) => line({ ...LOAD, ...over, bots })).join('\n')}`;
  const first = (over: Partial<DeskLoad>, hosts: DeskHosts = HOSTS): string => {
    const found = firstSaturated({ ...LOAD, bots: 1, ...over }, costs, hosts);
    return found === undefined ? 'nothing below 100,000 bots' : `${found.resource}, at ${found.bots.toLocaleString('en')} bots`;
  };
  const free: DeskHosts = { ...HOSTS, venueCalls: Infinity };
  return `### Up to 1,000 bots and 100,000 symbols

Each bot follows ${LOAD.followed} of ${LOAD.symbols.toLocaleString('en')} symbols, some much more often followed than others (Zipf), reads each once a second, sends an order every five seconds and
cancels it, and keeps ${LOAD.series} series of metrics in PostgreSQL; ten bots to an account. The venue allows an address ${HOSTS.venueCalls} calls a second, as Binance does of weight 1, and
gives ${HOSTS.batch} symbols a call; PostgreSQL has ${HOSTS.postgresCores} cores. How busy each is, of what it can do; a bot has one thread.

${table({})}

The same where market data comes by stream, so that nothing is loaded and nothing read from the second level (a bot then reads its first level alone; what the messages of the stream cost is not in it):

${table({ ttlMs: Number.MAX_SAFE_INTEGER })}

| first to saturate | |
|---|---|
| as above | ${first({})} |
| with streams | ${first({ ttlMs: Number.MAX_SAFE_INTEGER })} |
| as above, orders and loads over as many addresses as it takes | ${first({}, free)} |
| with streams, over as many addresses as it takes | ${first({ ttlMs: Number.MAX_SAFE_INTEGER }, free)} |
| with streams and addresses, metrics scraped by Prometheus instead | ${first({ ttlMs: Number.MAX_SAFE_INTEGER, series: 0 }, free)} |
`;
}
