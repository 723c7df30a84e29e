import { EventBus } from '../../contracts/events.js';
import type { KitTuning } from '../../contracts/kit-tuning.js';
import { throwIfAborted } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import { ManualClock } from '../../core/manual-clock.js';
import { seededRandom } from '../../core/random.js';
import { ConnectionPool } from '../../pool/index.js';
import type { TrialGround } from './trial.js';

/** What became of the connections of one pool. */
interface PoolUse {
  /** In the end, and at most. */
  readonly inUse: number;
  readonly most: number;
  readonly leaks: number;
}

interface PoolsResult {
  readonly pools: ReadonlyMap<string, PoolUse>;
  /** Pools that could not be made, or that lent more than they may. */
  readonly wrong: readonly string[];
}

const CALLERS = 200;
const EVERY_MS = 20;
const HELD_MS = 100;
const CREATE_MS = 30;
const FAIL_EVERY = 4;

/** Pools as `tuning` says how the host's are made, under callers that fail now and then. */
export async function runPools(
  { seed, signal }: Pick<TrialGround, 'seed' | 'signal'>,
  tuning: NonNullable<KitTuning['pools']>,
): Promise<PoolsResult> {
  const pools = new Map<string, PoolUse>();
  const wrong: string[] = [];
  for (const [name, options] of Object.entries(tuning)) {
    try {
      const use = await useOf(name, options, seed, signal);
      pools.set(name, use);
      if (options.max !== undefined && use.most > options.max) wrong.push(`${name}: ${use.most} in use, of at most ${options.max}`);
    } catch (error) {
      throwIfAborted(signal);
      wrong.push(`${name}: ${asError(error).message}`);
    }
  }
  return { pools, wrong };
}

async function useOf(name: string, options: NonNullable<KitTuning['pools']>[string], seed: number, signal: AbortSignal): Promise<PoolUse> {
  const clock = new ManualClock();
  const bus = new EventBus();
  let [inUse, most, leaks] = [0, 0, 0];
  bus.on('pool.state', (state) => {
    inUse = state.inUse;
    most = Math.max(most, inUse);
  });
  bus.on('pool.leak', () => leaks++);
  const create = async (): Promise<object> => {
    await clock.sleep(CREATE_MS);
    return {};
  };
  const pool = new ConnectionPool<object>({ ...options, name, bus, clock, random: seededRandom(seed), create });
  const callers: Promise<unknown>[] = [];
  for (let caller = 0; caller < CALLERS; caller++) {
    throwIfAborted(signal);
    const work = pool.use(async () => {
      await clock.sleep(HELD_MS);
      if (caller % FAIL_EVERY === 0) throw new Error('the call failed');
    });
    callers.push(work.catch(() => {}));
    await clock.advance(EVERY_MS);
  }
  await clock.advance(60_000);
  await Promise.all(callers);
  await pool.close();
  return { inUse, most, leaks };
}
