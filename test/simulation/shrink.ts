import { runSeed, type SeedOptions, type SeedResult } from './run-seed.js';

/**
 * The shortest run of the same seed that still fails: what happens in a step does not depend on how
 * many follow, so the first failing length is found by halving, then by single steps.
 */
export async function shrink(
  failing: SeedResult,
  onTry: (steps: number) => void = () => {},
  run: (options: SeedOptions) => Promise<SeedResult> = runSeed,
): Promise<SeedResult> {
  let best = failing;
  let low = 0;
  const attempt = async (steps: number): Promise<boolean> => {
    onTry(steps);
    const options: SeedOptions = { ...failing.options, steps };
    const result = await run(options);
    if (result.violations.length === 0) return false;
    best = result;
    return true;
  };
  while (best.options.steps - low > 1) {
    const middle = (low + best.options.steps) >> 1;
    if (!(await attempt(middle))) low = middle;
  }
  return best;
}
