import type { AlertInstance } from '../../contracts/alerts.js';
import type { AlertRule } from '../rules/rule.js';
import { type AlertPhase, isRaised } from './alert-state.js';
import { fingerprintOf, type Labels, labelsKey } from './labels.js';

/** One alert of one rule, as it changes. */
export class AlertTrack {
  readonly rule: AlertRule;
  readonly key: string;
  readonly labels: Labels;
  readonly fingerprint: string;
  readonly phase: AlertPhase = { state: 'inactive', since: Number.NaN, firedAt: Number.NaN, resolvedAt: Number.NaN };
  value: number = Number.NaN;
  /** The evaluation that saw its series last, by number. */
  seenIn = -1;
  /** Whether it tells of the rule as a whole: that it can't be evaluated, or finds nothing. */
  standsForRule = false;
  suppressedBy: readonly string[] = NOTHING;

  constructor(rule: AlertRule, seriesLabels: Labels) {
    this.rule = rule;
    this.labels = Object.freeze({ ...seriesLabels, ...rule.labels });
    this.key = labelsKey(this.labels);
    this.fingerprint = fingerprintOf(rule.id, rule.severity, this.labels);
  }

  get isRaised(): boolean {
    return isRaised(this.phase.state);
  }

  get isInhibited(): boolean {
    return this.suppressedBy.some((why) => why.startsWith('inhibited:'));
  }

  /** What the world is told: a value of its own, that later changes leave as it is. */
  view(): AlertInstance {
    const { id, severity, summary, runbook } = this.rule;
    const { state, firedAt, resolvedAt } = this.phase;
    return Object.freeze({
      fingerprint: this.fingerprint,
      rule: id,
      severity,
      labels: this.labels,
      state,
      value: this.value,
      ...(Number.isNaN(firedAt) || state === 'pending' ? undefined : { firedAt }),
      ...(Number.isNaN(resolvedAt) || state !== 'inactive' ? undefined : { resolvedAt }),
      suppressedBy: this.suppressedBy,
      summary,
      ...(runbook === undefined ? undefined : { runbook }),
    });
  }
}

export const NOTHING: readonly string[] = Object.freeze([]);
