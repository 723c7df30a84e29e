import { VenueKitError } from '../../core/errors.js';

/** A part of the text, as UTF-16 offsets; `end` is behind its last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const MOST_SHOWN = 100;

/**
 * An expression that can't be read, or that means nothing. The message holds the reason, the place
 * with a caret under it, and a hint where there is one; `code` is QUERY_SYNTAX.
 */
export class QuerySyntaxError extends VenueKitError {
  /** What is wrong, alone. */
  readonly reason: string;
  /** Where, in the text. */
  readonly at: Span;
  readonly hint: string | undefined;

  constructor(text: string, at: Span, reason: string, hint?: string) {
    super('QUERY_SYNTAX', `${reason}, at ${placeOf(text, at.start)}\n${excerpt(text, at)}${hint === undefined ? '' : `\nHint: ${hint}`}`);
    this.name = 'QuerySyntaxError';
    this.reason = reason;
    this.at = { start: at.start, end: at.end };
    this.hint = hint;
  }
}

function placeOf(text: string, start: number): string {
  const before = text.slice(0, start).split('\n');
  const column = (before[before.length - 1]?.length ?? 0) + 1;
  return before.length > 1 ? `line ${before.length}, column ${column}` : `column ${column}`;
}

/** The line of the place, cut to what fits a terminal, and carets below. */
function excerpt(text: string, { start, end }: Span): string {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', start);
  const lineEnd = newline < 0 ? text.length : newline;
  const from = Math.max(lineStart, Math.min(start - MOST_SHOWN / 2, lineEnd - MOST_SHOWN));
  const to = Math.min(lineEnd, from + MOST_SHOWN);
  const shown = text.slice(from, to).replaceAll('\t', ' ');
  const [before, after] = [from > lineStart ? '…' : '', to < lineEnd ? '…' : ''];
  const carets = '^'.repeat(Math.max(1, Math.min(end, to) - start));
  return `  ${before}${shown}${after}\n  ${' '.repeat(before.length + start - from)}${carets}`;
}
