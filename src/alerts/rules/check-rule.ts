import { asError } from '../../core/errors.js';
import { nearest } from '../../core/options.js';
import { compileQuery } from '../../query/index.js';
import { burnOver } from '../conditions/burn-rate-condition.js';
import { samplesBehind, shiftedBack } from '../conditions/rewrite.js';
import type { AlertRule, BurnRateRule, ThresholdRule } from './rule.js';
import { RuleError, type RuleIssue } from './rule-error.js';
import { requireRuleShape } from './rule-schema.js';

/** What an engine can do, that rules may ask for. */
export interface Abilities {
  readonly actions: readonly string[];
  readonly hasDetector: boolean;
}

/**
 * Checks rules from code or JSON: shape, expressions, and whether they can ever fire.
 * @throws RuleError with every fault and its path; nothing has been taken then
 */
export function requireRules(rules: readonly unknown[], abilities: Abilities, origin: 'code' | 'json'): readonly AlertRule[] {
  const issues: RuleIssue[] = [];
  const checked: AlertRule[] = [];
  for (const [i, given] of rules.entries()) {
    const path = `rules[${i}]`;
    try {
      const rule = requireRuleShape(given, path);
      if (origin === 'json' && rule.type === 'custom')
        issues.push({ path: `${path}.type`, message: 'must not be "custom": a function can not come from JSON; add it from code' });
      else issues.push(...meaningIssues(rule, path, abilities));
      checked.push(rule);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new RuleError(issues);
  return checked;
}

/** What a well-shaped rule can't mean. */
function meaningIssues(rule: AlertRule, path: string, { actions, hasDetector }: Abilities): readonly RuleIssue[] {
  const issues: RuleIssue[] = [];
  const attempt = (member: string, work: () => unknown): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      issues.push({ path: `${path}.${member}`, message: asError(error).message });
      return false;
    }
  };
  if (rule.type === 'burn_rate') {
    for (const member of ['errors', 'total'] as const)
      attempt(member, () => compileQuery(burnOver({ ...rule, errors: rule[member], total: rule[member] }, 60_000)));
    issues.push(...burnIssues(rule, path));
  } else if (rule.type !== 'custom' && attempt('expr', () => compileQuery(rule.expr))) {
    if (rule.type === 'rate_of_change') attempt('expr', () => compileQuery(shiftedBack(rule.expr, rule.overMs)));
    if (rule.minSamples !== undefined && rule.minSamples > 0) attempt('minSamples', () => compileQuery(samplesBehind(rule.expr)));
  }
  if (rule.type === 'threshold') issues.push(...clearIssues(rule, path));
  if (rule.type === 'anomaly' && !hasDetector) {
    const how = 'needs a detector: give the engine { detector: () => new StreamingDetector() } of venuekit/analytics';
    issues.push({ path: `${path}.type`, message: how });
  }
  if (rule.type === 'custom' && rule.minSamples !== undefined && rule.minSamples > 0)
    issues.push({ path: `${path}.minSamples`, message: 'has nothing to count in a custom rule; leave it out' });
  for (const [i, ref] of (rule.actions ?? []).entries()) {
    if (actions.includes(ref.do) || ref.mode !== 'auto') continue;
    const near = nearest(ref.do, actions);
    const hint = near === undefined ? `the engine has ${actions.length === 0 ? 'none' : actions.join(', ')}` : `did you mean "${near}"?`;
    issues.push({ path: `${path}.actions[${i}].do`, message: `must be an action that the engine was given, got "${ref.do}"; ${hint}` });
  }
  return issues;
}

function clearIssues({ op, fire, clear }: ThresholdRule, path: string): readonly RuleIssue[] {
  if (clear === undefined) return [];
  const isAbove = op === '>' || op === '>=';
  if (isAbove ? clear <= fire : clear >= fire) return [];
  return [{ path: `${path}.clear`, message: `must be ${isAbove ? 'at most' : 'at least'} fire, which is ${fire}, got ${clear}` }];
}

function burnIssues({ objective, budgetWindowMs, windows }: BurnRateRule, path: string): readonly RuleIssue[] {
  const issues: RuleIssue[] = [];
  // Rounded, so that 1/(1 − 0.9) is 10.
  const most = Number((1 / (1 - objective)).toPrecision(12));
  for (const [i, { longMs, shortMs, burn }] of windows.entries()) {
    const at = `${path}.windows[${i}]`;
    if (burn >= most)
      issues.push({
        path: `${at}.burn`,
        message: `can never be reached: with an objective of ${objective} the burn rate is at most ${most}, got ${burn}`,
      });
    if (shortMs > longMs) issues.push({ path: `${at}.shortMs`, message: `must be at most longMs, which is ${longMs}, got ${shortMs}` });
    if (longMs > budgetWindowMs)
      issues.push({ path: `${at}.longMs`, message: `must be at most budgetWindowMs, which is ${budgetWindowMs}, got ${longMs}` });
  }
  return issues;
}
