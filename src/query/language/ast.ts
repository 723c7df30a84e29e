import type { Span } from './syntax-error.js';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** A condition on a label; a label that a series has not is the same as an empty one. */
export interface LabelMatcher {
  readonly label: string;
  readonly op: MatchOperator;
  /** A text, or for `=~` and `!~` a pattern that must match the whole of it. */
  readonly value: string;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '^' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'and' | 'or' | 'unless';

export type Aggregation = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'median' | 'quantile';

export interface NumberExpr extends Span {
  readonly kind: 'number';
  /** Not negative: a sign is a {@link NegateExpr}. */
  readonly value: number;
}

/** The latest value of each series, or with `rangeMs` its samples over a time. */
export interface SelectorExpr extends Span {
  readonly kind: 'selector';
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
  readonly rangeMs: number | undefined;
  readonly offsetMs: number;
}

/** The values of an expression at every multiple of `stepMs` within `rangeMs`. */
export interface SubqueryExpr extends Span {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly rangeMs: number;
  readonly stepMs: number;
  readonly offsetMs: number;
}

export interface NegateExpr extends Span {
  readonly kind: 'negate';
  readonly expr: Expr;
}

/** Which labels two vectors are matched on, and which side may have many for one of the other. */
export interface VectorMatching {
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly group: 'left' | 'right' | undefined;
  /** Labels taken over from the side of the one. */
  readonly include: readonly string[];
}

export interface BinaryExpr extends Span {
  readonly kind: 'binary';
  readonly op: BinaryOperator;
  /** A comparison that gives 0 or 1 instead of leaving out. */
  readonly bool: boolean;
  readonly matching: VectorMatching | undefined;
  readonly left: Expr;
  readonly right: Expr;
}

export interface AggregateExpr extends Span {
  readonly kind: 'aggregate';
  readonly op: Aggregation;
  readonly grouping: { readonly without: boolean; readonly labels: readonly string[] } | undefined;
  /** The first argument of `quantile`. */
  readonly parameter: Expr | undefined;
  readonly expr: Expr;
}

export interface CallExpr extends Span {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
}

/** An expression as a tree; parentheses are in its shape. */
export type Expr = NumberExpr | SelectorExpr | SubqueryExpr | NegateExpr | BinaryExpr | AggregateExpr | CallExpr;

/** What an expression gives: a number, a value a series, samples over a time, or distributions. */
export type ExprType = 'scalar' | 'vector' | 'range' | 'histograms';

export function isComparison(op: BinaryOperator): boolean {
  return op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
}

export function isSetOperator(op: BinaryOperator): boolean {
  return op === 'and' || op === 'or' || op === 'unless';
}
