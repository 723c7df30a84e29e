import type { BinaryOperator } from '../language/ast.js';

// Of Go: 1 to any power, and -1 to an infinite one, is 1 where JavaScript says NaN.
function power(base: number, exponent: number): number {
  return base === 1 || (base === -1 && Math.abs(exponent) === Infinity) ? 1 : base ** exponent;
}

/** Arithmetic on two numbers; comparisons give 1 or 0. */
export const OPERATORS: Readonly<Record<Exclude<BinaryOperator, 'and' | 'or' | 'unless'>, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': power,
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
};
