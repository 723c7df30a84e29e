import type { TradingPolicy } from '../contracts/trading-policy.js';
import { requireFraction, requireInteger, requireKnown, requireNonNegative, requireObject, requireOneOf, requirePositive } from '../core/options.js';

/** A {@link TradingPolicy} with every default filled in. */
export type FullPolicy = Required<TradingPolicy>;

/** Kept on top of fence and visibility lag before absence counts as proved: for queueing between the venue's check and its matching engine. */
export const MARGIN_MS = 1_000;
/** The least time between two looks for the same order. */
export const POLL_GAP_MS = 250;
/** What waits long, as a cancel until a market opens, must not use up the limits meanwhile. */
const SLOWEST_PACE_MS = 10_000;

/** How long to wait after the n-th round of something that is repeated until it shows, ms. */
export function paceOf(round: number): number {
  return Math.min(SLOWEST_PACE_MS, POLL_GAP_MS * 1.5 ** Math.min(round - 1, 20));
}

/** @throws RangeError or TypeError naming the option. */
export function fullPolicy(policy: TradingPolicy = {}): FullPolicy {
  requireObject('policy', policy);
  requireKnown('policy', policy, ['timeoutMs', 'deadlineMs', 'retry', 'budget', 'breaker', 'bulkhead', 'hedge', 'reserve', 'onUnresolvable']);
  const full: FullPolicy = {
    timeoutMs: policy.timeoutMs ?? 10_000,
    deadlineMs: policy.deadlineMs ?? 30_000,
    retry: policy.retry ?? { max: 5, baseMs: 100, capMs: 5_000 },
    budget: policy.budget ?? { ratio: 0.2, minPerSecond: 1 },
    breaker: policy.breaker ?? { failureRate: 0.5, minCalls: 20, openMs: 5_000 },
    bulkhead: policy.bulkhead ?? { writes: 50, reads: 50 },
    hedge: policy.hedge ?? { quantile: 0.95, maxRatio: 0.05 },
    reserve: policy.reserve ?? 0.2,
    onUnresolvable: policy.onUnresolvable ?? 'halt_symbol',
  };
  requirePositive('policy.timeoutMs', full.timeoutMs);
  requirePositive('policy.deadlineMs', full.deadlineMs);
  requireKnown('policy.retry', full.retry, ['max', 'baseMs', 'capMs']);
  requireInteger('policy.retry.max', full.retry.max);
  requirePositive('policy.retry.baseMs', full.retry.baseMs);
  requirePositive('policy.retry.capMs', full.retry.capMs);
  requireKnown('policy.budget', full.budget, ['ratio', 'minPerSecond']);
  requireFraction('policy.budget.ratio', full.budget.ratio);
  requirePositive('policy.budget.minPerSecond', full.budget.minPerSecond);
  requireKnown('policy.breaker', full.breaker, ['failureRate', 'minCalls', 'openMs']);
  if (full.bulkhead !== 'adaptive') {
    requireObject('policy.bulkhead', full.bulkhead);
    requireKnown('policy.bulkhead', full.bulkhead, ['writes', 'reads']);
    requireInteger('policy.bulkhead.writes', full.bulkhead.writes, 1);
    requireInteger('policy.bulkhead.reads', full.bulkhead.reads, 1);
  }
  if (full.hedge !== false) {
    requireObject('policy.hedge', full.hedge);
    requireKnown('policy.hedge', full.hedge, ['quantile', 'maxRatio', 'minDelayMs']);
    requireFraction('policy.hedge.quantile', full.hedge.quantile);
    requireFraction('policy.hedge.maxRatio', full.hedge.maxRatio);
    if (full.hedge.minDelayMs !== undefined) requirePositive('policy.hedge.minDelayMs', full.hedge.minDelayMs);
  }
  requireFraction('policy.reserve', full.reserve);
  requireNonNegative('policy.reserve', full.reserve);
  requireOneOf('policy.onUnresolvable', full.onUnresolvable, ['escalate', 'halt_symbol', 'halt']);
  return full;
}
