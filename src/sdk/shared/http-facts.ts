/** What is known of one HTTP call that failed. */
export interface HttpFacts {
  /** Whether the request was handed to the network. An error before that proves that nothing was sent. */
  readonly sent: boolean;
  readonly status?: number;
  /** By lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A header of an answer by its lower-case name, of an SDK's own record of them: none is made for the few that are read. */
export type HeaderReader = (name: string) => string | undefined;

/** Of a record by lower-case names, as HTTP libraries give them. */
export function readerOf(headers: Readonly<Record<string, unknown>> | undefined): HeaderReader {
  return (name) => {
    const value = headers?.[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
}

/** A number in a header; NaN where there is none. */
export function numberIn(header: HeaderReader, name: string): number {
  return Number(header(name) ?? Number.NaN);
}

/** Errors of the network that end an attempt before a connection is there. */
const NEVER_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];
const IN_WORDS = /\b(?:connect ECONNREFUSED|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|connect EHOSTUNREACH|connect ENETUNREACH)\b/;
const DEEPEST = 5;

/** Whether an error proves that no connection was made, so that nothing was sent. SDKs wrap such errors, and some keep only their words. */
export function wasNeverConnected(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return false;
  const { code, message, cause, errors } = error as { code?: unknown; message?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string' && NEVER_CONNECTED.includes(code)) return true;
  // Of several addresses that were tried, each must have failed so.
  if (Array.isArray(errors) && errors.length > 0) return errors.every((one) => wasNeverConnected(one, depth + 1));
  if (typeof message === 'string' && IN_WORDS.test(message)) return true;
  return wasNeverConnected(cause, depth + 1);
}
