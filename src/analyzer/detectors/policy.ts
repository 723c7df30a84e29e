import type { TradingPolicy } from '../../contracts/trading-policy.js';
import { quantile } from '../measures/numbers.js';
import { isCutOff, type ReplayedCall } from '../replay/read-replay.js';
import type { Trace } from '../trace/trace.js';
import type { DetectorContext } from './detector.js';

/** The policies that guarded reads ran under. */
export function readPolicy({
  option,
}: DetectorContext): Required<Pick<TradingPolicy, 'timeoutMs' | 'deadlineMs' | 'retry' | 'budget' | 'hedge' | 'breaker'>> {
  return {
    timeoutMs: option('policy.timeoutMs') as number,
    deadlineMs: option('policy.deadlineMs') as number,
    retry: option('policy.retry') as NonNullable<TradingPolicy['retry']>,
    budget: option('policy.budget') as NonNullable<TradingPolicy['budget']>,
    hedge: option('policy.hedge') as NonNullable<TradingPolicy['hedge']>,
    breaker: option('policy.breaker') as NonNullable<TradingPolicy['breaker']>,
  };
}

/** Attempts of guarded reads, each apart: answered ones in ms, and how many were cut off by the time limit. */
export function attemptsOf(trace: Trace, timeoutMs: number): { readonly answered: Float64Array; readonly cutOff: number; readonly all: number } {
  const reads = trace.calls.filter(({ operation }) => !WRITES.includes(operation));
  const answered = reads.filter(({ outcome }) => outcome === 'ok').map(({ ms }) => ms);
  return { answered: Float64Array.from(answered).sort(), cutOff: reads.filter((call) => isCutOff(call, timeoutMs)).length, all: reads.length };
}

const WRITES: readonly string[] = ['place', 'cancel', 'amend'];

export function latencyAt(q: number): (calls: readonly ReplayedCall[]) => number {
  return (calls) =>
    quantile(
      calls.map(({ ms }) => ms),
      q,
    );
}
