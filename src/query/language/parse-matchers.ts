import type { LabelMatcher, MatchOperator } from './ast.js';
import { compilePattern } from './label-pattern.js';
import type { Span } from './syntax-error.js';
import type { TokenReader } from './token-reader.js';

const OPERATORS: readonly string[] = ['=', '!=', '=~', '!~'];

/** What a selector selects: a metric, named before or within the braces, and conditions on its labels. */
export function parseMatchers(
  tokens: TokenReader,
  name: string | undefined,
): Span & { readonly metric: string; readonly matchers: readonly LabelMatcher[] } {
  const start = name === undefined ? tokens.current.start : tokens.end - name.length;
  const matchers: LabelMatcher[] = [];
  let metric = name;
  if (tokens.skip('symbol', '{')) {
    while (!tokens.isAt('symbol', '}')) {
      const at = tokens.current.start;
      const matcher = oneMatcher(tokens);
      if (matcher.label !== '__name__') matchers.push(matcher);
      else if (metric !== undefined) tokens.fail('the metric is named twice', { start: at, end: tokens.end });
      else if (matcher.op !== '=' || matcher.value === '')
        tokens.fail('a selector reads one metric', { start: at, end: tokens.end }, 'write {__name__="metric"}, or combine several with or');
      else metric = matcher.value;
      if (!tokens.skip('symbol', ',')) break;
    }
    tokens.expect('symbol', '}', '"," or "}"');
  }
  const span = { start, end: tokens.end };
  if (metric === undefined) return tokens.fail('a selector needs the name of a metric', span, 'write metric{label="text"}');
  return { metric, matchers, ...span };
}

function oneMatcher(tokens: TokenReader): LabelMatcher {
  const label = tokens.expect('name', undefined, 'a label');
  if (label.text.includes(':')) tokens.fail(`${JSON.stringify(label.text)} can't be a label`, label);
  const { current } = tokens;
  const hint = current.text === '==' ? 'in braces equality is =' : undefined;
  if (current.kind !== 'symbol' || !OPERATORS.includes(current.text)) tokens.fail('expected =, !=, =~ or !~', current, hint);
  const op = tokens.take().text as MatchOperator;
  const value = tokens.expect('string', undefined, 'a text', 'put it in quotes');
  if (op === '=~' || op === '!~') {
    try {
      compilePattern(value.text);
    } catch (error) {
      tokens.fail((error as Error).message, value);
    }
  }
  return { label: label.text, op, value: value.text };
}
