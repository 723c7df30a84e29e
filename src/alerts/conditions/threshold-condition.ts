import type { SampleWindows } from '../../query/index.js';
import type { RateOfChangeRule, ThresholdRule } from '../rules/rule.js';
import { AlignedQueries } from './aligned-queries.js';
import type { Condition, Readings } from './condition.js';
import { shiftedBack } from './rewrite.js';

/** What a threshold is made of, whichever rule it comes from. */
export type Threshold = Pick<ThresholdRule, 'expr' | 'op' | 'fire' | 'clear'>;

/** Percent of change, seen as a threshold. */
export function changeThreshold({ expr, overMs, percent, direction }: RateOfChangeRule): Threshold {
  const before = shiftedBack(expr, overMs);
  const change = `100 * ((${expr}) - (${before})) / abs(${before})`;
  return direction === 'up' ? { expr: change, op: '>', fire: percent } : { expr: change, op: '<', fire: -percent };
}

/** A value beyond a limit, with another limit for coming back. */
export class ThresholdCondition implements Condition {
  readonly #queries: AlignedQueries;
  readonly #threshold: Threshold;
  #values: Float64Array = new Float64Array(0);

  constructor(windows: SampleWindows, threshold: Threshold) {
    this.#queries = new AlignedQueries(windows, [threshold.expr]);
    this.#threshold = threshold;
  }

  read(at: number): Readings {
    const vector = this.#queries.read(at);
    this.#values = vector.values;
    return vector;
  }

  holds(slot: number, isRaised: boolean): boolean {
    const { op, fire, clear } = this.#threshold;
    const value = this.#values[slot] as number;
    if (isRaised && clear !== undefined) return op === '>' || op === '>=' ? value >= clear : value <= clear;
    if (op === '>') return value > fire;
    if (op === '<') return value < fire;
    return op === '>=' ? value >= fire : value <= fire;
  }

  release(): void {
    this.#queries.release();
  }
}
