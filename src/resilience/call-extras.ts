import type { RunOptions } from './pipeline-options.js';

/**
 * What few calls of a pipeline need, apart from the record that each of them makes: a small record is
 * cheap to make, and what makes it short enough to be optimised in one piece.
 */

/** What the work has asked its attempt for, or is to be told once it asks. @internal */
export interface Asked {
  controller: AbortController | undefined;
  abortedBy: Error | undefined;
  signedAt: number | undefined;
}

/** What a call needs beyond its first attempt. @internal */
export interface Detour<Attempt> {
  /** The hedge, while it is undecided. */
  hedge: Attempt | undefined;
  /** Ends waits for a turn or a backoff; made only when there is one. */
  waiting: AbortController | undefined;
  lastError: Error | undefined;
}

/** @internal */
export function newAsked(): Asked {
  return { controller: undefined, abortedBy: undefined, signedAt: undefined };
}

/** @internal */
export function newDetour<Attempt>(): Detour<Attempt> {
  return { hedge: undefined, waiting: undefined, lastError: undefined };
}

/** What the caller of a call gets for `error`. @internal */
export function rejection({ asThrown }: RunOptions, error: Error): Promise<never> {
  if (asThrown === undefined) return Promise.reject(error);
  return new Promise((_, reject) => reject(asThrown(error)));
}
