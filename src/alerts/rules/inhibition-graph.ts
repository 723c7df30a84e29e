import type { AlertRule } from './rule.js';
import { RuleError } from './rule-error.js';

/**
 * Refuses rules that inhibit each other in a circle: all of them could then be raised and nobody told.
 * @throws RuleError that names the circle
 */
export function requireNoCycle(rules: Iterable<AlertRule>): void {
  const inhibits = new Map<string, string[]>();
  for (const { id, inhibits: targets = [] } of rules) inhibits.set(id, [...(inhibits.get(id) ?? []), ...targets]);
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    const begun = path.indexOf(id);
    if (begun >= 0) {
      const circle = [...path.slice(begun), id].join(' → ');
      throw new RuleError([{ path: `inhibits of ${id}`, message: `must not lead back to the rule itself: ${circle}` }]);
    }
    if (done.has(id)) return;
    for (const target of inhibits.get(id) ?? []) visit(target, [...path, id]);
    done.add(id);
  };
  for (const id of inhibits.keys()) visit(id, []);
}
