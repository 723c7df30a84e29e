import type { SampleWindows } from '../../query/index.js';
import type { AlertRule } from '../rules/rule.js';
import { EVERY_MS } from '../rules/rule-defaults.js';
import { AbsentCondition } from './absent-condition.js';
import { AnomalyCondition, type AnomalyDetector } from './anomaly-condition.js';
import { BurnRateCondition } from './burn-rate-condition.js';
import type { Condition } from './condition.js';
import { CustomCondition } from './custom-condition.js';
import { changeThreshold, ThresholdCondition } from './threshold-condition.js';

/** What conditions are made with. */
export interface ConditionParts {
  readonly windows: SampleWindows;
  /** Absent where the engine was given none: anomaly rules are refused before. */
  readonly makeDetector: (() => AnomalyDetector) | undefined;
  /** From when on what is watched could be recorded, epoch ms; -Infinity where all of it is history. */
  readonly since: number;
}

/** The condition of a rule that has been checked. */
export function compileCondition(rule: AlertRule, { windows, makeDetector, since }: ConditionParts): Condition {
  const everyMs = rule.everyMs ?? EVERY_MS;
  switch (rule.type) {
    case 'threshold':
      return new ThresholdCondition(windows, rule);
    case 'rate_of_change':
      return new ThresholdCondition(windows, changeThreshold(rule));
    case 'burn_rate':
      return new BurnRateCondition(windows, rule);
    case 'anomaly':
      return new AnomalyCondition(windows, rule, everyMs, makeDetector as () => AnomalyDetector);
    case 'absent':
      return new AbsentCondition(windows, rule, everyMs, since);
    case 'custom':
      return new CustomCondition(rule);
  }
}
