import type { LabelMatcher } from '../language/ast.js';
import { compilePattern } from '../language/label-pattern.js';

/** Whether labels meet all conditions; a label that a series has not is the same as an empty one. */
export function matchesAll(matchers: readonly LabelMatcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => matches(matcher, Object.hasOwn(labels, matcher.label) ? (labels[matcher.label] as string) : ''));
}

function matches({ op, value }: LabelMatcher, found: string): boolean {
  if (op === '=' || op === '!=') return (found === value) === (op === '=');
  return compilePattern(value)(found) === (op === '=~');
}
