import type { Priority } from '../core/limits.js';

export type { Priority } from '../core/limits.js';

/** What every asynchronous method takes last. */
export interface CallOptions {
  /** Ends the caller's wait with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds from the call, over all attempts. */
  readonly deadlineMs?: number;
  readonly priority?: Priority;
}

/** The result of one of several calls, as `Promise.allSettled` gives it. */
export type Settled<T> = { readonly status: 'fulfilled'; readonly value: T } | { readonly status: 'rejected'; readonly reason: Error };
