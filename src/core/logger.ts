/**
 * What a module says in words. Shaped so that pino and console fit as they are: an object of facts
 * first, the sentence second. Secrets never reach it.
 */
export interface Logger {
  debug(facts: object, message?: string): void;
  info(facts: object, message?: string): void;
  warn(facts: object, message?: string): void;
  error(facts: object, message?: string): void;
}

/** Says nothing: the default, since a library does not write to its host's console unasked. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const SECRET_NAME =
  /secret|passw|passphrase|token|signature|authorization|api.?key|private.?key|credential|cookie|listen.?key|^(?:key|mbx-apikey|apca-.*)$/i;
// Values that travel in URLs and messages: name=value pairs and headers of the same names.
const SECRET_IN_TEXT =
  /((?:[\w-]*(?:secret|passw(?:or)?d|passphrase|token|signature|api[_-]?key|private[_-]?key|listen[_-]?key|authorization|x-mbx-apikey|apca-api-[\w-]+))["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?)[^\s"'&,;}]+/gi;
// The password of a URL: of a proxy, a database.
const PASSWORD_IN_URL = /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;
const HIDDEN = '[redacted]';
const DEEPEST = 8;

/** `text` with the values of secret-looking parameters and headers replaced. */
export function redactText(text: string): string {
  return text.replace(SECRET_IN_TEXT, `$1${HIDDEN}`).replace(PASSWORD_IN_URL, `$1${HIDDEN}`);
}

/**
 * A copy of `value` that is safe to log, emit or show: members with secret-looking names are
 * replaced, secrets inside strings are cut out, cycles and very deep parts are named instead of
 * followed. Errors become their name, message, code and cause.
 */
export function redact(value: unknown): unknown {
  return redactAt(value, 0, new Set());
}

function redactAt(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circular]';
  if (depth >= DEEPEST) return '[too deep]';
  above.add(value);
  try {
    return redactObject(value, depth, above);
  } finally {
    above.delete(value);
  }
}

function redactObject(value: object, depth: number, above: Set<object>): unknown {
  if (Array.isArray(value)) return value.map((item) => redactAt(item, depth + 1, above));
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  if (value instanceof Map) return redactObject(Object.fromEntries(value as Map<PropertyKey, unknown>), depth, above);
  if (value instanceof Set) return [...value].map((item) => redactAt(item, depth + 1, above));
  const copy: Record<string, unknown> = {};
  if (value instanceof Error) {
    copy.name = value.name;
    copy.message = redactText(value.message);
    if (value.stack !== undefined) copy.stack = redactText(value.stack);
    if (value.cause !== undefined) copy.cause = redactAt(value.cause, depth + 1, above);
  }
  for (const [name, member] of Object.entries(value)) {
    copy[name] =
      SECRET_NAME.test(name) && member !== undefined && member !== null && typeof member !== 'boolean' ? HIDDEN : redactAt(member, depth + 1, above);
  }
  return copy;
}

/**
 * Cuts secrets out of an error's message and stack, and of its causes, where they stand: class and
 * members stay, so that whoever caught it still knows it. SDKs put whole signed URLs into messages.
 */
export function redactError<T>(error: T): T {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < DEEPEST; at = at.cause, depth++) {
    for (const member of ['message', 'stack'] as const) {
      const text = at[member];
      if (text === undefined) continue;
      const safe = redactText(text);
      // A frozen error keeps its text; assigning would throw in the middle of handling it.
      if (safe !== text) Reflect.defineProperty(at, member, { value: safe, writable: true, configurable: true, enumerable: false });
    }
  }
  return error;
}

/** `logger` behind {@link redact}: every module logs through one. */
export function redactingLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return silentLogger;
  const through =
    (level: keyof Logger) =>
    (facts: object, message?: string): void => {
      const safe = redact(facts) as object;
      if (message === undefined) logger[level](safe);
      else logger[level](safe, redactText(message));
    };
  return { debug: through('debug'), info: through('info'), warn: through('warn'), error: through('error') };
}
