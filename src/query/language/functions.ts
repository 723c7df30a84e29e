import type { Aggregation, ExprType } from './ast.js';

/** What a function takes and gives. */
export interface Signature {
  readonly args: readonly ExprType[];
  /** How many of `args`, from the last, may be left out. */
  readonly optional?: number;
  readonly returns: 'scalar' | 'vector';
}

const OVER_RANGE: Signature = { args: ['range'], returns: 'vector' };
const OF_VECTOR: Signature = { args: ['vector'], returns: 'vector' };
const OF_HISTOGRAMS: Signature = { args: ['histograms'], returns: 'vector' };

/** Every function of the language. */
export const FUNCTIONS: Readonly<Record<string, Signature>> = {
  rate: OVER_RANGE,
  increase: OVER_RANGE,
  delta: OVER_RANGE,
  changes: OVER_RANGE,
  resets: OVER_RANGE,
  avg_over_time: OVER_RANGE,
  min_over_time: OVER_RANGE,
  max_over_time: OVER_RANGE,
  sum_over_time: OVER_RANGE,
  count_over_time: OVER_RANGE,
  last_over_time: OVER_RANGE,
  median_over_time: OVER_RANGE,
  quantile_over_time: { args: ['scalar', 'range'], returns: 'vector' },
  absent: OF_VECTOR,
  absent_over_time: OVER_RANGE,
  histogram_quantile: { args: ['scalar', 'histograms'], returns: 'vector' },
  histogram_count: OF_HISTOGRAMS,
  histogram_sum: OF_HISTOGRAMS,
  histogram_avg: OF_HISTOGRAMS,
  time: { args: [], returns: 'scalar' },
  timestamp: OF_VECTOR,
  scalar: { args: ['vector'], returns: 'scalar' },
  vector: { args: ['scalar'], returns: 'vector' },
  abs: OF_VECTOR,
  ceil: OF_VECTOR,
  floor: OF_VECTOR,
  sqrt: OF_VECTOR,
  exp: OF_VECTOR,
  ln: OF_VECTOR,
  log2: OF_VECTOR,
  log10: OF_VECTOR,
  sgn: OF_VECTOR,
  round: { args: ['vector', 'scalar'], optional: 1, returns: 'vector' },
  clamp: { args: ['vector', 'scalar', 'scalar'], returns: 'vector' },
  clamp_min: { args: ['vector', 'scalar'], returns: 'vector' },
  clamp_max: { args: ['vector', 'scalar'], returns: 'vector' },
};

export const AGGREGATIONS: readonly Aggregation[] = ['sum', 'avg', 'min', 'max', 'count', 'median', 'quantile'];

/** Words that are no metric by themselves; `{__name__="by"}` selects one of such a name. */
export const KEYWORDS: readonly string[] = ['and', 'or', 'unless', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool', 'offset'];

export function isFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name);
}

export function isAggregation(name: string): name is Aggregation {
  return (AGGREGATIONS as readonly string[]).includes(name);
}
