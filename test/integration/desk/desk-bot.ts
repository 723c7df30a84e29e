import { Redis } from 'ioredis';
import pg from 'pg';
import { connectBroker } from '../../../src/certification/kill/venue-line.js';
import { createVenueKit } from '../../../src/kit/create-venue-kit.js';
import { settle, type TradeTask, tell, trade } from '../kill/trading.js';

/** What a process of the desk is told on its command line, as JSON. */
export interface DeskTask extends TradeTask {
  /** Of the venue, PostgreSQL and Redis on loopback. */
  readonly port: number;
  readonly postgres: number;
  readonly redis: number;
  /** `trade` once it leads, until it is killed or has lost its lease; `settle`: wait until nothing is in doubt, cancel what is live, and leave. */
  readonly mode: 'trade' | 'settle';
}

async function main(task: DeskTask): Promise<void> {
  using adapter = await connectBroker(task.port);
  const pool = new pg.Pool({ host: '127.0.0.1', port: task.postgres, user: 'postgres', max: 4 });
  pool.on('error', () => {});
  const redis = new Redis({ host: '127.0.0.1', port: task.redis });
  redis.on('error', () => {});
  await using kit = await createVenueKit({ broker: adapter, postgres: pool, redis, standby: true, policy: { timeoutMs: 400 } });
  kit.bus.on('leader.state', ({ state, epoch }) => tell(`${state} ${epoch}`));
  await kit.start();
  await (task.mode === 'trade' ? trade(kit.trading!, task) : settle(kit.trading!));
}

main(JSON.parse(process.argv[2] ?? '') as DeskTask).then(
  () => process.exit(0),
  (error: Error & { code?: string }) => {
    tell(`failed ${error.code ?? error.name}: ${error.message}`);
    process.exit(error.code === 'JOURNAL_LOCKED' ? 3 : 1);
  },
);
