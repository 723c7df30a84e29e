import type { AlertInstance, AlertState, MarketCalendar } from '../contracts/alerts.js';
import type { MetricStore } from '../contracts/metric-store.js';
import { replay, SampleWindows } from '../query/index.js';
import type { ConditionParts } from './conditions/compile-condition.js';
import { RuleRunner } from './rule-runner.js';
import { requireNoCycle } from './rules/inhibition-graph.js';
import type { AlertRule } from './rules/rule.js';
import type { AlertTrack } from './state/alert-track.js';

/** How a backtest is run. */
export interface BacktestOptions {
  /** Time between evaluations. @defaultValue that of the most frequent rule */
  readonly stepMs?: number;
  readonly signal?: AbortSignal;
  /** In steps. */
  readonly onProgress?: (done: number, total: number) => void;
}

interface Parts {
  readonly store: MetricStore;
  readonly makeDetector: ConditionParts['makeDetector'];
  readonly calendar: MarketCalendar | undefined;
}

const PROGRESS_EVERY = 1_000;

/** @throws RangeError where the range ends before it begins; what evaluation throws for a rule with `onError` other than `alert`. */
export async function backtest(
  rules: readonly AlertRule[],
  { from, to }: { readonly from: number; readonly to: number },
  { store, makeDetector, calendar }: Parts,
  { stepMs, signal, onProgress }: BacktestOptions,
): Promise<readonly AlertInstance[]> {
  if (!(from <= to)) throw new RangeError(`from must not be after to, got ${from} and ${to}`);
  if (stepMs !== undefined && !(stepMs > 0 && stepMs < Infinity)) throw new RangeError(`stepMs must be a finite number above 0, got ${stepMs}`);
  requireNoCycle(rules);
  const windows = new SampleWindows();
  const over: AlertInstance[] = [];
  const raised = new Set<AlertTrack>();
  const onChange = (track: AlertTrack, before: AlertState): void => {
    if (track.isRaised) raised.add(track);
    else if (before !== 'pending' && raised.delete(track)) over.push(track.view());
  };
  const onFailure = (rule: AlertRule, error: Error): void => {
    if (rule.onError !== 'alert') throw error;
  };
  const parts = { windows, makeDetector, since: -Infinity, calendar, onChange, onFailure, onRecovery: () => {} };
  const runners = rules.map((rule) => new RuleRunner(rule, parts));
  const step = stepMs ?? Math.min(60_000, ...runners.map(({ everyMs }) => everyMs));
  const steps = Math.floor((to - from) / step) + 1;
  for (const runner of runners) if (runner.needsWarmUp) await runner.warmUp(store, from, signal ?? NEVER);
  let done = 0;
  await replay(store, windows, { from, to, stepMs: step, ...(signal === undefined ? {} : { signal }) }, (at) => {
    for (const runner of runners) if (runner.isDue(at)) runner.evaluate(at);
    if (++done % PROGRESS_EVERY === 0 || done === steps) onProgress?.(done, steps);
  });
  return [...over, ...[...raised].map((track) => track.view())].sort((a, b) => (a.firedAt as number) - (b.firedAt as number));
}

const NEVER = new AbortController().signal;
