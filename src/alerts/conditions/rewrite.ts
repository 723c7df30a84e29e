import { type Expr, parseQuery, printQuery, type SelectorExpr } from '../../query/index.js';

/** How far back a selector without a range looks. */
const LOOKBACK_MS = 300_000;

/** An expression with every selector replaced; what is under a range or subquery is reached too. */
function mapSelectors(expr: Expr, change: (selector: SelectorExpr) => Expr): Expr {
  const into = (inner: Expr): Expr => mapSelectors(inner, change);
  switch (expr.kind) {
    case 'number':
      return expr;
    case 'selector':
      return change(expr);
    case 'subquery':
    case 'negate':
      return { ...expr, expr: into(expr.expr) };
    case 'binary':
      return { ...expr, left: into(expr.left), right: into(expr.right) };
    case 'aggregate':
      return { ...expr, expr: into(expr.expr) };
    case 'call':
      return { ...expr, args: expr.args.map(into) };
  }
}

function call(name: string, ...args: readonly Expr[]): Expr {
  return { kind: 'call', name, args, start: 0, end: 0 };
}

/** The same expression as it was `ms` ago. */
export function shiftedBack(text: string, ms: number): string {
  const shift = (expr: Expr): Expr => {
    // A subquery shifts all that is in it.
    if (expr.kind === 'subquery' || expr.kind === 'selector') return { ...expr, offsetMs: expr.offsetMs + ms };
    if (expr.kind === 'number') return expr;
    if (expr.kind === 'binary') return { ...expr, left: shift(expr.left), right: shift(expr.right) };
    if (expr.kind === 'call') return { ...expr, args: expr.args.map(shift) };
    return { ...expr, expr: shift(expr.expr) };
  };
  return printQuery(shift(parseQuery(text)));
}

/**
 * `sum by (operation) (failures_total)` → `sum by (operation) (increase(failures_total[60000ms]))`;
 * a single selector means all its series together.
 * @throws RangeError where the text has ranges of its own.
 */
export function increaseOver(text: string, ms: number): string {
  const expr = parseQuery(text);
  const counted = mapSelectors(expr, (selector) => {
    if (selector.rangeMs !== undefined) throw new RangeError(`must be counters without a range, since the windows are the rule's; got ${text}`);
    return call('increase', { ...selector, rangeMs: ms });
  });
  return expr.kind === 'selector' ? `sum(${printQuery(counted)})` : printQuery(counted);
}

/** The samples of an expression within `ms`: `count_over_time`, over a subquery where it is no selector. */
export function countedOver(text: string, ms: number, stepMs: number): string {
  const expr = parseQuery(text);
  if (expr.kind === 'selector') return printQuery(call('count_over_time', { ...expr, rangeMs: ms }));
  return printQuery(call('count_over_time', { kind: 'subquery', expr, rangeMs: ms, stepMs, offsetMs: 0, start: 0, end: 0 }));
}

/** Whether an expression has no samples within `ms`, with the labels that it asks for. */
export function absentOver(text: string, ms: number, stepMs: number): string {
  const expr = parseQuery(text);
  if (expr.kind === 'selector') return printQuery(call('absent_over_time', { ...expr, rangeMs: ms }));
  return printQuery(call('absent_over_time', { kind: 'subquery', expr, rangeMs: ms, stepMs, offsetMs: 0, start: 0, end: 0 }));
}

/**
 * How many samples are behind each value of an expression: events under `rate` and `increase`,
 * observations of histograms, points otherwise; of a quotient, those of the divisor.
 * @throws RangeError where that can't be told.
 */
export function samplesBehind(text: string): string {
  const counted = samplesOf(parseQuery(text));
  if (counted === undefined) throw new RangeError(`has nothing to count in ${text}; leave it out`);
  return printQuery(counted);
}

/** Undefined for a scalar. */
function samplesOf(expr: Expr): Expr | undefined {
  switch (expr.kind) {
    case 'number':
      return undefined;
    case 'selector':
      return call('count_over_time', expr.rangeMs === undefined ? { ...expr, rangeMs: LOOKBACK_MS } : expr);
    case 'subquery':
      return call('count_over_time', expr);
    case 'negate':
      return samplesOf(expr.expr);
    case 'aggregate': {
      const inner = samplesOf(expr.expr);
      return inner === undefined ? undefined : { ...expr, op: 'sum', parameter: undefined, expr: inner };
    }
    case 'binary': {
      if (expr.matching !== undefined)
        throw new RangeError('can not be counted where vectors are matched by on or ignoring; put the condition into expr');
      const left = samplesOf(expr.left);
      const right = samplesOf(expr.right);
      if (expr.op === 'or' && left !== undefined && right !== undefined) return { ...expr, left, right };
      return expr.op === '/' ? (right ?? left) : (left ?? right);
    }
    case 'call': {
      if (expr.name === 'histogram_quantile') return call('histogram_count', increases(expr.args[1] as Expr));
      const inner = expr.args.find((arg) => arg.kind !== 'number');
      if (inner === undefined || expr.name === 'scalar') return undefined;
      return (expr.name === 'rate' || expr.name === 'increase') && inner.kind === 'selector' ? call('increase', inner) : samplesOf(inner);
    }
  }
}

/** Rates as the observations themselves. */
function increases(expr: Expr): Expr {
  if (expr.kind === 'aggregate') return { ...expr, expr: increases(expr.expr) };
  return expr.kind === 'call' && expr.name === 'rate' ? { ...expr, name: 'increase' } : expr;
}
