import { type PatternNode, PatternParser } from './pattern-parser.js';

const MOST_INSTRUCTIONS = 2_000;
const MOST_REMEMBERED = 1_000;

type Instruction =
  | { readonly op: 'character'; readonly ranges: readonly number[]; readonly negated: boolean }
  | { readonly op: 'split'; readonly to: number[] }
  | { readonly op: 'start' | 'end' | 'match' };

/** Whether a pattern matches the whole of a text. */
export type LabelPattern = (text: string) => boolean;

const compiled = new Map<string, LabelPattern>();

/**
 * A pattern of RE2's syntax, as Prometheus matches labels: anchored at both ends. It is run on all
 * its states at once, so that no pattern takes longer than its size times the text's: there is no
 * catastrophic one, while JavaScript's own patterns may take until the end of time.
 *
 * Source: Thompson 1968.
 * @throws RangeError for what is no pattern, has back references or looks around, or is too large.
 */
export function compilePattern(pattern: string): LabelPattern {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const { node, ignoresCase } = new PatternParser(pattern).whole();
  const program: Instruction[] = [];
  emit(node, program);
  program.push({ op: 'match' });
  if (compiled.size >= MOST_REMEMBERED) compiled.clear();
  const matches: LabelPattern = (text) => run(program, text, ignoresCase);
  compiled.set(pattern, matches);
  return matches;
}

function emit(node: PatternNode, program: Instruction[]): void {
  if (program.length > MOST_INSTRUCTIONS)
    throw new RangeError(`the pattern is too large: its repetitions unfold to more than ${MOST_INSTRUCTIONS} states`);
  switch (node.kind) {
    case 'characters':
      program.push({ op: 'character', ranges: node.ranges, negated: node.negated });
      return;
    case 'start':
    case 'end':
      program.push({ op: node.kind });
      return;
    case 'sequence':
      // What matches nothing takes a state too, or repetitions of it would unfold unseen.
      if (node.parts.length === 0) program.push({ op: 'split', to: [program.length + 1] });
      for (const part of node.parts) emit(part, program);
      return;
    case 'choice':
      emitChoice(node.parts, program);
      return;
    case 'repeat':
      emitRepeat(node, program);
  }
}

function emitChoice(parts: readonly PatternNode[], program: Instruction[]): void {
  const ends: number[][] = [];
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1;
    const split: number[] = [program.length + 1];
    if (!isLast) program.push({ op: 'split', to: split });
    emit(part, program);
    if (isLast) break;
    const end: number[] = [];
    ends.push(end);
    program.push({ op: 'split', to: end });
    split.push(program.length);
  }
  for (const end of ends) end.push(program.length);
}

function emitRepeat({ node, least, most }: Extract<PatternNode, { kind: 'repeat' }>, program: Instruction[]): void {
  for (let i = 0; i < least; i++) emit(node, program);
  if (most === Infinity) {
    const loop = program.length;
    const split: number[] = [loop + 1];
    program.push({ op: 'split', to: split });
    emit(node, program);
    program.push({ op: 'split', to: [loop] });
    split.push(program.length);
    return;
  }
  const exits: number[][] = [];
  for (let i = least; i < most; i++) {
    const split = [program.length + 1];
    exits.push(split);
    program.push({ op: 'split', to: split });
    emit(node, program);
  }
  for (const exit of exits) exit.push(program.length);
}

function run(program: readonly Instruction[], text: string, ignoresCase: boolean): boolean {
  const seen = new Int32Array(program.length).fill(-1);
  let threads: number[] = [];
  let next: number[] = [];
  let step = 0;
  const characters = Array.from(text, (character) => character.codePointAt(0) as number);
  const last = program.length - 1;
  const follow = (from: number, into: number[]): void => {
    const waiting = [from];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (seen[at] === step) continue;
      seen[at] = step;
      const instruction = program[at] as Instruction;
      if (instruction.op === 'split') waiting.push(...instruction.to);
      else if (instruction.op === 'start' || instruction.op === 'end') {
        if (step === (instruction.op === 'start' ? 0 : characters.length)) waiting.push(at + 1);
      } else into.push(at);
    }
  };
  follow(0, threads);
  for (const character of characters) {
    step++;
    for (const at of threads) {
      const instruction = program[at] as Instruction;
      if (instruction.op === 'character' && accepts(instruction, character, ignoresCase)) follow(at + 1, next);
    }
    [threads, next] = [next, threads];
    next.length = 0;
    if (threads.length === 0) return false;
  }
  return threads.includes(last);
}

function accepts({ ranges, negated }: Extract<Instruction, { op: 'character' }>, character: number, ignoresCase: boolean): boolean {
  let inside = contains(ranges, character);
  if (!inside && ignoresCase) {
    const letter = String.fromCodePoint(character);
    inside = [letter.toLowerCase(), letter.toUpperCase()].some(
      (other) => other.length === letter.length && contains(ranges, other.codePointAt(0) as number),
    );
  }
  return inside !== negated;
}

function contains(ranges: readonly number[], character: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (character >= (ranges[i] as number) && character <= (ranges[i + 1] as number)) return true;
  return false;
}
