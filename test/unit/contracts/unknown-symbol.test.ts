import { describe, expect, it } from 'vitest';
import { TradingError } from '../../../src/contracts/trading-error.js';
import { isUnknownSymbol, unknownSymbolError } from '../../../src/contracts/unknown-symbol.js';

class BadSymbol extends Error {
  override readonly name = 'BadSymbol';
}

describe('isUnknownSymbol', () => {
  it.each([
    ['our own error', unknownSymbolError('binance', 'NOPE')],
    ["ccxt's class", new BadSymbol('binance does not have market symbol NOPE')],
    ["Binance's code", new TradingError('REJECTED', 'refused', { venueCode: '-1121' })],
    ['the wording of a raw answer', new Error('Invalid symbol.')],
  ])('knows %s', (_, error) => {
    expect(isUnknownSymbol(error)).toBe(true);
  });

  it.each([
    ['a timeout', new Error('request timed out')],
    ['a rate limit that mentions a symbol', Object.assign(new Error('too many requests, invalid symbol rate'), { status: 429 })],
    ['a server error', Object.assign(new Error('unknown symbol service down'), { status: 503 })],
    ['a retryable refusal', new TradingError('REFUSED', 'unknown symbol cache warming up', { retryable: true })],
    ['undefined', undefined],
    ['a string', 'unknown symbol'],
  ])('does not take %s for one', (_, error) => {
    expect(isUnknownSymbol(error)).toBe(false);
  });
});
