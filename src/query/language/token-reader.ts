import { QuerySyntaxError, type Span } from './syntax-error.js';
import { type Token, type TokenKind, tokenize } from './tokens.js';

/** A place in the tokens of a text. */
export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.text = text;
    this.#tokens = tokenize(text);
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get next(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token;
  }

  /** Behind the last token taken. */
  get end(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  take(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  isAt(kind: TokenKind, text?: string): boolean {
    return this.current.kind === kind && (text === undefined || this.current.text === text);
  }

  /** Takes the symbol or word if it is the next. */
  skip(kind: TokenKind, text: string): boolean {
    const found = this.isAt(kind, text);
    if (found) this.take();
    return found;
  }

  expect(kind: TokenKind, text: string | undefined, wanted: string, hint?: string): Token {
    if (!this.isAt(kind, text)) this.fail(`expected ${wanted}, got ${nameOf(this.current)}`, this.current, hint);
    return this.take();
  }

  fail(reason: string, at: Span, hint?: string): never {
    throw new QuerySyntaxError(this.text, at, reason, hint);
  }
}

export function nameOf({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  return kind === 'string' ? 'a text' : kind === 'name' || kind === 'symbol' ? JSON.stringify(text) : `the ${kind} ${text}`;
}
