import { describe, expect, it } from 'vitest';
import * as options from '../../../src/core/options.js';

describe('option checks', () => {
  it('name option, expectation and value', () => {
    expect(() => options.requirePositive('max', 0)).toThrow(new RangeError('max must be a finite number above 0, got 0'));
    expect(() => options.requireInteger('max', 1.5, 1)).toThrow(new RangeError('max must be a whole number of 1 or more, got 1.5'));
    expect(() => options.requireNonNegative('ttlMs', Number.NaN)).toThrow(new RangeError('ttlMs must be a finite number of 0 or more, got NaN'));
    expect(() => options.requireFraction('reserve', '0.5' as never)).toThrow(new TypeError('reserve must be between 0 and 1, got "0.5"'));
    expect(() => options.requireOneOf('side', 'bye' as 'buy', ['buy', 'sell'])).toThrow(
      new RangeError('side must be one of "buy", "sell", got "bye"'),
    );
    expect(() => options.requireText('name', '')).toThrow('name must be a non-empty string, got ""');
    expect(() => options.requireMethods('clock', { now: 1 } as unknown as { now(): number }, ['now'])).toThrow(
      'clock must be an object with a method now, got 1 for it',
    );
    expect(() => options.requireWithin('depth', 6000, 1, 5000)).toThrow('depth must be between 1 and 5000, got 6000');
  });

  it('refuse an option that does not exist and suggest the one that was meant', () => {
    expect(() => options.requireKnown('ConnectionPool', { maxx: 1 }, ['max', 'min'])).toThrow(
      'ConnectionPool has no option "maxx"; did you mean "max"?',
    );
    expect(() => options.requireKnown('ConnectionPool', { colour: 1 }, ['max', 'min'])).toThrow('ConnectionPool has no option "colour"');
  });
});
