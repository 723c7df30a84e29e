export { type CompiledQuery, compileQuery, LOOKBACK_MS, type QuerySelector } from './compiled-query.js';
export { PreparedQuery, type QueryVector } from './evaluation/prepared-query.js';
export { SampleWindows } from './evaluation/sample-windows.js';
export type { QuerySlot } from './evaluation/slots.js';
export type {
  AggregateExpr,
  Aggregation,
  BinaryExpr,
  BinaryOperator,
  CallExpr,
  Expr,
  LabelMatcher,
  MatchOperator,
  NegateExpr,
  NumberExpr,
  SelectorExpr,
  SubqueryExpr,
  VectorMatching,
} from './language/ast.js';
export { durationText, parseDuration } from './language/duration.js';
export { parseQuery } from './language/parser.js';
export { printQuery } from './language/print.js';
export { type PromQL, toPromQL } from './language/prometheus.js';
export { QuerySyntaxError, type Span } from './language/syntax-error.js';
export type { UnknownMetric } from './near-names.js';
export { QueryEvaluationError } from './query-errors.js';
export { type QueryResult, type QuerySeries, queryInstant, queryRange } from './store/query-store.js';
export { replay } from './store/replay.js';
