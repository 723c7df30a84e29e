import type { HttpFacts } from './http-facts.js';

/** What the venue answered with success: for us, and for the SDK that it goes to. */
export interface WireAnswer {
  readonly json: unknown;
  /** What the SDK makes its own result of. */
  readonly native: unknown;
}

export type WireOutcome = { readonly result: WireAnswer } | { readonly error: unknown; readonly facts: HttpFacts };
