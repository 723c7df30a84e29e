import { requireText } from '../core/options.js';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
// What the formats, or the registry itself, write into series.
const RESERVED_LABELS: readonly string[] = ['le', 'quantile', 'overflow'];

/** @throws RangeError unless Prometheus takes `name` for a metric. */
export function requireMetricName(name: string): string {
  if (!METRIC_NAME.test(requireText('name', name)))
    throw new RangeError(`name must be a metric name (letters, digits, _ and :, no digit first), got ${JSON.stringify(name)}`);
  return name;
}

/** @throws RangeError unless every name can be a label and none is given twice. */
export function requireLabelNames(names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const name of names) {
    if (!LABEL_NAME.test(requireText('labels', name)) || name.startsWith('__'))
      throw new RangeError(`labels must be label names (letters, digits and _, no digit or __ first), got ${JSON.stringify(name)}`);
    if (RESERVED_LABELS.includes(name)) throw new RangeError(`labels must not use the reserved names ${RESERVED_LABELS.join(', ')}, got "${name}"`);
    if (seen.has(name)) throw new RangeError(`labels must differ, got "${name}" twice`);
    seen.add(name);
  }
  return [...names];
}

/** `{a="b",c="d"}`, or nothing for no labels. */
export function labelText(labels: Readonly<Record<string, string>>, further = ''): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  if (further !== '') parts.push(further);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** As both exposition formats want a label's value. */
export function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}

/** As both exposition formats want a help text; OpenMetrics escapes quotes too. */
export function escapeHelp(help: string, quotesToo: boolean): string {
  return help.replace(quotesToo ? /[\\"\n]/g : /[\\\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}

/** A float as both formats spell it. */
export function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
