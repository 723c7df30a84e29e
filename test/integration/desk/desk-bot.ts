import { Redis } from 'ioredis';
import pg from 'pg';
import { connectBroker } from '../../../src/certification/kill/venue-line.js';
import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { settle, type TradeTask, tell, trade } from '../kill/trading.js';

/** What a process of the desk is told on its command line, as JSON. */
export interface DeskTask extends TradeTask {
  /** Of the venue, PostgreSQL and Redis on loopback. */
  readonly port: number;
  readonly postgres: number;
  readonly redis: number;
  /**
   * `trade` once it leads, until it is killed or has lost its lease; `settle`: wait until nothing is in doubt, cancel what is live, and
   * leave; `read`: ask the venue for as much as the limits allow, without a lease.
   */
  readonly mode: 'trade' | 'settle' | 'read';
  /** Whether each request to the venue is told of, as `sent <epoch ms> <units>`. */
  readonly tellsSends?: boolean;
}

const READERS = 4;

const wallMs = (): number => performance.timeOrigin + performance.now();

/** Tells of each request as it leaves. */
function telling(adapter: BrokerAdapter): BrokerAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || name === 'cost' || name === 'events' || name === 'observe') return member;
      const units = target.cost(String(name)).reduce((sum, cost) => sum + cost.units, 0);
      return (...args: unknown[]): unknown => {
        const sentAt = wallMs();
        // Goes with the request, so that the venue's side knows how long its way took.
        Object.assign(args.at(-1) as object, { sentAt });
        if (units > 0) tell(`sent ${sentAt.toFixed(3)} ${units}`);
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

async function main(task: DeskTask): Promise<void> {
  using line = await connectBroker(task.port);
  const adapter = task.tellsSends === true ? telling(line) : line;
  const pool = new pg.Pool({ host: '127.0.0.1', port: task.postgres, user: 'postgres', max: 4 });
  pool.on('error', () => {});
  const redis = new Redis({ host: '127.0.0.1', port: task.redis });
  redis.on('error', () => {});
  await using kit = await createVenueKit({ broker: adapter, postgres: pool, redis, standby: true, policy: { timeoutMs: 400, reserve: 0.2 } });
  kit.bus.on('leader.state', ({ state, epoch }) => tell(`${state} ${epoch}`));
  kit.bus.on('limit.observed', ({ blockedUntil }) => blockedUntil !== undefined && tell('blocked by the venue'));
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
