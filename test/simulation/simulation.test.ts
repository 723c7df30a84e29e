import { describe, expect, it } from 'vitest';
import { runNaive } from './naive-client.js';
import { PROFILE_NAMES, type ProfileName } from './profiles.js';
import { runSeed, type SeedResult } from './run-seed.js';
import { shrink } from './shrink.js';

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

  it('gives the same run for the same seed', async () => {
    const options = { seed: 77, steps: STEPS, profile: 'fence', faults: 0.2 } as const;
    const [first, second] = [await runSeed(options), await runSeed(options)];
    expect(second.logHash).toBe(first.logHash);
    expect(second.count).toEqual(first.count);
    expect(second.latencies).toEqual(first.latencies);
    expect((await runSeed({ ...options, seed: 78 })).logHash).not.toBe(first.logHash);
  });

  it('is shrunk, where a seed fails, to the first step at which it does', async () => {
    const calm = { seed: 78, profile: 'fence', faults: 0.05 } as const;
    // The journal of the real run says how many orders there were at each step; "fails" from the fifth on.
    const failsAtFive = async (options: Parameters<typeof runSeed>[0]): Promise<SeedResult> => {
      const result = await runSeed(options);
      return { ...result, violations: result.count.orders >= 5 ? ['a fifth order'] : [] };
    };
    const tried: number[] = [];
    const shortest = await shrink(await failsAtFive({ ...calm, steps: 60 }), (steps) => tried.push(steps), failsAtFive);
    expect(shortest.violations).toEqual(['a fifth order']);
    expect(shortest.options).toMatchObject(calm);
    expect(shortest.options.steps).toBeLessThan(60);
    expect((await failsAtFive({ ...calm, steps: shortest.options.steps - 1 })).violations).toEqual([]);
    expect(tried.length).toBeLessThanOrEqual(Math.ceil(Math.log2(60)));
  });

  it('runs against a venue that doubles the orders of a client that simply tries again', async () => {
    const naive = await runNaive({ seed: 1, orders: 1_000, profile: 'fence', faults: 0.05 });
    expect(naive.duplicates).toBeGreaterThan(5);
  });
});
