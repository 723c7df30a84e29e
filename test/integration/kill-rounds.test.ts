import { describe, expect, it } from 'vitest';
import { runKillRounds } from './kill/kill-rounds.js';

describe('bots killed with SIGKILL at random moments', () => {
  it('leave no order doubled, orphaned or lost behind', async () => {
    const audit = await runKillRounds({ rounds: 10, seed: 20_261 });
    expect(audit).toMatchObject({ duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, killed: 10, findings: [] });
    // Otherwise nothing has been tried.
    expect(audit.venueOrders).toBeGreaterThan(20);
  }, 120_000);
});
