import type { Expr, ExprType, LabelMatcher } from './language/ast.js';
import { histogramSelector, typeOf } from './language/check.js';
import { FUNCTIONS } from './language/functions.js';
import { parseQuery } from './language/parser.js';
import { printQuery, selectorText } from './language/print.js';

/** How old the latest value of a series may be to count: 5 minutes, as in Prometheus. */
export const LOOKBACK_MS = 300_000;

/** What an expression reads. */
export interface QuerySelector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
  /** Samples from this long before the instant on are needed: ranges, subqueries and offsets together. */
  readonly lookbackMs: number;
  /** Whether it reads the observations of a histogram instead of samples. */
  readonly sketches: boolean;
}

/** An expression that is ready to be evaluated. */
export interface CompiledQuery {
  /** Canonical: the same for the same expression. */
  readonly text: string;
  readonly expr: Expr;
  readonly type: 'scalar' | 'vector';
  /** Each metric and set of conditions once. */
  readonly selectors: readonly QuerySelector[];
  /** The longest of the selectors'; 0 for an expression that reads nothing. */
  readonly lookbackMs: number;
}

/**
 * Reads a query and finds out what it needs.
 * @throws QuerySyntaxError with the place of what can't be meant.
 * @example
 * const { selectors } = compileQuery('rate(venuekit_venue_calls_total{operation="order"}[1m])');
 */
export function compileQuery(query: string | Expr): CompiledQuery {
  const text = printQuery(typeof query === 'string' ? parseQuery(query) : query);
  // Read again, so that positions are those of the canonical text, and a tree made by hand is checked.
  const expr = parseQuery(text);
  const found = new Map<string, QuerySelector>();
  collect(expr, 0, found);
  const selectors = [...found.values()];
  const type: ExprType = typeOf(expr, text);
  return {
    text,
    expr,
    type: type === 'scalar' ? 'scalar' : 'vector',
    selectors,
    lookbackMs: Math.max(0, ...selectors.map(({ lookbackMs }) => lookbackMs)),
  };
}

function collect(expr: Expr, before: number, found: Map<string, QuerySelector>): void {
  switch (expr.kind) {
    case 'number':
      return;
    case 'selector':
      add(expr, before, false, found);
      return;
    case 'subquery':
      collect(expr.expr, before + expr.rangeMs + expr.offsetMs, found);
      return;
    case 'negate':
      collect(expr.expr, before, found);
      return;
    case 'aggregate':
      if (expr.parameter !== undefined) collect(expr.parameter, before, found);
      collect(expr.expr, before, found);
      return;
    case 'binary':
      collect(expr.left, before, found);
      collect(expr.right, before, found);
      return;
    case 'call':
      for (const [i, arg] of expr.args.entries()) {
        if (FUNCTIONS[expr.name]?.args[i] === 'histograms') add(histogramSelector(arg), before, true, found);
        else collect(arg, before, found);
      }
  }
}

function add(selector: Extract<Expr, { kind: 'selector' }>, before: number, sketches: boolean, found: Map<string, QuerySelector>): void {
  const { metric, matchers, rangeMs = LOOKBACK_MS, offsetMs } = selector;
  const key = `${sketches ? 'sketches of ' : ''}${selectorText(selector)}`;
  const lookbackMs = Math.max(before + rangeMs + offsetMs, found.get(key)?.lookbackMs ?? 0);
  found.set(key, { metric, matchers, lookbackMs, sketches });
}
