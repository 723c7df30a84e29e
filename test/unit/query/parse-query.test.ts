import { describe, expect, it } from 'vitest';
import { parseQuery, printQuery, QuerySyntaxError } from '../../../src/query/index.js';

function refusalOf(text: string): QuerySyntaxError {
  try {
    parseQuery(text);
  } catch (error) {
    if (error instanceof QuerySyntaxError) return error;
    throw error;
  }
  throw new Error(`was accepted: ${text}`);
}

describe('the expression language', () => {
  it.each([
    ['1 + 2 * 3', '1 + 2 * 3'],
    ['(1 + 2) * 3', '(1 + 2) * 3'],
    ['2 ^ 3 ^ 2', '2 ^ 3 ^ 2'],
    ['(2 ^ 3) ^ 2', '(2 ^ 3) ^ 2'],
    ['-2 ^ 2', '-2 ^ 2'],
    ['(-2) ^ 2', '(-2) ^ 2'],
    ['a - (b - c)', 'a - (b - c)'],
    ['a and b or c unless d', 'a and b or c unless d'],
    ['sum(x) by (a, b)', 'sum by (a, b) (x)'],
    ['sum without(a)(x)', 'sum without (a) (x)'],
    ["x{a='b', c=~`d\\.`,}", 'x{a="b", c=~"d\\\\."}'],
    ['{__name__="by", a!="b"}', '{__name__="by", a!="b"}'],
    ['rate(x[90s] offset 1h)', 'rate(x[1m30s] offset 1h)'],
    ['max_over_time(rate(x[5m])[1h:1m] offset 1d)', 'max_over_time(rate(x[5m])[1h:1m] offset 1d)'],
    ['a / on (x) group_left (y) b', 'a / on (x) group_left (y) b'],
    ['a > bool 0x10', 'a > bool 16'],
    ['-Inf', '-Inf'],
    ['x # the rest is a comment', 'x'],
    ['a:b:c', 'a:b:c'],
  ])('reads %s as %s', (text, canonical) => {
    expect(printQuery(parseQuery(text))).toBe(canonical);
  });

  it.each([
    ['', 0, 'empty'],
    ['rate(x)', 5, 'samples over a time'],
    ['x[5]', 2, 'needs a unit'],
    ['x[5m]', 0, 'no result'],
    ['rat(x[1m])', 0, 'there is no function rat'],
    ['x = 5', 2, 'expected an operator'],
    ['x && y', 2, 'not part of the language'],
    ['x and 1', 6, 'this is a number'],
    ['1 > 2', 0, 'bool'],
    ['x{a="b', 4, 'does not end'],
    ['x{a=~"("}', 5, 'does not end'],
    ['x{a=~"(?=b)"}', 5, 'looks ahead'],
    ['x{a=~"(a)\\\\1"}', 5, 'back reference'],
    ['{a="b"}', 0, 'needs the name of a metric'],
    ['sum(x', 5, 'expected "," or ")"'],
    ['sum(1)', 4, 'needs a vector'],
    ['rate(sum(x)[5m])', 11, 'only a metric has samples'],
    ['rate(x[1m:])', 9, 'needs its step'],
    ['histogram_quantile(0.9, x)', 24, 'observations of a histogram'],
    ['histogram_quantile(0.9, avg(rate(x[1m])))', 24, 'observations of a histogram'],
    ['x offset -5m', 9, 'looks back'],
    ['clamp(x, 1)', 0, 'takes 3 arguments'],
    ['x[1m1h]', 2, 'no duration'],
  ])('refuses %s, at %i', (text, start, reason) => {
    const refusal = refusalOf(text);
    expect(refusal.code).toBe('QUERY_SYNTAX');
    expect(refusal.at.start).toBe(start);
    expect(refusal.message).toContain(reason);
  });

  it('shows the line with a caret under the place, and a hint', () => {
    expect(refusalOf('sum by (operation) (\n  rat(calls[1m])\n)').message).toBe(
      'there is no function rat, at line 2, column 3\n    rat(calls[1m])\n    ^^^\nHint: did you mean rate?',
    );
  });

  it('cuts a long line around the place', () => {
    const message = refusalOf(`${'x + '.repeat(200)}rat(y[1m])${' + z'.repeat(200)}`).message;
    expect(message.split('\n')[1]?.length).toBeLessThan(110);
    expect(message).toContain('rat(y[1m])');
  });

  it('refuses what would need a deep stack instead of running out of it', () => {
    expect(() => parseQuery('('.repeat(5_000))).toThrow('nested more than');
    expect(() => parseQuery('-'.repeat(5_000))).toThrow('nested more than');
    expect(() => parseQuery(`x${'+x'.repeat(5_000)}`)).toThrow('more than 1000 operators');
    expect(() => parseQuery('x'.repeat(30_000))).toThrow('at most 20000 characters');
  });

  it('refuses a pattern whose repetitions unfold without end, and runs what is catastrophic elsewhere at once', () => {
    expect(refusalOf('x{a=~"(a{1000}){1000}"}').message).toContain('too large');
    expect(refusalOf('x{a=~"((){1000}){1000}"}').message).toContain('too large');
    expect(() => parseQuery('x{a=~"(a+)+b"}')).not.toThrow();
  });
});
