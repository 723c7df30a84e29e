import { QuerySyntaxError, type Span } from './syntax-error.js';

export type TokenKind = 'name' | 'number' | 'duration' | 'string' | 'symbol' | 'end';

export interface Token extends Span {
  readonly kind: TokenKind;
  /** As written; of a string what it means. */
  readonly text: string;
}

const SPACE = /(?:\s|#[^\n]*)*/y;
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_.])/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![a-zA-Z0-9_.])/y;
const SYMBOL = /=~|!~|!=|==|<=|>=|[-+*/%^()[\]{},:=<>]/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\' };

/** @throws QuerySyntaxError for characters that begin nothing. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (kind: TokenKind, end: number, meaning = text.slice(at, end)): void => {
    tokens.push({ kind, text: meaning, start: at, end });
    at = end;
  };
  for (;;) {
    at += match(SPACE)?.length ?? 0;
    if (at >= text.length) break;
    const character = text[at] as string;
    let found: string | undefined;
    if (character === '"' || character === "'" || character === '`') {
      const { meaning, end } = readString(text, at, character);
      push('string', end, meaning);
    } else if ((found = match(DURATION)) !== undefined) push('duration', at + found.length);
    else if ((found = match(NUMBER)) !== undefined) push('number', at + found.length);
    // A name may begin with a colon, but the one behind a duration parts a range from its step.
    else if (character === ':' && tokens[tokens.length - 1]?.kind === 'duration') push('symbol', at + 1);
    else if ((found = match(NAME)) !== undefined) push('name', at + found.length);
    else if ((found = match(SYMBOL)) !== undefined) push('symbol', at + found.length);
    else throw strange(text, at);
  }
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
  return tokens;
}

function strange(text: string, at: number): QuerySyntaxError {
  const word = /^[0-9.][a-zA-Z0-9_.]*/.exec(text.slice(at))?.[0];
  if (word !== undefined) {
    const span = { start: at, end: at + word.length };
    return new QuerySyntaxError(
      text,
      span,
      `${JSON.stringify(word)} is neither a number nor a duration`,
      'durations are whole numbers with units in falling order: 1h30m, 500ms',
    );
  }
  const pair = text.slice(at, at + 2);
  const hints: Readonly<Record<string, string>> = { '&&': 'write and', '||': 'write or', '&': 'write and', '|': 'write or', '!': 'write unless' };
  const hint = hints[pair] ?? hints[pair[0] as string];
  const character = String.fromCodePoint(text.codePointAt(at) as number);
  return new QuerySyntaxError(text, { start: at, end: at + character.length }, `${JSON.stringify(character)} is not part of the language`, hint);
}

function readString(text: string, start: number, quote: string): { readonly meaning: string; readonly end: number } {
  let meaning = '';
  for (let i = start + 1; i < text.length; i++) {
    const character = text[i] as string;
    if (character === quote) return { meaning, end: i + 1 };
    if (character === '\n' && quote !== '`') break;
    if (character !== '\\' || quote === '`') {
      meaning += character;
      continue;
    }
    const escaped = readEscape(text, i, quote);
    meaning += escaped.meaning;
    i = escaped.end - 1;
  }
  throw new QuerySyntaxError(text, { start, end: start + 1 }, 'a text that begins here does not end', `close it with ${quote}`);
}

// Numbers in escapes are code points; Go's \x and octal escapes, which are bytes, are left out.
function readEscape(text: string, at: number, quote: string): { readonly meaning: string; readonly end: number } {
  const letter = text[at + 1] ?? '';
  const simple = letter === quote ? quote : ESCAPES[letter];
  if (simple !== undefined) return { meaning: simple, end: at + 2 };
  const digits = letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  const hex = text.slice(at + 2, at + 2 + digits);
  const point = Number.parseInt(hex, 16);
  if (digits > 0 && hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) && point <= 0x10ffff)
    return { meaning: String.fromCodePoint(point), end: at + 2 + digits };
  throw new QuerySyntaxError(
    text,
    { start: at, end: at + 2 },
    `\\${letter} is no escape`,
    'write a backslash as \\\\, or put the text in backquotes, where backslashes are plain',
  );
}
