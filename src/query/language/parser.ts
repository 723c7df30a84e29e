import { nearest } from '../../core/options.js';
import type { BinaryOperator, Expr, SelectorExpr, VectorMatching } from './ast.js';
import { isComparison } from './ast.js';
import { checkTypes } from './check.js';
import { parseDuration } from './duration.js';
import { AGGREGATIONS, FUNCTIONS, isAggregation, isFunction, KEYWORDS } from './functions.js';
import { parseMatchers } from './parse-matchers.js';
import { PRECEDENCE, SIGN_PRECEDENCE } from './precedence.js';
import { nameOf, TokenReader } from './token-reader.js';

const MOST_CHARACTERS = 20_000;
const DEEPEST = 150;
const MOST_OPERATORS = 1_000;

/**
 * Reads an expression and checks that it means something.
 * @throws QuerySyntaxError with the place and, where one is known, a hint.
 */
export function parseQuery(text: string): Expr {
  if (typeof text !== 'string') throw new TypeError(`a query must be a text, got ${typeof text}`);
  if (text.length > MOST_CHARACTERS) throw new RangeError(`a query must have at most ${MOST_CHARACTERS} characters, got ${text.length}`);
  const tokens = new TokenReader(text);
  const expr = new Parser(tokens).whole();
  checkTypes(expr, text);
  return expr;
}

class Parser {
  readonly #tokens: TokenReader;
  #depth = 0;
  #operators = 0;

  constructor(tokens: TokenReader) {
    this.#tokens = tokens;
  }

  whole(): Expr {
    const tokens = this.#tokens;
    if (tokens.isAt('end')) tokens.fail('the query is empty', tokens.current, 'the name of a metric is a query');
    const expr = this.#binary(0);
    if (!tokens.isAt('end')) this.#strayToken();
    return expr;
  }

  #strayToken(): never {
    const { current } = this.#tokens;
    const hints: Readonly<Record<string, string>> = { '=': 'equality is ==', ')': 'there is no ( for it', AND: 'write and', OR: 'write or' };
    return this.#tokens.fail(`expected an operator or the end, got ${nameOf(current)}`, current, hints[current.text.toUpperCase()]);
  }

  #binary(least: number): Expr {
    const tokens = this.#tokens;
    if (++this.#depth > DEEPEST) tokens.fail(`the query is nested more than ${DEEPEST} deep`, tokens.current);
    let left = this.#signed();
    for (;;) {
      const op = this.#operator();
      if (op === undefined || PRECEDENCE[op] < least) break;
      const word = tokens.take();
      // A long chain is a deep tree.
      if (++this.#operators > MOST_OPERATORS) tokens.fail(`the query has more than ${MOST_OPERATORS} operators`, word);
      const bool = tokens.isAt('name', 'bool') ? tokens.take() : undefined;
      if (bool !== undefined && !isComparison(op)) tokens.fail('bool belongs to a comparison', bool);
      const matching = this.#matching();
      const right = this.#binary(op === '^' ? PRECEDENCE[op] : PRECEDENCE[op] + 1);
      left = { kind: 'binary', op, bool: bool !== undefined, matching, left, right, start: left.start, end: right.end };
    }
    this.#depth--;
    return left;
  }

  #operator(): BinaryOperator | undefined {
    const { kind, text } = this.#tokens.current;
    const isOperator = (kind === 'symbol' || kind === 'name') && Object.hasOwn(PRECEDENCE, text);
    return isOperator ? (text as BinaryOperator) : undefined;
  }

  #signed(): Expr {
    const tokens = this.#tokens;
    const { start } = tokens.current;
    if (tokens.skip('symbol', '+')) return this.#binary(SIGN_PRECEDENCE);
    if (!tokens.skip('symbol', '-')) return this.#postfix();
    const expr = this.#binary(SIGN_PRECEDENCE);
    return { kind: 'negate', expr, start, end: expr.end };
  }

  #matching(): VectorMatching | undefined {
    const tokens = this.#tokens;
    const on = tokens.skip('name', 'on');
    if (!on && !tokens.skip('name', 'ignoring')) return undefined;
    const labels = this.#labels();
    let group: VectorMatching['group'];
    for (const side of ['left', 'right'] as const) if (group === undefined && tokens.skip('name', `group_${side}`)) group = side;
    const include = group !== undefined && tokens.isAt('symbol', '(') ? this.#labels() : [];
    return { on, labels, group, include };
  }

  #labels(): readonly string[] {
    const tokens = this.#tokens;
    tokens.expect('symbol', '(', 'labels in parentheses', 'write by (label, …)');
    const labels: string[] = [];
    while (!tokens.isAt('symbol', ')')) {
      const label = tokens.expect('name', undefined, 'a label');
      if (label.text.includes(':')) tokens.fail(`${JSON.stringify(label.text)} can't be a label`, label);
      if (!labels.includes(label.text)) labels.push(label.text);
      if (!tokens.skip('symbol', ',')) break;
    }
    tokens.expect('symbol', ')', '"," or ")"');
    return labels;
  }

  /** Something and its ranges and offsets. */
  #postfix(): Expr {
    const tokens = this.#tokens;
    let expr = this.#primary();
    for (;;) {
      if (tokens.isAt('symbol', '[')) expr = this.#range(expr);
      else if (tokens.isAt('name', 'offset')) expr = this.#offset(expr);
      else return expr;
    }
  }

  #range(expr: Expr): Expr {
    const tokens: TokenReader = this.#tokens;
    const open = tokens.take();
    const rangeMs = this.#duration('a range');
    const colon = tokens.isAt('symbol', ':') ? tokens.take() : undefined;
    if (colon === undefined) {
      const close = tokens.expect('symbol', ']', '"]"', 'a range is written [5m], a subquery [1h:1m]');
      const span = { start: open.start, end: close.end };
      if (expr.kind !== 'selector') tokens.fail('only a metric has samples', span, 'of an expression take a subquery with a step: (…)[1h:1m]');
      if (expr.rangeMs !== undefined) tokens.fail('a second range', span);
      if (expr.offsetMs !== 0) tokens.fail('the range comes before the offset', span, 'write x[5m] offset 1h');
      return { ...expr, rangeMs, end: close.end };
    }
    if (tokens.isAt('symbol', ']')) tokens.fail('a subquery needs its step', colon, 'write it behind the colon: [1h:1m]');
    const stepMs = this.#duration('a step');
    return { kind: 'subquery', expr, rangeMs, stepMs, offsetMs: 0, start: expr.start, end: tokens.expect('symbol', ']', '"]"').end };
  }

  #offset(expr: Expr): Expr {
    const tokens: TokenReader = this.#tokens;
    const word = tokens.take();
    if (expr.kind !== 'selector' && expr.kind !== 'subquery') tokens.fail('offset belongs to a metric or a subquery', word);
    if (expr.offsetMs !== 0) tokens.fail('a second offset', word);
    if (tokens.isAt('symbol', '-')) tokens.fail('an offset looks back', tokens.current, 'what is to come is not known yet');
    return { ...expr, offsetMs: this.#duration('an offset'), end: tokens.end };
  }

  #duration(what: string): number {
    const tokens = this.#tokens;
    if (tokens.isAt('number'))
      tokens.fail(`${what} needs a unit`, tokens.current, `write ${tokens.current.text}s for seconds, ${tokens.current.text}m for minutes`);
    const token = tokens.expect('duration', undefined, `${what} such as 5m`);
    const ms = parseDuration(token.text);
    if (ms === undefined) return tokens.fail(`${token.text} is no duration`, token, 'units come in falling order, each once: 1h30m');
    if (ms === 0) tokens.fail(`${what} must be above 0`, token);
    return ms;
  }

  #primary(): Expr {
    const tokens = this.#tokens;
    const { current } = tokens;
    if (current.kind === 'number') {
      tokens.take();
      return { kind: 'number', value: Number(current.text), start: current.start, end: current.end };
    }
    if (tokens.skip('symbol', '(')) {
      const expr = this.#binary(0);
      const close = tokens.expect('symbol', ')', '")"');
      return { ...expr, start: current.start, end: close.end };
    }
    if (tokens.isAt('symbol', '{')) return this.#selector(undefined);
    if (current.kind === 'name') return this.#named();
    if (current.kind === 'duration')
      tokens.fail(`the duration ${current.text} stands alone`, current, 'a duration belongs in brackets, or behind offset; numbers are seconds');
    if (current.kind === 'string') tokens.fail('a text stands alone', current, 'texts belong behind a label: {label="text"}');
    return tokens.fail(`expected a metric, a number, a function or "(", got ${nameOf(current)}`, current);
  }

  #named(): Expr {
    const tokens = this.#tokens;
    const { text, start, end } = tokens.current;
    const { next } = tokens;
    if (isAggregation(text) && (next.text === '(' || next.text === 'by' || next.text === 'without')) return this.#aggregate(text);
    if (next.kind === 'symbol' && next.text === '(' && !KEYWORDS.includes(text)) return this.#call();
    if (/^[+-]?inf$/i.test(text) || /^nan$/i.test(text)) {
      tokens.take();
      return { kind: 'number', value: text.length === 3 && /^n/i.test(text) ? Number.NaN : Infinity, start, end };
    }
    if (KEYWORDS.includes(text))
      tokens.fail(`expected a metric, got the word ${text}`, tokens.current, `a metric of that name is selected by {__name__="${text}"}`);
    return this.#selector(tokens.take().text);
  }

  #selector(name: string | undefined): SelectorExpr {
    const { metric, matchers, start, end } = parseMatchers(this.#tokens, name);
    return { kind: 'selector', metric, matchers, rangeMs: undefined, offsetMs: 0, start, end };
  }

  #aggregate(op: (typeof AGGREGATIONS)[number]): Expr {
    const tokens = this.#tokens;
    const { start } = tokens.take();
    let grouping = this.#grouping();
    const args = this.#args();
    grouping ??= this.#grouping();
    const end = tokens.end;
    const count = op === 'quantile' ? 2 : 1;
    if (args.length !== count) {
      const wanted = count === 1 ? 'one expression' : 'a share between 0 and 1 and an expression: quantile(0.9, x)';
      tokens.fail(`${op} takes ${wanted}, got ${args.length}`, { start, end });
    }
    return { kind: 'aggregate', op, grouping, parameter: count === 2 ? args[0] : undefined, expr: args[count - 1] as Expr, start, end };
  }

  #grouping(): { readonly without: boolean; readonly labels: readonly string[] } | undefined {
    const without = this.#tokens.isAt('name', 'without');
    if (!without && !this.#tokens.isAt('name', 'by')) return undefined;
    this.#tokens.take();
    return { without, labels: this.#labels() };
  }

  #call(): Expr {
    const tokens = this.#tokens;
    const name = tokens.take();
    if (!isFunction(name.text)) {
      const near = nearest(name.text, [...Object.keys(FUNCTIONS), ...AGGREGATIONS]);
      tokens.fail(`there is no function ${name.text}`, name, near === undefined ? undefined : `did you mean ${near}?`);
    }
    const args = this.#args();
    return { kind: 'call', name: name.text, args, start: name.start, end: tokens.end };
  }

  #args(): readonly Expr[] {
    const tokens = this.#tokens;
    tokens.expect('symbol', '(', '"("');
    const args: Expr[] = [];
    while (!tokens.isAt('symbol', ')')) {
      args.push(this.#binary(0));
      if (!tokens.skip('symbol', ',')) break;
    }
    tokens.expect('symbol', ')', '"," or ")"');
    return args;
  }
}
