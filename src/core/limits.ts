/** The vocabulary of a venue's limits, which policies and contracts share. */

/** Who goes first where calls compete for a limit, most urgent first. */
export type Priority = 'kill' | 'cancel' | 'reconcile' | 'place' | 'read' | 'prefetch';
export const PRIORITIES: readonly Priority[] = ['kill', 'cancel', 'reconcile', 'place', 'read', 'prefetch'];

/** What an operation uses up of a limit. */
export interface Cost {
  readonly limit: string;
  readonly units: number;
}

/** A limit of the venue. A window slides over (t - perMs, t], counted when the adapter is called; one counter per ip, account or symbol, as `scope` says. */
export type Limit =
  | { readonly id: string; readonly scope: 'ip' | 'account' | 'symbol'; readonly kind: 'window'; readonly units: number; readonly perMs: number }
  | {
      readonly id: string;
      readonly scope: 'ip' | 'account' | 'symbol';
      readonly kind: 'decay';
      readonly max: number;
      readonly decayPerSecond: number;
    };

/**
 * What an answer said of a limit. `blockedUntil` (our clock, epoch ms) blocks every operation that
 * costs this limit: adapters report it for what the venue says of a whole IP or account. A verdict's
 * `retryAfterMs` alone blocks only its own retry.
 */
export interface LimitObservation {
  readonly limit: string;
  readonly used?: number;
  readonly remaining?: number;
  readonly resetAt?: number;
  readonly blockedUntil?: number;
}
