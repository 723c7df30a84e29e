import type { BinaryOperator, Expr } from './ast.js';

/** As in Prometheus: the higher binds the tighter; `^` alone groups from the right. */
export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  '^': 7,
};

/** Between `*` and `^`: -2^2 is -(2^2), -2*3 is (-2)*3. */
export const SIGN_PRECEDENCE = 6;

export function precedenceOf(expr: Expr): number {
  if (expr.kind === 'binary') return PRECEDENCE[expr.op];
  return expr.kind === 'negate' ? SIGN_PRECEDENCE : Infinity;
}
