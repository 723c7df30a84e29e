import { requireText } from '../../core/options.js';

// Half of a surrogate pair: what UTF-8 has no bytes for.
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * Text that comes back from PostgreSQL as it was. The driver would write another character for half of
 * a surrogate pair, and two ids would become one.
 * @throws TypeError or RangeError
 */
export function requireStorableText(name: string, value: string): string {
  requireText(name, value);
  if (value.includes('\0') || LONE_SURROGATE.test(value))
    throw new RangeError(`${name} must be well-formed text without U+0000, which PostgreSQL can't store, got ${JSON.stringify(value)}`);
  return value;
}
