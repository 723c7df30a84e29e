import { asError } from '../../core/errors.js';
import { RuleError } from './rule-error.js';

/** The list in `[...]`, `{ "rules": [...] }`, or a text of either. @throws RuleError */
export function rulesFromJson(json: unknown): readonly unknown[] {
  const parsed = typeof json === 'string' ? parse(json) : json;
  if (Array.isArray(parsed)) return parsed;
  if (typeof parsed === 'object' && parsed !== null) {
    const { rules, ...others } = parsed as { readonly rules?: unknown };
    const [unknown] = Object.keys(others);
    if (Array.isArray(rules) && unknown === undefined) return rules;
    if (Array.isArray(rules)) throw new RuleError([{ path: String(unknown), message: 'is not known; a file of rules has "rules" alone' }]);
  }
  throw new RuleError([{ path: 'rules', message: 'must be a list of rules, or an object with such a list as "rules"' }]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuleError([{ path: 'rules', message: `must be JSON: ${asError(error).message}` }]);
  }
}
