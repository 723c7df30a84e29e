import { type BinaryExpr, type CallExpr, type Expr, type ExprType, isComparison, isSetOperator, type SelectorExpr } from './ast.js';
import { FUNCTIONS } from './functions.js';
import { QuerySyntaxError } from './syntax-error.js';

/**
 * Checks that every part gets what it needs.
 * @throws QuerySyntaxError at the part that does not.
 */
export function checkTypes(expr: Expr, text: string): void {
  const type = typeOf(expr, text);
  if (type === 'range')
    throw new QuerySyntaxError(text, expr, 'samples over a time are no result', 'put them into a function such as rate() or avg_over_time()');
}

/** The type of a checked expression. */
export function typeOf(expr: Expr, text = ''): ExprType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'selector':
      return expr.rangeMs === undefined ? 'vector' : 'range';
    case 'subquery':
      if (expr.rangeMs / expr.stepMs > 11_000)
        throw new QuerySyntaxError(text, expr, 'a subquery has at most 11000 steps', 'make the step longer or the range shorter');
      requireType('vector', expr.expr, text, 'a subquery');
      return 'range';
    case 'negate': {
      const type = typeOf(expr.expr, text);
      if (type === 'range') throw new QuerySyntaxError(text, expr.expr, 'samples over a time have no sign', RANGE_HINT);
      return type;
    }
    case 'aggregate':
      if (expr.parameter !== undefined) requireType('scalar', expr.parameter, text, expr.op);
      requireType('vector', expr.expr, text, expr.op);
      return 'vector';
    case 'binary':
      return typeOfBinary(expr, text);
    case 'call':
      return typeOfCall(expr, text);
  }
}

const RANGE_HINT = 'put them into a function such as rate() or avg_over_time() first';

function typeOfBinary(expr: BinaryExpr, text: string): ExprType {
  const { op, bool, matching } = expr;
  const [left, right] = [expr.left, expr.right].map((side) => {
    const type = typeOf(side, text);
    if (type === 'range') throw new QuerySyntaxError(text, side, `${op} works on values, not on samples over a time`, RANGE_HINT);
    return type;
  });
  const scalars = [left, right].filter((type) => type === 'scalar').length;
  if (scalars === 2 && isComparison(op) && !bool)
    throw new QuerySyntaxError(text, expr, 'two numbers are compared with bool only', `write ${op} bool, which gives 0 or 1`);
  if (scalars > 0 && isSetOperator(op))
    throw new QuerySyntaxError(
      text,
      left === 'scalar' ? expr.left : expr.right,
      `${op} combines vectors, and this is a number`,
      'vector(1) makes a vector of a number',
    );
  if (scalars > 0 && matching !== undefined)
    throw new QuerySyntaxError(text, expr, 'labels can be matched between vectors only, and one side is a number');
  if (matching?.group !== undefined && isSetOperator(op)) throw new QuerySyntaxError(text, expr, `group_${matching.group} has no meaning with ${op}`);
  const twice = matching?.on === true ? matching.include.find((label) => matching.labels.includes(label)) : undefined;
  if (twice !== undefined) throw new QuerySyntaxError(text, expr, `the label ${twice} is matched on, so it can't be taken over too`);
  return scalars === 2 ? 'scalar' : 'vector';
}

function typeOfCall(expr: CallExpr, text: string): ExprType {
  const { name, args } = expr;
  const signature = FUNCTIONS[name];
  if (signature === undefined) throw new QuerySyntaxError(text, expr, `there is no function ${name}`);
  const most = signature.args.length;
  const least = most - (signature.optional ?? 0);
  if (args.length < least || args.length > most) {
    const wanted = least === most ? String(most) : `${least} or ${most}`;
    throw new QuerySyntaxError(text, expr, `${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, got ${args.length}`);
  }
  for (const [i, arg] of args.entries()) requireType(signature.args[i] as ExprType, arg, text, name);
  return signature.returns;
}

function requireType(wanted: ExprType, expr: Expr, text: string, by: string): void {
  if (wanted === 'histograms') {
    requireHistograms(expr, text, by);
    return;
  }
  const type = typeOf(expr, text);
  if (type === wanted) return;
  if (wanted === 'range')
    throw new QuerySyntaxError(
      text,
      expr,
      `${by} needs samples over a time`,
      expr.kind === 'selector' ? `write ${by}(${expr.metric}[1m])` : 'give a metric its range, or take a subquery: (…)[1h:1m]',
    );
  if (type === 'range') throw new QuerySyntaxError(text, expr, `${by} needs a value a series, and these are samples over a time`, RANGE_HINT);
  if (wanted === 'scalar')
    throw new QuerySyntaxError(text, expr, `${by} needs a number here`, 'scalar(…) makes a number of a vector with one element');
  throw new QuerySyntaxError(text, expr, `${by} needs a vector, and this is a number`, 'vector(1) makes a vector of a number');
}

/** `rate(metric[1m])` or `increase(…)`, and sums of it: what tells how observations are distributed. */
function requireHistograms(expr: Expr, text: string, by: string): void {
  if (expr.kind === 'aggregate' && expr.op === 'sum') {
    requireHistograms(expr.expr, text, by);
    return;
  }
  if (expr.kind === 'call' && (expr.name === 'rate' || expr.name === 'increase')) {
    typeOf(expr, text);
    if (expr.args[0]?.kind === 'selector') return;
  }
  throw new QuerySyntaxError(
    text,
    expr,
    `${by} needs the observations of a histogram over a time`,
    `write ${by === 'histogram_quantile' ? `${by}(0.99, ` : `${by}(`}rate(metric[1m])) or sum by (label) (rate(metric[1m]))`,
  );
}

/** The metric that a histogram argument reads. */
export function histogramSelector(expr: Expr): SelectorExpr {
  if (expr.kind === 'aggregate') return histogramSelector(expr.expr);
  if (expr.kind === 'call' && expr.args[0]?.kind === 'selector') return expr.args[0];
  throw new TypeError('a checked histogram argument holds a selector');
}
