import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { nearest } from '../src/core/options.js';
import { type Count, emptyCount } from '../test/simulation/judge.js';
import { runNaive } from '../test/simulation/naive-client.js';
import { PROFILE_NAMES, type ProfileName } from '../test/simulation/profiles.js';
import { runSeed, type SeedResult } from '../test/simulation/run-seed.js';
import { shrink } from '../test/simulation/shrink.js';

/**
 * `npm run simulate -- --orders 500000 --faults 0.05` runs seeds until so many orders were placed;
 * `npm run simulate -- --seed 7 --steps 120 --profile fence --faults 0.2 --trace` replays one.
 * Exit 0: nothing broke; 1: an invariant did, and the shrunk seed is printed; 2: wrong usage.
 */
const USAGE = `npm run simulate -- [options]
  --orders N      run seeds until N orders were placed              [20000]
  --faults F      share of requests and events that a fault strikes [0.05]
  --seed N        the first seed; alone, the only one               [1]
  --steps N       steps of a seed                                   [800]
  --profile P     ${PROFILE_NAMES.join(' | ')}; without it seeds take turns
  --workers N     processes                                         [2]
  --naive         what a bot's own retry loop makes of the same venue
  --trace         print what happens (with --seed)
  --json          the result as JSON on stdout`;

const OPTIONS = {
  orders: { type: 'string' },
  faults: { type: 'string' },
  seed: { type: 'string' },
  steps: { type: 'string' },
  profile: { type: 'string' },
  workers: { type: 'string' },
  naive: { type: 'boolean' },
  trace: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

interface Job {
  readonly seed: number;
  readonly steps: number;
  readonly profile: ProfileName;
  readonly faults: number;
}

interface Tally {
  readonly seeds: number;
  readonly count: Count;
  readonly latencies: readonly number[];
  readonly virtualMs: number;
}

if (process.send === undefined) await main();
else serve();

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true) return console.log(USAGE);
  const faults = number('faults', options.faults, 0.05, 0, 1);
  const steps = number('steps', options.steps, 800, 1);
  const profile = options.profile as ProfileName | undefined;
  if (profile !== undefined && !PROFILE_NAMES.includes(profile)) usage(`--profile must be one of ${PROFILE_NAMES.join(', ')}, got "${profile}"`);
  const seed = number('seed', options.seed, 1, 0);
  if (options.naive === true) return naive(seed, faults, number('orders', options.orders, 20_000, 1));
  if (options.seed !== undefined && options.orders === undefined)
    return one({ seed, steps, profile: profile ?? profileOf(seed), faults }, options.trace === true);
  const orders = number('orders', options.orders, 20_000, 1);
  await many({ seed, steps, faults, orders, workers: number('workers', options.workers, 2, 1), ...(profile && { profile }) }, options.json === true);
}

/** One seed, and where it fails its shortest failing prefix. */
async function one(job: Job, isTraced: boolean): Promise<void> {
  const result = await runSeed({ ...job, isTraced });
  console.log(JSON.stringify({ ...result.options, ...result.count, virtualMs: Math.round(result.virtualMs), logHash: result.logHash }, undefined, 2));
  if (result.violations.length > 0) await report(result);
}

async function many(
  options: {
    readonly seed: number;
    readonly steps: number;
    readonly faults: number;
    readonly orders: number;
    readonly workers: number;
    readonly profile?: ProfileName;
  },
  isJson: boolean,
): Promise<void> {
  const began = performance.now();
  const tallies = new Map<ProfileName, { seeds: number; count: Count; latencies: number[]; virtualMs: number }>();
  let next = options.seed;
  let done = 0;
  let failed: SeedResult | undefined;
  let failures = 0;
  const job = (): Job | undefined => {
    if (done >= options.orders || failures >= 10) return undefined;
    const seed = next++;
    return { seed, steps: options.steps, profile: options.profile ?? profileOf(seed), faults: options.faults };
  };
  const take = (result: SeedResult): void => {
    done += result.count.orders;
    if (result.violations.length > 0) {
      failures++;
      console.error(`seed ${result.options.seed} (${result.options.profile}) failed: ${result.violations[0]}`);
      failed ??= result;
    }
    const { profile } = result.options;
    const tally = tallies.get(profile) ?? { seeds: 0, count: emptyCount(), latencies: [], virtualMs: 0 };
    tally.seeds++;
    tally.virtualMs += result.virtualMs;
    for (const key of Object.keys(tally.count) as (keyof Count)[]) tally.count[key] += result.count[key];
    for (const latency of result.latencies) tally.latencies.push(latency);
    tallies.set(profile, tally);
  };
  const progress = setInterval(() => {
    const seconds = (performance.now() - began) / 1000;
    const left = ((options.orders - done) / Math.max(done, 1)) * seconds;
    console.error(
      `${done} of ${options.orders} orders, ${next - options.seed} seeds, ${failures} failed, ${(done / seconds).toFixed(0)} orders/s, ${left.toFixed(0)} s left`,
    );
  }, 5_000);
  await Promise.all(Array.from({ length: options.workers }, () => work(job, take)));
  clearInterval(progress);
  const seconds = (performance.now() - began) / 1000;
  const rows = [...tallies].sort().map(([profile, tally]) => row(profile, tally));
  if (isJson)
    console.log(
      JSON.stringify(
        { faults: options.faults, seeds: next - options.seed, orders: done, seconds: Math.round(seconds), failures, profiles: rows },
        undefined,
        2,
      ),
    );
  else {
    console.log(
      `${done} orders over ${next - options.seed} seeds at ${options.faults * 100} % raw faults in ${seconds.toFixed(0)} s; ${failures} seeds failed.`,
    );
    console.table(Object.fromEntries(rows.map(({ profile, ...rest }) => [profile, rest])));
  }
  if (failed !== undefined) await report(failed);
}

/** Keeps one child busy until there is nothing more to do. */
function work(job: () => Job | undefined, take: (result: SeedResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(import.meta.filename, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const feed = (): void => {
      const next = job();
      if (next === undefined) child.disconnect();
      else child.send(next);
    };
    child.on('message', (result: SeedResult) => {
      take(result);
      feed();
    });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
    feed();
  });
}

function serve(): void {
  process.on('message', (job: Job) => {
    runSeed(job).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(`seed ${job.seed} (${job.profile}) broke the simulation itself`, error);
        process.exit(1);
      },
    );
  });
}

async function report(failing: SeedResult): Promise<void> {
  process.exitCode = 1;
  console.error(`\nSeed ${failing.options.seed} (${failing.options.profile}) failed; shrinking …`);
  const { options, violations } = await shrink(failing, (steps) => console.error(`  ${steps} steps`));
  for (const violation of violations) console.error(`  ${violation}`);
  console.error(
    `Replay: npm run simulate -- --seed ${options.seed} --steps ${options.steps} --profile ${options.profile} --faults ${options.faults} --trace`,
  );
}

async function naive(seed: number, faults: number, orders: number): Promise<void> {
  const rows = await Promise.all(PROFILE_NAMES.map(async (profile) => [profile, await runNaive({ seed, orders, profile, faults })] as const));
  console.log(`A retry loop with the same id, ${faults * 100} % raw faults:`);
  console.table(Object.fromEntries(rows));
}

function row(profile: ProfileName, { seeds, count, latencies, virtualMs }: Tally) {
  const sorted = Float64Array.from(latencies).sort();
  const quantile = (q: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
  return { profile, seeds, ...count, p50Ms: quantile(0.5), p99Ms: quantile(0.99), virtualHours: Math.round(virtualMs / 360_000) / 10 };
}

function profileOf(seed: number): ProfileName {
  return PROFILE_NAMES[seed % PROFILE_NAMES.length] as ProfileName;
}

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    const given = /'--([\w-]+)/.exec((error as Error).message)?.[1];
    const near = given === undefined ? undefined : nearest(given, Object.keys(OPTIONS));
    return usage(`${(error as Error).message.split('.')[0]}${near === undefined ? '' : `; did you mean --${near}?`}`);
  }
}

function number(name: string, text: string | undefined, otherwise: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value >= least && value <= most))
    usage(`--${name} must be a number of ${least} or more${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ''}, got "${text}"`);
  return value;
}

function usage(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  process.exit(2);
}
