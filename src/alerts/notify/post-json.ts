import { VenueKitError } from '../../core/errors.js';

/** How to send; the global fetch unless given. */
export type Fetch = (url: string, init: RequestInit) => Promise<Pick<Response, 'ok' | 'status' | 'body'>>;

/** Where a notifier posts to. */
export interface PostTarget {
  readonly what: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch?: Fetch | undefined;
}

/**
 * The url, checked. It may hold a key, so no message repeats it.
 * @throws TypeError
 */
export function requireUrl(name: string, url: string): string {
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:/.test(url))
    throw new TypeError(`${name} must be an absolute http or https URL; its value is not shown, since it may hold a key`);
  return url;
}

/**
 * Posts, and resolves when the answer is a success.
 * @throws VenueKitError NOTIFY_REFUSED or NOTIFY_FAILED. Neither url, headers nor answer is in it, since each may hold a secret.
 */
export async function postJson({ what, url, headers, fetch: send = globalThis.fetch }: PostTarget, body: string, signal: AbortSignal): Promise<void> {
  let response: Awaited<ReturnType<Fetch>>;
  try {
    response = await send(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, signal, redirect: 'error' });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new VenueKitError('NOTIFY_FAILED', `${what} could not be reached${reasonOf(error)}.`);
  }
  // Unread bodies hold their connection.
  await response.body?.cancel();
  if (!response.ok) throw new VenueKitError('NOTIFY_REFUSED', `${what} answered with HTTP ${response.status}.`);
}

/** The system's code, such as ECONNREFUSED, wherever fetch has put it. */
function reasonOf(error: unknown): string {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = (at as { readonly cause?: unknown }).cause) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === 'string' && /^[A-Z_]+$/.test(code)) return `: ${code}`;
  }
  return '';
}
