/** Where a stream of events goes. */
export interface EventSink {
  /** Hands text over; nothing more should come while `isFull`. */
  write(text: string): void;
  readonly isFull: boolean;
  end(): void;
}

/** What a request is answered with, whatever HTTP the host has. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Takes the place of a body: events, until the sink is gone. */
  readonly stream?: (sink: EventSink) => Disposable;
}

/** One request, framework-free. */
export interface PageRequest {
  readonly method: string;
  /** As the client sees it, query included; without a host where none is known. */
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly localAddress?: string | undefined;
  /** The part of the path that a router took away before it asked us. */
  readonly mountedAt?: string | undefined;
  readonly signal: AbortSignal;
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** A refusal in words. */
export function refusal(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers }, body: `${text}\n` };
}
