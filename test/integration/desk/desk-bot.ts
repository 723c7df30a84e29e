import { Redis } from 'ioredis';
import pg from 'pg';
import { connectBroker } from '../../../src/certification/kill/venue-line.js';
import type { BrokerAdapter, LimitObservation, Verdict } from '../../../src/contracts/broker.js';
import { systemClock } from '../../../src/core/clock.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { settle, type TradeTask, tell, trade } from '../kill/trading.js';
import { BANNED, hostMs } from './desk-observations.js';
import { type StopTask, stoppingAdapter, stoppingPool } from './stop-points.js';

/** What a process of the desk is told on its command line, as JSON. */
export interface DeskTask extends TradeTask {
  /** Which one it is, told to the venue with each request. */
  readonly bot: number;
  /** Of the venue, PostgreSQL and Redis on loopback. */
  readonly port: number;
  readonly postgres: number;
  readonly redis: number;
  readonly leaseMs: number;
  /** @defaultValue 'main' */
  readonly account?: string;
  /**
   * `trade` once it leads, until it is killed or has lost its lease; `settle`: wait until nothing is in doubt, cancel what is live, and
   * leave; `read`: ask the venue for as much as the limits allow, without a lease.
   */
  readonly mode: 'trade' | 'settle' | 'read';
  /** Whether each request to the venue is told of, as `sent <host ms> <units>`. */
  readonly tellsSends?: boolean;
  /** Where it stops itself, as SIGSTOP does. */
  readonly stop?: StopTask;
}

const READERS = 4;

/** Tells of each request as it leaves, and of each ban as its answer comes. */
function telling(adapter: BrokerAdapter, { bot, tellsSends = false }: DeskTask): BrokerAdapter {
  const observers = new Set<(seen: LimitObservation) => void>();
  const banned = (forMs: number): void => tell(`banned ${hostMs().toFixed(3)} ${forMs}`);
  return new Proxy(adapter, {
    get(target, name) {
      if (name === 'observe')
        return (observer: (seen: LimitObservation) => void): Disposable => {
          observers.add(observer);
          return { [Symbol.dispose]: () => void observers.delete(observer) };
        };
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || name === 'cost' || name === 'events') return member;
      const units = target.cost(String(name)).reduce((sum, cost) => sum + cost.units, 0);
      return (...args: unknown[]): unknown => {
        const sentAt = hostMs();
        // Goes with the request, so that the venue's side knows whose it is, and how long its way took.
        Object.assign(args.at(-1) as object, { sentAt, bot });
        if (tellsSends && units > 0) tell(`sent ${sentAt.toFixed(3)} ${units}`);
        const answer = (member as (...args: unknown[]) => unknown).apply(target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.then(
          (value: unknown) => {
            const verdict = value as Partial<Extract<Verdict, { kind: 'refused' }>> | undefined;
            if (verdict?.kind === 'refused' && verdict.ban === true) banned(verdict.retryAfterMs ?? 0);
            return value;
          },
          (error: Error) => {
            const forMs = Number(BANNED.exec(error.message)?.[1]);
            if (forMs > 0) {
              banned(forMs);
              // As an adapter does that finds a 418 in the answer to a read; a limit of no name is all of them.
              for (const observe of observers) observe({ limit: '*', blockedUntil: systemClock.now() + forMs });
            }
            throw error;
          },
        );
      };
    },
  });
}

async function main(task: DeskTask): Promise<void> {
  using line = await connectBroker(task.port);
  const adapter = telling(task.stop === undefined ? line : stoppingAdapter(line, task.stop), task);
  const pool = new pg.Pool({ host: '127.0.0.1', port: task.postgres, user: 'postgres', max: 4 });
  pool.on('error', () => {});
  const redis = new Redis({ host: '127.0.0.1', port: task.redis });
  redis.on('error', () => {});
  await using kit = await createVenueKit({
    broker: adapter,
    postgres: task.stop === undefined ? pool : stoppingPool(pool, task.stop),
    redis,
    standby: true,
    leaseMs: task.leaseMs,
    policy: { timeoutMs: 400, reserve: 0.2 },
    ...(task.account === undefined ? {} : { account: task.account }),
  });
  kit.bus.on('leader.state', ({ state, epoch }) => tell(`${state} ${epoch}`));
  const trading = kit.trading!;
  if (task.mode === 'read') {
    tell('reading');
    const ref = { symbol: 'BTC/USDT', clientOrderId: 'nobody-s' };
    const reader = async (): Promise<void> => {
      for (;;) await trading.read('find', (attempt) => adapter.find(ref, attempt), { deadlineMs: 30_000 }).catch(() => {});
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }
  await kit.start();
  await (task.mode === 'trade' ? trade(trading, task) : settle(trading));
}

main(JSON.parse(process.argv[2] ?? '') as DeskTask).then(
  () => process.exit(0),
  (error: Error & { code?: string }) => {
    tell(`failed ${error.code ?? error.name}: ${error.message}`);
    process.exit(error.code === 'JOURNAL_LOCKED' ? 3 : 1);
  },
);
