/** An answer as it goes over the wire: a status and JSON. */
export interface WireReply {
  readonly status: number;
  /** undefined: no body at all. */
  readonly body: unknown;
  readonly retryAfterMs?: number;
}

export function ok(body: unknown): WireReply {
  return { status: 200, body };
}
