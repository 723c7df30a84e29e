import type { Settled } from '../contracts/calls.js';
import type { MarketKind } from '../contracts/market-data.js';
import { asError, VenueKitError } from '../core/errors.js';
import { missingAnswerError } from './cache-errors.js';

/**
 * One answer per requested symbol, whatever the adapter returned. By position where every request was
 * answered; by the symbol that each value carries where some are left out or out of order, since a
 * price must never be taken for another symbol's.
 */
export function alignAnswers(venue: string, kind: MarketKind, symbols: readonly string[], answers: unknown): readonly Settled<unknown>[] {
  if (!Array.isArray(answers)) {
    const error = new VenueKitError('BAD_ANSWER', `The adapter of ${venue} must answer ${kind} requests with an array, got ${typeof answers}`);
    return symbols.map(() => ({ status: 'rejected', reason: error }));
  }
  const settled = answers.map(asSettled);
  const isAligned = settled.length === symbols.length && settled.every((answer, i) => !belongsElsewhere(answer, i, symbols));
  if (isAligned) return settled;
  const bySymbol = new Map<string, Settled<unknown>>();
  for (const answer of settled) {
    const symbol = symbolOf(answer);
    if (symbol !== undefined) bySymbol.set(symbol, answer);
  }
  return symbols.map((symbol, i) => {
    const byName = bySymbol.get(symbol);
    if (byName !== undefined) return byName;
    const here = settled[i];
    // A refusal carries no symbol; its place speaks for it while nothing is missing.
    if (here?.status === 'rejected' && settled.length === symbols.length) return here;
    return { status: 'rejected', reason: missingAnswerError(venue, kind, symbol, symbols.length, settled.length) };
  });
}

function belongsElsewhere(answer: Settled<unknown>, position: number, symbols: readonly string[]): boolean {
  const symbol = symbolOf(answer);
  return symbol !== undefined && symbol !== symbols[position] && symbols.includes(symbol);
}

function symbolOf(answer: Settled<unknown>): string | undefined {
  if (answer.status !== 'fulfilled') return undefined;
  const value: unknown = Array.isArray(answer.value) ? answer.value[0] : answer.value;
  const symbol = (value as { symbol?: unknown } | null | undefined)?.symbol;
  return typeof symbol === 'string' ? symbol : undefined;
}

function asSettled(answer: unknown): Settled<unknown> {
  const { status, value, reason } = (answer ?? {}) as { status?: unknown; value?: unknown; reason?: unknown };
  if (status === 'rejected') return { status, reason: asError(reason) };
  if (status === 'fulfilled' && typeof value === 'object' && value !== null) return { status, value };
  return { status: 'rejected', reason: new VenueKitError('BAD_ANSWER', 'The adapter answered with something that is neither a value nor an error.') };
}
