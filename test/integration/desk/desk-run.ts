import { serveBroker } from '../../../src/certification/kill/venue-line.js';
import type { BrokerAdapter, Verdict } from '../../../src/contracts/broker.js';
import { systemClock } from '../../../src/core/clock.js';
import { postgresOrderJournal } from '../../../src/stores/postgres/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { PostgresServer } from '../../setup/postgres-server.js';
import { RedisServer } from '../../setup/redis-server.js';
import { audit, type BookAudit } from '../kill/audit.js';
import { intentIds } from '../kill/kill-rounds.js';
import { type Arrived, type DeskMeasures, type DeskObservations, hostMs, judge, measure, type Takeover } from './desk-observations.js';
import { DeskProcess } from './desk-process.js';

/** How long a desk runs, and how often a process of it is killed. */
export interface DeskRunOptions {
  /** For so long, or until so many processes have been ended. */
  readonly ms?: number;
  readonly turns?: number;
  readonly killEveryMs: number;
  readonly seed: number;
  /** @defaultValue that of the client */
  readonly leaseMs?: number;
  readonly onRound?: (said: string) => void;
}

/** What was found when all is over. */
export interface DeskFindings extends BookAudit, DeskMeasures {
  /** What is wrong, in words: books and targets. */
  readonly findings: readonly string[];
  readonly killed: number;
  readonly takeovers: readonly Takeover[];
  readonly limit: DeskObservations['limit'];
  readonly leaseMs: number;
}

const LIMIT = { id: 'requests', scope: 'ip', kind: 'window', units: 120, perMs: 2_000 } as const;
const READERS = 6;
const BAN_MS = 800;
/** What happens in turn: each ends a process. A stopped sender is woken when its standby leads, and ends when it has seen that. */
const TURNS = ['kill the sender', 'stop the sender', 'kill a reader', 'kill a reader'] as const;

/** Eight processes on one account: one that sends, a standby, and six that read for as much as the limit allows; one of them is killed every so often, and replaced. */
export async function runDesk({
  ms = Infinity,
  turns = Infinity,
  killEveryMs,
  seed,
  leaseMs = 5_000,
  onRound,
}: DeskRunOptions): Promise<DeskFindings> {
  await using postgres = await PostgresServer.start();
  await using redis = await RedisServer.start();
  // The venue itself keeps no limit here: what exceeds it must be seen, not refused.
  const simulated = new SimulatedVenue({
    seed,
    fence: { maxMs: 60_000, defaultMs: 500 },
    visibilityLagMs: 200,
    latency: { p50Ms: 2, p99Ms: 15 },
    log: 'hash',
  });
  const venue = new DeskVenue(simulatedBroker(simulated));
  await using line = await serveBroker(venue.broker);
  const durable = new Set<number>();
  const all: DeskProcess[] = [];
  let next = 0;
  const start = async (mode: 'trade' | 'read' | 'settle'): Promise<DeskProcess> => {
    const bot = next++;
    const task = { bot, port: line.port, postgres: postgres.port, redis: redis.port, seed, leaseMs, mode, again: [], first: bot * 100_000 };
    const process = await DeskProcess.start({ ...task, tellsSends: true }, durable);
    all.push(process);
    return process;
  };
  const takeovers: Takeover[] = [];
  try {
    let sender = await start('trade');
    await sender.says('leader');
    let standby = await start('trade');
    await standby.says('standby');
    const readers = await Promise.all(Array.from({ length: READERS }, () => start('read')));
    for (const reader of readers) await reader.says('reading');
    const takeOver = async (after: Takeover['after']): Promise<void> => {
      const from = hostMs();
      if (after === 'stopped') sender.signal('SIGSTOP');
      else await sender.kill();
      await standby.says('leader');
      takeovers.push({ after, ms: hostMs() - from });
      if (after === 'stopped') {
        sender.signal('SIGCONT');
        // With its lease lost, or with what its stop has cut off.
        await sender.ended();
      }
      sender = standby;
      standby = await start('trade');
      await standby.says('standby');
    };
    const until = hostMs() + ms;
    let killed = 0;
    while (killed < turns && hostMs() + killEveryMs <= until) {
      await systemClock.sleep(killEveryMs / 2);
      venue.banNext(BAN_MS);
      await systemClock.sleep(killEveryMs / 2);
      const turn = TURNS[killed++ % TURNS.length] as (typeof TURNS)[number];
      if (turn === 'kill the sender') await takeOver('killed');
      else if (turn === 'stop the sender') await takeOver('stopped');
      else {
        await readers.shift()?.kill();
        readers.push(await start('read'));
      }
      onRound?.(`${killed}: ${turn}; ${durable.size} orders, ${venue.arrived.length} requests at the venue`);
    }
    if (ms < Infinity) await systemClock.sleep(Math.max(0, until - hostMs()));
    for (const bot of [...readers, standby, sender]) await bot.kill();
    const last = await start('settle');
    await last.ended();
    if (last.exitCode !== 0) throw new Error(`the last recovery failed: ${last.said.join('; ')}`);
    const journal = await postgresOrderJournal(postgres.pool({ max: 2 }));
    const books = await audit(simulated, journal, intentIds(durable));
    await journal.close();
    const bans = all.flatMap((bot) => bot.bans);
    const observed = { limit: LIMIT, leaseMs, sent: all.flatMap(({ sends }) => sends), arrived: venue.arrived, bans, takeovers };
    const { units, perMs } = LIMIT;
    return {
      ...books,
      ...measure(observed),
      findings: [...books.findings, ...judge(observed)],
      killed,
      takeovers,
      limit: { units, perMs },
      leaseMs,
    };
  } finally {
    for (const bot of all) await bot.kill();
  }
}

/** The venue with a limit that it only counts, and with bans that one process is told of: the others must hear it from that one. */
class DeskVenue {
  readonly arrived: Arrived[] = [];
  readonly broker: BrokerAdapter;
  #banMs = 0;

  constructor(broker: BrokerAdapter) {
    this.broker = new Proxy(broker, {
      get: (target, name) => {
        if (name === 'limits') return [LIMIT];
        if (name === 'cost') return (operation: string) => [{ limit: LIMIT.id, units: unitsOf(operation) }];
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        // Bound: a method of a class with private members can't run on a proxy of it.
        if (name === 'events' || name === 'observe') return member.bind(target);
        return (...args: unknown[]): unknown => {
          const at = hostMs();
          const { sentAt = at } = args.at(-1) as { readonly sentAt?: number };
          this.arrived.push({ at, units: unitsOf(String(name)), tookMs: at - sentAt });
          return this.#banOf(String(name)) ?? (member as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  }

  /** The next that asks is banned; nobody else is told. */
  banNext(forMs: number): void {
    this.#banMs = forMs;
  }

  #banOf(operation: string): Promise<Verdict> | undefined {
    const forMs = this.#banMs;
    if (forMs === 0 || !['place', 'cancel', 'find'].includes(operation)) return undefined;
    this.#banMs = 0;
    const cause = new Error(`banned for ${forMs} ms`);
    return operation === 'find' ? Promise.reject(cause) : Promise.resolve({ kind: 'refused', cause, retryAfterMs: forMs, ban: true });
  }
}

function unitsOf(operation: string): number {
  return operation === 'openOrders' || operation === 'history' ? 3 : 1;
}
