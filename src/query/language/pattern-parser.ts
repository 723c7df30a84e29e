/** A part of a pattern; `ranges` are pairs of code points, both included. */
export type PatternNode =
  | { readonly kind: 'characters'; readonly ranges: readonly number[]; readonly negated: boolean }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number };

const MOST_REPEATS = 1_000; // of RE2
const DEEPEST = 100;
const DIGITS = [0x30, 0x39];
const WORD = [...DIGITS, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACE = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
const CLASSES: Readonly<Record<string, readonly number[]>> = { d: DIGITS, w: WORD, s: SPACE };
const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };

/** Reads RE2's syntax but for named groups, flags within, Unicode classes, and `\b`. */
export class PatternParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @throws RangeError for what is no pattern. */
  whole(): { readonly node: PatternNode; readonly ignoresCase: boolean } {
    const ignoresCase = this.#skip('(?i)');
    const node = this.#choice();
    if (this.#at < this.#text.length) this.#fail('a ) has no (');
    return { node, ignoresCase };
  }

  #fail(reason: string): never {
    throw new RangeError(`the pattern ${JSON.stringify(this.#text)} can't be read: ${reason}, at character ${this.#at + 1}`);
  }

  #skip(text: string): boolean {
    const found = this.#text.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #choice(): PatternNode {
    if (++this.#depth > DEEPEST) this.#fail(`groups are nested more than ${DEEPEST} deep`);
    const parts = [this.#sequence()];
    while (this.#skip('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'choice', parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): PatternNode {
    let node = this.#single();
    for (let isFirst = true; ; isFirst = false) {
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      if (!isFirst) this.#fail('a repetition repeats nothing');
      // A ? behind a repetition makes it the shortest match: whether the whole matches is the same.
      this.#skip('?');
      node = { kind: 'repeat', node, ...bounds };
    }
  }

  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#skip('*')) return { least: 0, most: Infinity };
    if (this.#skip('+')) return { least: 1, most: Infinity };
    if (this.#skip('?')) return { least: 0, most: 1 };
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 20));
    if (counted === null) return undefined;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3]);
    if (least > MOST_REPEATS || (most !== Infinity && most > MOST_REPEATS)) this.#fail(`a repetition of more than ${MOST_REPEATS}`);
    if (least > most) this.#fail('a repetition that ends before it begins');
    this.#at += counted[0].length;
    return { least, most };
  }

  #single(): PatternNode {
    if (this.#skip('(')) return this.#group();
    if (this.#skip('[')) return this.#class();
    if (this.#skip('.')) return { kind: 'characters', ranges: [10, 10], negated: true };
    if (this.#skip('^')) return { kind: 'start' };
    if (this.#skip('$')) return { kind: 'end' };
    if (/[*+?]/.test(this.#peek())) this.#fail('a repetition repeats nothing');
    if (this.#skip('\\')) return this.#escape();
    return this.#literal();
  }

  #literal(): PatternNode {
    const point = this.#point();
    return { kind: 'characters', ranges: [point, point], negated: false };
  }

  #point(): number {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) return this.#fail('it ends too early');
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }

  #group(): PatternNode {
    if (this.#peek() === '?' && !this.#skip('?:'))
      this.#fail('only groups ( ) and (?: ) are possible, and (?i) at the beginning; nothing that looks ahead or behind');
    const node = this.#choice();
    if (!this.#skip(')')) this.#fail('a ( does not end');
    return node;
  }

  #escape(): PatternNode {
    const letter = this.#peek();
    const ranges = CLASSES[letter.toLowerCase()];
    if (ranges !== undefined) {
      this.#at++;
      return { kind: 'characters', ranges, negated: letter !== letter.toLowerCase() };
    }
    const point = this.#escaped();
    return { kind: 'characters', ranges: [point, point], negated: false };
  }

  /** The character that an escape stands for; the backslash is behind. */
  #escaped(): number {
    const letter = this.#peek();
    const control = CONTROLS[letter];
    const hex = /^x([0-9a-fA-F]{2}|\{[0-9a-fA-F]{1,6}\})/.exec(this.#text.slice(this.#at, this.#at + 9));
    if (hex !== null) {
      this.#at += hex[0].length;
      return Number.parseInt((hex[1] as string).replace(/[{}]/g, ''), 16);
    }
    if (control === undefined && /[a-zA-Z0-9]/.test(letter))
      this.#fail(/[0-9]/.test(letter) ? 'a back reference, which can take forever to match' : `\\${letter} is no escape`);
    if (control === undefined) return this.#point();
    this.#at++;
    return control;
  }

  #class(): PatternNode {
    const negated = this.#skip('^');
    const ranges: number[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      if (this.#at >= this.#text.length) this.#fail('a [ does not end');
      const from = this.#classItem(ranges);
      if (from === undefined) continue;
      let to: number | undefined = from;
      if (this.#peek() === '-' && this.#text[this.#at + 1] !== ']' && this.#at + 1 < this.#text.length) {
        this.#at++;
        to = this.#classItem([]);
        if (to === undefined || to < from) this.#fail('a range of characters that ends before it begins');
      }
      ranges.push(from, to);
    }
    this.#at++;
    return { kind: 'characters', ranges, negated };
  }

  /** One character of a class; undefined when it was a class such as \d, which `into` then has. */
  #classItem(into: number[]): number | undefined {
    if (this.#text.startsWith('[:', this.#at)) this.#fail('classes such as [:alpha:] are not possible; write [a-zA-Z]');
    if (!this.#skip('\\')) return this.#point();
    const letter = this.#peek();
    const ranges = CLASSES[letter.toLowerCase()];
    if (ranges === undefined) return this.#escaped();
    this.#at++;
    into.push(...(letter === letter.toLowerCase() ? ranges : complement(ranges)));
    return undefined;
  }
}

function complement(ranges: readonly number[]): number[] {
  const result: number[] = [];
  let from = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if ((ranges[i] as number) > from) result.push(from, (ranges[i] as number) - 1);
    from = (ranges[i + 1] as number) + 1;
  }
  result.push(from, 0x10ffff);
  return result;
}
