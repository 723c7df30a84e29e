import { LOOKBACK_MS } from '../compiled-query.js';
import type { AggregateExpr, BinaryExpr, CallExpr, Expr, LabelMatcher, SelectorExpr } from '../language/ast.js';
import { isSetOperator } from '../language/ast.js';
import { typeOf } from '../language/check.js';
import { printQuery, selectorText } from '../language/print.js';
import { AggregateNode } from './aggregate-node.js';
import { ScalarOperationNode, SetOperationNode, VectorOperationNode } from './binary-nodes.js';
import { HistogramFunctionNode, type HistogramSource, MergedObservationsNode, ObservationsNode } from './histogram-nodes.js';
import type { MetricWindow } from './metric-window.js';
import { RANGE_FUNCTIONS } from './range-functions.js';
import { InstantNode, RangeNode } from './range-nodes.js';
import { type RangeSource, SelectorSource } from './range-source.js';
import { AbsentNode, ClampNode, MapNode, NumberNode, OnlyNode, TimeNode, VALUE_FUNCTIONS } from './simple-nodes.js';
import { SubquerySource } from './subquery-source.js';
import type { Revision, VectorNode } from './vector-node.js';

/** What a selector of a query needs in the windows. */
export interface SelectorNeed {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
  readonly sketches: boolean;
  readonly lookbackMs: number;
  readonly keepMs: number;
}

/** Every part of every query, by what it is: parts that are written the same are the same. */
export type Parts = Map<string, VectorNode | RangeSource | HistogramSource>;

/**
 * Turns an expression into nodes. Parts are shared by their canonical text; those within a subquery
 * are evaluated at other instants and so are apart, by `scope`.
 */
export class Planner {
  readonly #revision: Revision;
  readonly #parts: Parts;
  readonly #windowOf: (metric: string) => MetricWindow;
  /** The parts that this query uses, and what its selectors need. */
  readonly used: Set<string> = new Set();
  readonly needs: SelectorNeed[] = [];

  constructor(revision: Revision, parts: Parts, windowOf: (metric: string) => MetricWindow) {
    this.#revision = revision;
    this.#parts = parts;
    this.#windowOf = windowOf;
  }

  /** @param beforeMs - how far before the instant of the whole query this part may be evaluated. */
  node(expr: Expr, scope = '', beforeMs = 0): VectorNode {
    // Walked even where the part is known: its selectors are needs of this query too.
    const make = this.#maker(expr, scope, beforeMs);
    return this.#part(`${scope}${printQuery(expr)}`, make);
  }

  #part<P extends VectorNode | RangeSource | HistogramSource>(key: string, make: () => P): P {
    this.used.add(key);
    const known = this.#parts.get(key);
    if (known !== undefined) return known as P;
    const made = make();
    this.#parts.set(key, made);
    return made;
  }

  #maker(expr: Expr, scope: string, beforeMs: number): () => VectorNode {
    const revision = this.#revision;
    switch (expr.kind) {
      case 'number':
        return () => new NumberNode(revision, expr.value);
      case 'selector':
        return this.#instant(expr, beforeMs, false);
      case 'negate': {
        const input = this.node(expr.expr, scope, beforeMs);
        return () => new MapNode(revision, input, (value) => -value);
      }
      case 'aggregate': {
        const parameter = expr.parameter === undefined ? undefined : this.node(expr.parameter, scope, beforeMs);
        const input = this.node(expr.expr, scope, beforeMs);
        return () => new AggregateNode(revision, input, { op: expr.op, grouping: expr.grouping, parameter });
      }
      case 'binary':
        return this.#binary(expr, scope, beforeMs);
      case 'call':
        return this.#call(expr, scope, beforeMs);
      case 'subquery':
        throw new TypeError('a checked query has subqueries in functions over time only');
    }
  }

  #instant(expr: SelectorExpr, beforeMs: number, givesTime: boolean): () => VectorNode {
    const source = this.#selector(expr, LOOKBACK_MS, beforeMs, false);
    return () => new InstantNode(this.#revision, source, { lookbackMs: LOOKBACK_MS, offsetMs: expr.offsetMs, givesTime });
  }

  #selector(expr: SelectorExpr, rangeMs: number, beforeMs: number, sketches: boolean): SelectorSource {
    const { metric, matchers, offsetMs } = expr;
    const keepMs = rangeMs + offsetMs;
    this.needs.push({ metric, matchers, sketches, keepMs, lookbackMs: beforeMs + keepMs });
    return this.#part(`selector ${selectorText(expr)}`, () => new SelectorSource(this.#windowOf(metric), matchers));
  }

  #binary(expr: BinaryExpr, scope: string, beforeMs: number): () => VectorNode {
    const revision = this.#revision;
    const left = this.node(expr.left, scope, beforeMs);
    const right = this.node(expr.right, scope, beforeMs);
    if (isSetOperator(expr.op)) return () => new SetOperationNode(revision, expr, left, right);
    if (typeOf(expr.right) === 'scalar') return () => new ScalarOperationNode(revision, expr, left, right, false);
    if (typeOf(expr.left) === 'scalar') return () => new ScalarOperationNode(revision, expr, right, left, true);
    return () => new VectorOperationNode(revision, expr, left, right);
  }

  #call({ name, args }: CallExpr, scope: string, beforeMs: number): () => VectorNode {
    const revision = this.#revision;
    const nodeOf = (expr: Expr): VectorNode => this.node(expr, scope, beforeMs);
    const [first, second, third] = args as [Expr, Expr, Expr];
    if (Object.hasOwn(RANGE_FUNCTIONS, name)) {
      const parameter = args.length > 1 ? nodeOf(first) : undefined;
      return this.#range(name, args[args.length - 1] as Expr, parameter, scope, beforeMs);
    }
    switch (name) {
      case 'time':
        return () => new TimeNode(revision);
      case 'timestamp':
        if (first.kind === 'selector') return this.#instant(first, beforeMs, true);
        return this.#map(nodeOf(first), VALUE_FUNCTIONS.timestamp, [this.#part(`${scope}time()`, () => new TimeNode(revision))]);
      case 'scalar': {
        const input = nodeOf(first);
        return () => new OnlyNode(revision, input);
      }
      case 'vector':
        // A number already is a vector of one element without labels.
        return this.#map(nodeOf(first), (value) => value);
      case 'absent': {
        const input = nodeOf(first);
        return () => new AbsentNode(revision, input, labelsAskedFor(first));
      }
      case 'absent_over_time': {
        const input = this.#part(`${scope}count_over_time(${printQuery(first)})`, this.#range('count_over_time', first, undefined, scope, beforeMs));
        return () => new AbsentNode(revision, input, labelsAskedFor(first));
      }
      case 'clamp': {
        const [input, least, most] = [nodeOf(first), nodeOf(second), nodeOf(third)];
        return () => new ClampNode(revision, input, least, most);
      }
      case 'histogram_count':
      case 'histogram_sum':
      case 'histogram_avg':
      case 'histogram_quantile': {
        const parameter = args.length > 1 ? nodeOf(first) : undefined;
        const input = this.#histograms(args[args.length - 1] as CallExpr | AggregateExpr, scope, beforeMs);
        return () => new HistogramFunctionNode(revision, name, input, parameter);
      }
      default:
        return this.#map(nodeOf(first), VALUE_FUNCTIONS[name], args.slice(1).map(nodeOf));
    }
  }

  #map(
    input: VectorNode,
    map: ((value: number, a: number, b: number) => number) | undefined,
    parameters: readonly VectorNode[] = [],
  ): () => VectorNode {
    if (map === undefined) throw new TypeError('every function of the language is evaluated somewhere');
    return () => new MapNode(this.#revision, input, map, parameters);
  }

  #range(name: string, expr: Expr, parameter: VectorNode | undefined, scope: string, beforeMs: number): () => VectorNode {
    if (expr.kind !== 'selector' && expr.kind !== 'subquery') throw new TypeError('a checked query has ranges of metrics and subqueries only');
    const { rangeMs = 0, offsetMs } = expr;
    const source = expr.kind === 'selector' ? this.#selector(expr, rangeMs, beforeMs, false) : this.#subquery(expr, scope, beforeMs);
    return () => new RangeNode(this.#revision, source, { name, rangeMs, offsetMs, parameter });
  }

  #subquery(expr: Extract<Expr, { kind: 'subquery' }>, scope: string, beforeMs: number): SubquerySource {
    const key = `${scope}${printQuery(expr)}`;
    const inner = this.node(expr.expr, `${key} > `, beforeMs + expr.rangeMs + expr.offsetMs);
    return this.#part(`subquery ${key}`, () => new SubquerySource(inner, expr));
  }

  #histograms(expr: CallExpr | AggregateExpr, scope: string, beforeMs: number): HistogramSource {
    const key = `histograms ${scope}${printQuery(expr)}`;
    if (expr.kind === 'aggregate') {
      const input = this.#histograms(expr.expr as CallExpr | AggregateExpr, scope, beforeMs);
      return this.#part(key, () => new MergedObservationsNode(input, expr.grouping));
    }
    const selector = expr.args[0] as SelectorExpr;
    const { rangeMs = 0, offsetMs } = selector;
    const source = this.#selector(selector, rangeMs, beforeMs, true);
    return this.#part(key, () => new ObservationsNode(source, { rangeMs, offsetMs, isRate: expr.name === 'rate' }));
  }
}

/** Those of the labels of a selector that an equality names, and nothing else does: what is absent has them. */
function labelsAskedFor(expr: Expr): Record<string, string> {
  if (expr.kind !== 'selector') return {};
  const labels = new Map<string, string>();
  const seen = new Set<string>();
  for (const { label, op, value } of expr.matchers) {
    if (op === '=' && !seen.has(label)) labels.set(label, value);
    else labels.delete(label);
    if (op === '=') seen.add(label);
  }
  return Object.fromEntries(labels);
}
