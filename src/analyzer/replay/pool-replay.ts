import type { PoolTuning } from '../../contracts/kit-tuning.js';
import { ManualClock } from '../../core/manual-clock.js';
import { type Random, seededRandom } from '../../core/random.js';
import { ConnectionPool } from '../../pool/index.js';
import { largest } from '../measures/numbers.js';
import type { Trace, TracedLoan } from '../trace/trace.js';
import { Neighbours } from './neighbours.js';

/** What callers of a pool did: when each came, and for how long it held its connection. */
export interface PoolCalls {
  readonly calls: readonly { readonly at: number; readonly heldMs: number; readonly waitedMs: number; readonly reused: boolean }[];
  /** How long openings took. */
  readonly openings: readonly { readonly t: number; readonly ms: number }[];
}

/** A second of a replayed pool. */
export interface PoolSecond {
  readonly t: number;
  readonly size: number;
  readonly inUse: number;
  readonly opened: number;
}

export interface PoolReplay {
  readonly loans: readonly { readonly t: number; readonly waitedMs: number; readonly reused: boolean }[];
  readonly seconds: readonly PoolSecond[];
}

const MOST_CALLS = 8_000;
const LEAST_CALLS = 200;
// Times of a trace are kept to about a millionth.
const SAME_MS = 1;

/** The calls of a pool in a trace, the newest of very many; or what is missing for them. */
export function poolCalls(trace: Trace, pool: string): PoolCalls | string {
  const returns = trace.returns
    .filter((one) => one.pool === pool)
    .map(({ t, heldMs }) => ({ at: t - heldMs, heldMs }))
    .sort((a, b) => a.at - b.at);
  const loans = trace.loans.filter((one) => one.pool === pool);
  const calls = paired(loans, returns).slice(-MOST_CALLS);
  if (calls.length < LEAST_CALLS) return `the trace holds ${calls.length} loans of pool "${pool}" with their returns, and ${LEAST_CALLS} are needed`;
  const openings = trace.opened.flatMap(({ t, pool: name, ms }) => (name === pool && ms !== undefined ? [{ t, ms }] : []));
  if (openings.length === 0) return `the trace does not say how long pool "${pool}" takes to open a connection`;
  return { calls: calls.sort((a, b) => a.at - b.at), openings };
}

/** Each return knows when its loan began: both lists in the order of that. */
function paired(loans: readonly TracedLoan[], returns: readonly { readonly at: number; readonly heldMs: number }[]): PoolCalls['calls'][number][] {
  const calls: PoolCalls['calls'][number][] = [];
  let next = 0;
  for (const { t, waitedMs, reused } of [...loans].sort((a, b) => a.t - b.t)) {
    while (next < returns.length && returns[next]!.at < t - SAME_MS) next++;
    const given = returns[next];
    if (given === undefined || given.at > t + SAME_MS) continue;
    next++;
    calls.push({ at: t - waitedMs, heldMs: given.heldMs, waitedMs, reused });
  }
  return calls;
}

/** Runs the same callers through a {@link ConnectionPool} with these options, in virtual time. */
export async function replayPool({ calls, openings }: PoolCalls, tuning: PoolTuning, seed: number): Promise<PoolReplay> {
  const begin = calls[0]!.at;
  const clock = new ManualClock(begin);
  const random: Random = seededRandom(seed);
  const opening = new Neighbours(openings, random);
  let opened = 0;
  await using pool = new ConnectionPool<object>({
    ...tuning,
    clock,
    random,
    acquireTimeoutMs: 600_000,
    create: async () => {
      await clock.sleep(opening.draw(clock.now()).ms);
      opened++;
      return {};
    },
  });
  const loans: { t: number; waitedMs: number; reused: boolean }[] = [];
  const seconds: PoolSecond[] = [];
  const known = new WeakSet<object>();
  const call = async (heldMs: number): Promise<void> => {
    const at = clock.monotonic();
    const lease = await pool.acquire();
    loans.push({ t: clock.now(), waitedMs: clock.monotonic() - at, reused: known.has(lease.resource) });
    known.add(lease.resource);
    await clock.sleep(heldMs);
    lease.release();
  };
  let next = 0;
  const arrive = (): void => {
    const one = calls[next++]!;
    void call(one.heldMs);
    if (next < calls.length) clock.schedule(calls[next]!.at - clock.now(), arrive);
  };
  arrive();
  const lastMs = calls.at(-1)!.at - begin;
  for (let told = 0; clock.monotonic() < lastMs; ) {
    await clock.advance(1_000);
    const { size, inUse } = pool.stats();
    seconds.push({ t: clock.now(), size, inUse, opened: opened - told });
    told = opened;
  }
  // What is still held or waited for at the end.
  while (loans.length < calls.length) await clock.advance(10_000);
  await clock.advance(largest(calls.map(({ heldMs }) => heldMs)) + 1);
  return { loans, seconds };
}
