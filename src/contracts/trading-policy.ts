import type { VenueOrder } from './broker.js';
import type { OrderView } from './orders.js';

/** How the trading client behaves under trouble. Every member has a default. */
export interface TradingPolicy {
  /** Of one attempt. @defaultValue 10_000 */
  readonly timeoutMs?: number;
  /** Of a call over all attempts. @defaultValue 30_000 */
  readonly deadlineMs?: number;
  /** Backoff with full jitter. @defaultValue `{ max: 5, baseMs: 100, capMs: 5_000 }` */
  readonly retry?: { readonly max: number; readonly baseMs: number; readonly capMs: number };
  /** Bounds the load that retries and hedges add. @defaultValue `{ ratio: 0.2, minPerSecond: 1 }` */
  readonly budget?: { readonly ratio: number; readonly minPerSecond: number };
  /** Per operation class; never blocks cancel or find. @defaultValue `{ failureRate: 0.5, minCalls: 20, openMs: 5_000 }` */
  readonly breaker?: { readonly failureRate: number; readonly minCalls: number; readonly openMs: number };
  /** Calls in flight. @defaultValue `{ writes: 50, reads: 50 }` */
  readonly bulkhead?: { readonly writes: number; readonly reads: number } | 'adaptive';
  /** Reads only; none sooner than `minDelayMs`. @defaultValue `{ quantile: 0.95, maxRatio: 0.05, minDelayMs: 10 }` */
  readonly hedge?: { readonly quantile: number; readonly maxRatio: number; readonly minDelayMs?: number } | false;
  /** Share of every limit kept for kill, cancel and reconcile. @defaultValue 0.2 */
  readonly reserve?: number;
  /** What an outcome that nothing can prove does. 'escalate' alone does not halt; a later sighting still resolves the order. @defaultValue 'halt_symbol' */
  readonly onUnresolvable?: 'escalate' | 'halt_symbol' | 'halt';
}

/** What a reconciliation found. */
export interface ReconcileReport {
  readonly resolved: readonly OrderView[];
  readonly unresolved: readonly OrderView[];
  /** Orders on the account that this client did not make. */
  readonly external: readonly VenueOrder[];
}
