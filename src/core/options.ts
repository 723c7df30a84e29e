/**
 * Checks of options, used by every constructor: an option that can't be meant is refused where it is
 * given, by a message that names option, expectation and value, and never silently corrected.
 */

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

function requireNumber(name: string, value: unknown, expectation: string): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be ${expectation}, got ${show(value)}`);
}

function check(name: string, value: number, holds: boolean, expectation: string): number {
  requireNumber(name, value, expectation);
  if (!holds) throw new RangeError(`${name} must be ${expectation}, got ${value}`);
  return value;
}

/** A finite number above 0. */
export function requirePositive(name: string, value: number): number {
  return check(name, value, value > 0 && value < Infinity, 'a finite number above 0');
}

/** A finite number of 0 or more. */
export function requireNonNegative(name: string, value: number): number {
  return check(name, value, value >= 0 && value < Infinity, 'a finite number of 0 or more');
}

/** A number between 0 and 1, both included. */
export function requireFraction(name: string, value: number): number {
  return check(name, value, value >= 0 && value <= 1, 'between 0 and 1');
}

/** A whole number of `least` or more. */
export function requireInteger(name: string, value: number, least = 0): number {
  return check(name, value, Number.isSafeInteger(value) && value >= least, `a whole number of ${least} or more`);
}

/** A finite number within [least, most]. */
export function requireWithin(name: string, value: number, least: number, most: number): number {
  return check(name, value, value >= least && value <= most, `between ${least} and ${most}`);
}

/** A string with something in it. */
export function requireText(name: string, value: string): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a non-empty string, got ${show(value)}`);
  return value;
}

/** A string, which may be empty. */
export function requireString(name: string, value: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${show(value)}`);
  return value;
}

/** true or false. */
export function requireBoolean(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${show(value)}`);
  return value;
}

/** An AbortSignal, of whatever realm or polyfill: what has `aborted` and can be listened to. */
export function requireSignal(name: string, value: AbortSignal): AbortSignal {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw new TypeError(`${name} must be an AbortSignal, got ${show(value)}`);
  return value;
}

/** A function. */
export function requireFunction<F>(name: string, value: F): F {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${show(value)}`);
  return value;
}

/** An array. */
export function requireArray<A>(name: string, value: A): A {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be an array, got ${show(value)}`);
  return value;
}

/** An object that is no array. */
export function requireObject<O>(name: string, value: O): O {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${name} must be an object, got ${show(value)}`);
  return value;
}

/** One of `allowed`. */
export function requireOneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new RangeError(`${name} must be one of ${allowed.map(show).join(', ')}, got ${show(value)}`);
  return value;
}

/** An object that has all `methods`, so that a wrong collaborator is seen where it is handed over. */
export function requireMethods<O>(name: string, value: O, methods: readonly (keyof O & string)[]): O {
  requireObject(name, value);
  for (const method of methods) {
    if (typeof value[method] !== 'function')
      throw new TypeError(`${name} must be an object with a method ${method}, got ${show(value[method])} for it`);
  }
  return value;
}

/**
 * Refuses option names that do not exist: a misspelt option would otherwise be an option silently
 * left at its default.
 */
export function requireKnown(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new TypeError(`${where} has no option ${show(key)}${near === undefined ? '' : `; did you mean ${show(near)}?`}`);
  }
}

/** The entry of `candidates` that `word` is most likely a misspelling of, if any is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

// Levenshtein 1966, one row at a time.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
