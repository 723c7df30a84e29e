import { serveBroker } from '../../../src/certification/kill/venue-line.js';
import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import { systemClock } from '../../../src/core/clock.js';
import { postgresOrderJournal } from '../../../src/stores/postgres/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { PostgresServer } from '../../setup/postgres-server.js';
import { RedisServer } from '../../setup/redis-server.js';
import { audit, type BookAudit } from '../kill/audit.js';
import { intentIds } from '../kill/kill-rounds.js';
import { DeskProcess } from './desk-process.js';

/** How long a desk runs, and how often a process of it is killed. */
export interface DeskRunOptions {
  readonly ms: number;
  readonly killEveryMs: number;
  readonly seed: number;
}

/** What was found when all is over; the first six must be 0. */
export interface DeskFindings extends Pick<BookAudit, 'duplicates' | 'orphans' | 'lost' | 'wronglyFilled'> {
  /** Units by which the limit was exceeded in any window, as they were sent. */
  readonly overWhenSent: number;
  /** The same as they arrived at the venue, in any window shorter by the spread of the ways there. */
  readonly overAtVenue: number;
  readonly findings: readonly string[];
  readonly killed: number;
  readonly takeovers: number;
  readonly requests: number;
  readonly venueOrders: number;
  /** The most units in any window, as sent. */
  readonly mostInAWindow: number;
  readonly spreadMs: number;
}

const LIMIT = { id: 'requests', scope: 'ip', kind: 'window', units: 120, perMs: 2_000 } as const;
const READERS = 6;

interface Spent {
  readonly at: number;
  readonly units: number;
}

/** With how long its way took. */
interface Arrived extends Spent {
  readonly tookMs: number;
}

/** Eight processes on one account: one that sends, a standby, and six that read for as much as the limit allows; one of them is killed every so often, and replaced. */
export async function runDesk({ ms, killEveryMs, seed }: DeskRunOptions): Promise<DeskFindings> {
  await using postgres = await PostgresServer.start();
  await using redis = await RedisServer.start();
  // The venue itself keeps no limit here: what exceeds it must be seen, not refused.
  const venue = new SimulatedVenue({
    seed,
    fence: { maxMs: 60_000, defaultMs: 500 },
    visibilityLagMs: 200,
    latency: { p50Ms: 2, p99Ms: 15 },
    log: 'hash',
  });
  const arrivals: Arrived[] = [];
  await using line = await serveBroker(limited(simulatedBroker(venue), arrivals));
  const durable = new Set<number>();
  const all: DeskProcess[] = [];
  let next = 0;
  const start = async (mode: 'trade' | 'read' | 'settle'): Promise<DeskProcess> => {
    const task = { port: line.port, postgres: postgres.port, redis: redis.port, seed, mode, again: [], first: next++ * 100_000, tellsSends: true };
    const bot = await DeskProcess.start(task, durable);
    all.push(bot);
    return bot;
  };
  try {
    let sender = await start('trade');
    await sender.says('leader');
    let standby = await start('trade');
    const readers = await Promise.all(Array.from({ length: READERS }, () => start('read')));
    const until = systemClock.monotonic() + ms;
    let killed = 0;
    let takeovers = 0;
    while (systemClock.monotonic() + killEveryMs <= until) {
      await systemClock.sleep(killEveryMs);
      // In turn: a sender, whose standby goes on; then a reader.
      if (killed++ % 2 === 0) {
        await standby.says('standby');
        await sender.kill();
        await standby.says('leader');
        takeovers++;
        sender = standby;
        standby = await start('trade');
      } else {
        await readers.shift()?.kill();
        readers.push(await start('read'));
      }
    }
    await systemClock.sleep(Math.max(0, until - systemClock.monotonic()));
    for (const bot of [...readers, standby, sender]) await bot.kill();
    const last = await start('settle');
    await last.ended();
    if (last.exitCode !== 0) throw new Error(`the last recovery failed: ${last.said.join('; ')}`);
    const journal = await postgresOrderJournal(postgres.pool({ max: 2 }));
    const books = await audit(venue, journal, intentIds(durable));
    await journal.close();
    const sent = all.flatMap(({ sends }) => sends);
    const ways = arrivals.map(({ tookMs }) => tookMs);
    const spreadMs = Math.ceil(Math.max(...ways) - Math.min(...ways));
    const mostInAWindow = mostIn(sent, LIMIT.perMs);
    return {
      ...books,
      overWhenSent: Math.max(0, mostInAWindow - LIMIT.units),
      overAtVenue: Math.max(0, mostIn(arrivals, Math.max(1, LIMIT.perMs - spreadMs)) - LIMIT.units),
      killed,
      takeovers,
      requests: sent.length,
      mostInAWindow,
      spreadMs,
    };
  } finally {
    for (const bot of all) await bot.kill();
  }
}

/** The venue with a limit that it only counts. */
function limited(broker: BrokerAdapter, arrivals: Arrived[]): BrokerAdapter {
  return new Proxy(broker, {
    get(target, name) {
      if (name === 'limits') return [LIMIT];
      if (name === 'cost') return (operation: string) => [{ limit: LIMIT.id, units: operation === 'openOrders' || operation === 'history' ? 3 : 1 }];
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      // Bound: a method of a class with private members can't run on a proxy of it.
      if (name === 'events' || name === 'observe') return member.bind(target);
      return (...args: unknown[]): unknown => {
        const at = systemClock.now();
        const { sentAt = at } = args.at(-1) as { readonly sentAt?: number };
        arrivals.push({ at, units: name === 'openOrders' || name === 'history' ? 3 : 1, tookMs: at - sentAt });
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/** The most units in any window. */
function mostIn(spent: readonly Spent[], perMs: number): number {
  const sorted = [...spent].sort((a, b) => a.at - b.at);
  let [most, sum, from] = [0, 0, 0];
  for (const { at, units } of sorted) {
    sum += units;
    while ((sorted[from] as Spent).at <= at - perMs) sum -= (sorted[from++] as Spent).units;
    most = Math.max(most, sum);
  }
  return most;
}
