import type { AggregateExpr, CallExpr, Expr, SelectorExpr } from './ast.js';
import { parseQuery } from './parser.js';
import { printQuery } from './print.js';

/** A query as Prometheus reads it. */
export interface PromQL {
  readonly promql: string;
  /** Parts that Prometheus can't be asked for; `promql` then asks for something else. */
  readonly unsupported: readonly string[];
  /** What has to be so for the answers to be the same, or nearly so. */
  readonly notes: readonly string[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/**
 * Writes a query in Prometheus' own language, which ours is a part of but for medians and for
 * histograms: those are read from classic buckets, which a metric must have been given.
 * @throws QuerySyntaxError
 */
export function toPromQL(query: string | Expr): PromQL {
  const unsupported = new Set<string>();
  const notes = new Set<string>();
  const translated = new Translation(unsupported, notes).of(typeof query === 'string' ? parseQuery(query) : query);
  return { promql: printQuery(translated), unsupported: [...unsupported], notes: [...notes] };
}

class Translation {
  readonly #unsupported: Set<string>;
  readonly #notes: Set<string>;

  constructor(unsupported: Set<string>, notes: Set<string>) {
    this.#unsupported = unsupported;
    this.#notes = notes;
  }

  of(expr: Expr): Expr {
    switch (expr.kind) {
      case 'number':
        return expr;
      case 'selector':
        if (!METRIC_NAME.test(expr.metric)) this.#unsupported.add(`the metric name ${JSON.stringify(expr.metric)}, which Prometheus 2 does not know`);
        return expr;
      case 'subquery':
      case 'negate':
        return { ...expr, expr: this.of(expr.expr) };
      case 'binary':
        return { ...expr, left: this.of(expr.left), right: this.of(expr.right) };
      case 'aggregate':
        return this.#aggregate({ ...expr, expr: this.of(expr.expr) });
      case 'call':
        return this.#call(expr);
    }
  }

  #aggregate(expr: AggregateExpr): Expr {
    if (expr.op === 'median') return { ...expr, op: 'quantile', parameter: half(expr) };
    return expr.parameter === undefined ? expr : { ...expr, parameter: this.of(expr.parameter) };
  }

  #call(expr: CallExpr): Expr {
    const args = (): Expr[] => expr.args.map((arg) => this.of(arg));
    const histogram = expr.args[expr.args.length - 1] as Expr;
    switch (expr.name) {
      case 'median_over_time':
        return { ...expr, name: 'quantile_over_time', args: [half(expr), ...args()] };
      case 'histogram_quantile':
        return { ...expr, args: [this.of(expr.args[0] as Expr), this.#buckets(histogram)] };
      case 'histogram_count':
        return this.#series(histogram, '_count');
      case 'histogram_sum':
        return this.#series(histogram, '_sum');
      case 'histogram_avg': {
        const [left, right] = [this.#series(histogram, '_sum'), this.#series(histogram, '_count')];
        return { kind: 'binary', op: '/', bool: false, matching: undefined, left, right, start: expr.start, end: expr.end };
      }
      default:
        return { ...expr, args: args() };
    }
  }

  /** Classic buckets: what is summed must keep their bounds. */
  #buckets(expr: Expr): Expr {
    if (expr.kind !== 'aggregate') return this.#series(expr, '_bucket');
    const { without, labels } = expr.grouping ?? { without: false, labels: [] };
    const kept = without ? labels.filter((label) => label !== 'le') : ['le', ...labels.filter((label) => label !== 'le')];
    return { ...expr, grouping: { without, labels: kept }, expr: this.#buckets(expr.expr) };
  }

  /** The same of one of the series of a histogram. */
  #series(expr: Expr, suffix: string): Expr {
    if (expr.kind === 'aggregate') return { ...expr, expr: this.#series(expr.expr, suffix) };
    const call = expr as CallExpr;
    const selector = this.of(call.args[0] as Expr) as SelectorExpr;
    if (suffix === '_bucket')
      this.#notes.add(
        `${selector.metric} must be exposed with buckets (histogram({ buckets })); Prometheus interpolates within them, where a sketch is within 1 %`,
      );
    return { ...call, args: [{ ...selector, metric: `${selector.metric}${suffix}` }] };
  }
}

function half({ start, end }: Expr): Expr {
  return { kind: 'number', value: 0.5, start, end };
}
