import { healthOf, limitGrade } from '../../analytics/engine/letters.js';
import type { AnalyticsReport, Grade } from '../../analytics/index.js';
import { cacheChart, hitRatioOf } from '../charts/cache.js';
import type { ChartData } from '../charts/chart.js';
import { errorRatioOf, errorsChart } from '../charts/errors.js';
import { digits, format } from '../charts/format.js';
import { latencyChart, withinObjective } from '../charts/latency.js';
import type { ObjectiveState } from './snapshot.js';

/** Share of the time in which p99 may exceed its objective. */
const SLOW_TIME = 0.01;

/** The objectives that the charts have something to say of. */
export function objectiveStates(charts: readonly ChartData[]): readonly ObjectiveState[] {
  const byId = (id: string): ChartData | undefined => charts.find((chart) => chart.id === id);
  const states: (ObjectiveState | undefined)[] = [errors(byId(errorsChart.id)), latency(byId(latencyChart.id)), cache(byId(cacheChart.id))];
  return states.filter((state) => state !== undefined);
}

function errors(data: ChartData | undefined): ObjectiveState | undefined {
  const ratio = data === undefined ? undefined : errorRatioOf(data);
  if (ratio === undefined) return undefined;
  const allowed = data!.facts.objective!;
  return state('failed calls', 'error rate', `at most ${format(allowed, 'ratio')}`, format(ratio, 'ratio'), ratio, allowed);
}

function latency(data: ChartData | undefined): ObjectiveState | undefined {
  const p99 = data?.series.find(({ name }) => name === 'p99');
  const objective = data?.facts.objective;
  const within = p99 === undefined ? undefined : withinObjective(p99.v, objective!);
  if (within === undefined) return undefined;
  const name = `p99 within ${format(objective, 'seconds')}`;
  return state(name, 'latency', `for ${format(1 - SLOW_TIME, 'ratio')} of the time`, format(within, 'ratio'), 1 - within, SLOW_TIME);
}

function cache(data: ChartData | undefined): ObjectiveState | undefined {
  const hits = data === undefined ? undefined : hitRatioOf(data);
  if (hits === undefined) return undefined;
  const target = data!.facts.objective!;
  return state('cache hits', 'cache hit rate', `at least ${format(target, 'ratio')}`, format(hits, 'ratio'), 1 - hits, 1 - target);
}

/** The same findings where these budgets count, too: no A stands beside one that is overspent. */
export function limitedBy<T extends Pick<AnalyticsReport, 'grade' | 'health'>>(findings: T, states: readonly ObjectiveState[]): T {
  const grade = limitGrade(
    findings.grade,
    states.filter(({ isMet }) => !isMet).map(({ part }) => part),
  );
  return { ...findings, grade, health: healthOf(grade) };
}

/** `89.0 of 100`, and that a budget keeps it there. */
export const scoreInWords = ({ score, overspent }: Grade): string =>
  `${score.toFixed(1)} of 100${overspent.length === 0 ? '' : ', budget overspent'}`;

function state(name: string, part: string, objective: string, measured: string, spent: number, allowed: number): ObjectiveState {
  const budgetLeft = 1 - spent / allowed;
  const budget = budgetLeft >= 0 ? `${format(budgetLeft, 'ratio')} of the budget left` : `budget spent ${digits(spent / allowed)} times over`;
  return { name, part, objective, measured, isMet: spent <= allowed, budgetLeft, budget };
}
