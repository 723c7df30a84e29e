import type { BinaryExpr, Expr, LabelMatcher, SelectorExpr, VectorMatching } from './ast.js';
import { durationText } from './duration.js';
import { isAggregation, KEYWORDS } from './functions.js';
import { precedenceOf } from './precedence.js';

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** The canonical text of an expression: the same for trees that mean the same by shape, and read back to the same tree. */
export function printQuery(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return numberText(expr.value);
    case 'selector':
      return `${selectorText(expr)}${expr.rangeMs === undefined ? '' : `[${durationText(expr.rangeMs)}]`}${offsetText(expr.offsetMs)}`;
    case 'subquery':
      return `${operand(expr.expr, Infinity)}[${durationText(expr.rangeMs)}:${durationText(expr.stepMs)}]${offsetText(expr.offsetMs)}`;
    case 'negate':
      return `-${operand(expr.expr, precedenceOf(expr))}`;
    case 'binary':
      return binaryText(expr);
    case 'aggregate': {
      const { op, grouping, parameter } = expr;
      const by = grouping === undefined ? '' : ` ${grouping.without ? 'without' : 'by'} (${grouping.labels.join(', ')}) `;
      return `${op}${by}(${parameter === undefined ? '' : `${printQuery(parameter)}, `}${printQuery(expr.expr)})`;
    }
    case 'call':
      return `${expr.name}(${expr.args.map(printQuery).join(', ')})`;
  }
}

export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value === Infinity ? 'Inf' : String(value);
}

/** The metric and its conditions, without range and offset. */
export function selectorText({ metric, matchers }: Pick<SelectorExpr, 'metric' | 'matchers'>): string {
  const isPlain = isPlainMetric(metric);
  const parts = matchers.map(matcherText);
  if (!isPlain) parts.unshift(matcherText({ label: '__name__', op: '=', value: metric }));
  return `${isPlain ? metric : ''}${parts.length === 0 ? '' : `{${parts.join(', ')}}`}`;
}

export function isPlainMetric(metric: string): boolean {
  // A name such as sum could be taken for the beginning of an aggregation.
  return PLAIN_NAME.test(metric) && !KEYWORDS.includes(metric) && !isAggregation(metric) && !/^(inf|nan)$/i.test(metric);
}

function matcherText({ label, op, value }: LabelMatcher): string {
  return `${label}${op}${quoted(value)}`;
}

function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped.
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    if (character === '\n') return '\\n';
    return character === '"' || character === '\\' ? `\\${character}` : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  })}"`;
}

function offsetText(ms: number): string {
  return ms === 0 ? '' : ` offset ${durationText(ms)}`;
}

function binaryText(expr: BinaryExpr): string {
  const precedence = precedenceOf(expr);
  const fromRight = expr.op === '^';
  const left = operand(expr.left, fromRight ? precedence + 1 : precedence);
  const right = operand(expr.right, fromRight ? precedence : precedence + 1);
  return `${left} ${expr.op}${expr.bool ? ' bool' : ''}${matchingText(expr.matching)} ${right}`;
}

function matchingText(matching: VectorMatching | undefined): string {
  if (matching === undefined) return '';
  const { on, labels, group, include } = matching;
  // The parentheses of group_left are needed where the other operand begins with one.
  const grouped = group === undefined ? '' : ` group_${group} (${include.join(', ')})`;
  return ` ${on ? 'on' : 'ignoring'} (${labels.join(', ')})${grouped}`;
}

function operand(expr: Expr, least: number): string {
  const text = printQuery(expr);
  return precedenceOf(expr) < least ? `(${text})` : text;
}
