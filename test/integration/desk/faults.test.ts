import { describe, expect, it } from 'vitest';
import { HAS_POSTGRES } from '../../setup/postgres-server.js';
import { HAS_REDIS } from '../../setup/redis-server.js';
import { FAULTS, runFaults } from './fault-run.js';

describe.skipIf(!HAS_POSTGRES || !HAS_REDIS)(
  'bots whose Redis and PostgreSQL go away and come back (skipped unless installed: sh scripts/install-test-services.sh)',
  () => {
    it('read on, keep the limit on a share of their own, refuse orders while these can not be written, and recover without a restart', async () => {
      // As `npm run desk-faults` does for 30 s each.
      const { rows, books } = await runFaults({ outMs: 1_500, journalTimeoutMs: 400 });
      expect(rows.map(({ fault, wrong }) => ({ fault, wrong }))).toEqual(FAULTS.map((fault) => ({ fault, wrong: [] })));
      for (const { reads, failedReads } of rows) expect([reads > 20, failedReads]).toEqual([true, 0]);
      expect(books).toMatchObject({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, findings: [] });
    });
  },
);
