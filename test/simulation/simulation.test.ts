import { describe, expect, it } from 'vitest';
import { runNaive } from './naive-client.js';
import { PROFILE_NAMES, type ProfileName } from './profiles.js';
import { runSeed, type SeedResult } from './run-seed.js';

const STEPS = 120;

/** The violations of seeds from `first` on, by seed, so that a failure says what to replay. */
async function violationsOf(profile: ProfileName, first: number, seeds: number, faults: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const { violations } = await runSeed({ seed, steps: STEPS, profile, faults });
    for (const violation of violations)
      found.push(`npm run simulate -- --seed ${seed} --steps ${STEPS} --profile ${profile} --faults ${faults}: ${violation}`);
  }
  return found;
}

describe('client, journal, venue, stream and host in one simulation', () => {
  for (const profile of PROFILE_NAMES) {
    for (const faults of [0.05, 0.2]) {
      it(`keeps every invariant over 40 seeds at ${faults * 100} % faults on a venue of kind "${profile}"`, { timeout: 120_000 }, async () => {
        expect(await violationsOf(profile, 5_000, 40, faults)).toEqual([]);
      });
    }
  }

  it('escalates nowhere but on the venue that gives no proof, unless told to stop', { timeout: 120_000 }, async () => {
    const results: SeedResult[] = [];
    for (let seed = 6_000; seed < 6_012; seed++)
      for (const profile of PROFILE_NAMES) results.push(await runSeed({ seed, steps: STEPS, profile, faults: 0.2 }));
    const escalated = (profile: ProfileName): number =>
      results.filter(({ options }) => options.profile === profile).reduce((sum, { count }) => sum + count.escalated - count.escalatedWhenStopped, 0);
    expect(escalated('fence')).toBe(0);
    expect(escalated('forever')).toBe(0);
    expect(escalated('neither')).toBeGreaterThan(0);
  });

  it('gives the same run for the same seed', { timeout: 60_000 }, async () => {
    const options = { seed: 77, steps: STEPS, profile: 'fence', faults: 0.2 } as const;
    const [first, second] = [await runSeed(options), await runSeed(options)];
    expect(second.logHash).toBe(first.logHash);
    expect(second.count).toEqual(first.count);
    expect(second.latencies).toEqual(first.latencies);
    expect((await runSeed({ ...options, seed: 78 })).logHash).not.toBe(first.logHash);
  });

  it('runs against a venue that doubles the orders of a client that simply tries again', { timeout: 60_000 }, async () => {
    const naive = await runNaive({ seed: 1, orders: 1_000, profile: 'fence', faults: 0.05 });
    expect(naive.duplicates).toBeGreaterThan(5);
  });
});
