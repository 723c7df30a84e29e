import { describe, expect, it } from 'vitest';
import { serveBroker } from '../../../src/certification/kill/venue-line.js';
import { systemClock } from '../../../src/core/clock.js';
import { postgresOrderJournal } from '../../../src/stores/postgres/index.js';
import { simulatedBroker } from '../../../src/testing/index.js';
import { HAS_POSTGRES, PostgresServer } from '../../setup/postgres-server.js';
import { HAS_REDIS, RedisServer } from '../../setup/redis-server.js';
import { audit } from '../kill/audit.js';
import { givenAHostileVenue, intentIds } from '../kill/kill-rounds.js';
import { DeskProcess } from './desk-process.js';
import { runDesk } from './desk-run.js';

const LEASE_MS = 5_000;

describe.skipIf(!HAS_POSTGRES || !HAS_REDIS)('a desk of several processes (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  it('goes on with a standby when the sender is stopped past its lease, and when it is killed: no order doubled, none lost', async () => {
    await using postgres = await PostgresServer.start();
    await using redis = await RedisServer.start();
    const venue = givenAHostileVenue(7);
    await using line = await serveBroker(simulatedBroker(venue.simulated));
    const durable = new Set<number>();
    const bots: DeskProcess[] = [];
    const start = async (first: number, mode: 'trade' | 'settle' = 'trade', again: readonly number[] = []): Promise<DeskProcess> => {
      const task = { port: line.port, postgres: postgres.port, redis: redis.port, seed: 7, mode, again, first };
      const bot = await DeskProcess.start(task, durable);
      bots.push(bot);
      return bot;
    };
    try {
      const first = await start(0);
      await first.says('leader 1');
      const second = await start(100_000);
      await second.says('standby');
      await expect.poll(() => durable.size, { timeout: 20_000 }).toBeGreaterThan(30);

      first.signal('SIGSTOP');
      const stoppedAt = systemClock.monotonic();
      await second.says('leader 2');
      const tookMs = systemClock.monotonic() - stoppedAt;
      // Not before the lease was over: its holder might have gone on.
      expect(tookMs).toBeGreaterThan(LEASE_MS * 0.6);
      first.signal('SIGCONT');
      // What it appends next is refused, and it sends nothing more. A read that its stop has cut off may fail before.
      await first.says('lost 1');
      await first.ended();
      expect(`${first.exitCode} ${first.said.at(-1)}`).toMatch(/^(3 failed JOURNAL_LOCKED|1 failed JOURNAL: .* did not read)/);

      const before = durable.size;
      await expect.poll(() => durable.size, { timeout: 20_000 }).toBeGreaterThan(before + 20);
      const third = await start(200_000, 'trade', [...durable].slice(-10));
      await third.says('standby');
      await second.kill();
      // A dead process of this host needs no lease to run out.
      await third.says('leader 3');
      await expect.poll(() => [...durable].filter((number) => number >= 200_000).length, { timeout: 20_000 }).toBeGreaterThan(10);
      await third.kill();

      venue.calm();
      const last = await start(0, 'settle');
      await last.ended();
      expect([last.exitCode, last.said]).toEqual([0, ['leader 4']]);
      const journal = await postgresOrderJournal(postgres.pool({ max: 2 }));
      const { duplicates, orphans, lost, wronglyFilled, findings, intents } = await audit(venue.simulated, journal, intentIds(durable));
      expect({ duplicates, orphans, lost, wronglyFilled, findings }).toEqual({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, findings: [] });
      expect(intents).toBeGreaterThanOrEqual(durable.size);
      await journal.close();
    } finally {
      for (const bot of bots) await bot.kill();
    }
  });

  it('keeps one limit with eight processes, one of which is killed every few seconds, and all books right', async () => {
    const found = await runDesk({ ms: 12_000, killEveryMs: 4_000, seed: 11 });
    expect(found).toMatchObject({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, overWhenSent: 0, overAtVenue: 0, findings: [] });
    // Otherwise nothing has been tried.
    expect(found.takeovers).toBeGreaterThan(0);
    expect(found.mostInAWindow).toBeGreaterThan(30);
    expect(found.venueOrders).toBeGreaterThan(10);
  });
});
