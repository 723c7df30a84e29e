import type { TradingPolicy } from '../../contracts/trading-policy.js';
import { ManualClock } from '../../core/manual-clock.js';
import { seededRandom } from '../../core/random.js';
import { CircuitBreaker, Hedge, Pipeline, RetryBudget } from '../../resilience/index.js';
import type { Trace, TracedCall } from '../trace/trace.js';
import { Neighbours } from './neighbours.js';

/** The guarded reads of a trace. */
export interface ReadCalls {
  /** When each call began. */
  readonly arrivals: readonly { readonly t: number; readonly operation: string }[];
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
}

/** How long the venue takes for an attempt, and how it ends; Infinity for one that is never answered. */
export interface Attempt {
  readonly t: number;
  readonly ms: number;
  readonly ok: boolean;
}

/** A call as its caller saw it. */
export interface ReplayedCall {
  readonly t: number;
  readonly ms: number;
  readonly ok: boolean;
  /** Attempts and copies that were sent for it. */
  readonly sent: number;
  /** Of those, how many failed. */
  readonly failed: number;
}

/** Not retried, hedged or guarded by these policies. */
const OTHERS: readonly string[] = ['place', 'cancel', 'amend', 'find', 'openOrders', 'history', 'fills', 'serverTime'];
const MOST_CALLS = 8_000;
const LEAST_CALLS = 200;
// Timers fire a little late.
const TIMED_OUT = 0.98;

/** The reads of a trace; or what is missing for them. `timeoutMs` is what cut them off. */
export function readCalls(trace: Trace, timeoutMs: number): ReadCalls | string {
  const reads = trace.calls.filter(({ operation }) => !OTHERS.includes(operation));
  const arrivals = reads
    // A copy that failed beside its original is no call of its own; one that won has no other record.
    .filter(({ attempt, hedge, outcome }) => attempt === 1 && !(hedge && outcome !== 'ok'))
    .map(({ t, ms, operation }) => ({ t: t - ms, operation }))
    .sort((a, b) => a.t - b.t)
    .slice(-MOST_CALLS);
  if (arrivals.length < LEAST_CALLS) return `the trace holds ${arrivals.length} guarded reads, and ${LEAST_CALLS} are needed`;
  const attempts = new Map<string, Attempt[]>();
  for (const read of reads) {
    const of = attempts.get(read.operation) ?? [];
    attempts.set(read.operation, of);
    of.push({ t: read.t - read.ms, ms: isCutOff(read, timeoutMs) ? Infinity : read.ms, ok: read.outcome === 'ok' });
  }
  for (const of of attempts.values()) of.sort((a, b) => a.t - b.t);
  return { arrivals, attempts };
}

/** Whether an attempt was given up rather than answered. */
export function isCutOff({ outcome, ms }: Pick<TracedCall, 'outcome' | 'ms'>, timeoutMs: number): boolean {
  return outcome !== 'ok' && ms >= TIMED_OUT * timeoutMs;
}

/** Runs the same calls through a {@link Pipeline} with these policies, in virtual time; each attempt takes what one then took. */
export async function replayReads({ arrivals, attempts }: ReadCalls, policy: TradingPolicy, seed: number): Promise<readonly ReplayedCall[]> {
  const begin = arrivals[0]!.t;
  const clock = new ManualClock(begin);
  const random = seededRandom(seed);
  const budget = new RetryBudget({ clock, ...policy.budget });
  const { timeoutMs, deadlineMs, retry, hedge, breaker } = policy;
  const pipeline = new Pipeline({
    clock,
    random,
    budget,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(retry === undefined ? {} : { retry }),
    ...(breaker === undefined ? {} : { breaker: new CircuitBreaker({ clock, ...breaker }) }),
    ...(hedge === undefined || hedge === false ? {} : { hedge: new Hedge({ ...hedge, budget }) }),
    classify: () => ({ retry: true }),
  });
  const drawn = new Map([...attempts].map(([operation, of]) => [operation, new Neighbours(of, random)]));
  const ended: ReplayedCall[] = [];
  const call = async (operation: string): Promise<void> => {
    const t = clock.now();
    let [sent, failed, ok] = [0, 0, true];
    try {
      await pipeline.run(async ({ signal }) => {
        sent++;
        const attempt = drawn.get(operation)!.draw(clock.now());
        try {
          await (attempt.ms === Infinity ? unanswered(signal) : clock.sleep(attempt.ms, signal));
          if (!attempt.ok) throw FAILURE;
        } catch (error) {
          failed++;
          throw error;
        }
      });
    } catch {
      ok = false;
    }
    ended.push({ t, ms: clock.now() - t, ok, sent, failed });
  };
  let next = 0;
  const arrive = (): void => {
    void call(arrivals[next++]!.operation);
    if (next < arrivals.length) clock.schedule(arrivals[next]!.t - clock.now(), arrive);
  };
  arrive();
  while (ended.length < arrivals.length) await clock.advance(1_000);
  return ended.sort((a, b) => a.t - b.t);
}

const FAILURE = new Error('as the venue failed then');

function unanswered(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(FAILURE), { once: true });
  });
}
