import type { Cost, Priority } from '../core/limits.js';
import type { CallOptions } from './calls.js';

/** A unit of work for a fetcher. */
export interface FetchTask<I, O> {
  readonly input: I;
  run(input: I, context: { readonly signal: AbortSignal; readonly attempt: number }): Promise<O>;
  /** Higher goes first. @defaultValue 0 */
  readonly priority?: number;
  /** Epoch ms, the fetcher's clock. */
  readonly deadlineAt?: number;
  readonly group?: string;
  /** What it uses of its group's rate. @defaultValue 1 */
  readonly weight?: number;
  /** What it uses of the limits that its group shares with others, where they differ; in place of `weight`. */
  readonly costs?: readonly Cost[];
  /** Expected duration; the longest go first, so that none is left at the end alone. */
  readonly costHintMs?: number;
  /** Parse the result on a worker thread, from that size on. */
  readonly parse?: { readonly worker: string | URL; readonly minBytes?: number };
}

/** A limiter that several spend from, such as that of a trading client on the same venue. */
export interface SharedLimiter {
  acquire(costs: readonly Cost[], options: { readonly priority: Priority; readonly hold?: boolean; readonly signal?: AbortSignal }): Promise<void>;
  sent(costs: readonly Cost[]): void;
  release(costs: readonly Cost[]): void;
}

/** How far a batch has come. `done` counts settled tasks, failed ones included. */
export interface FetchProgress {
  readonly done: number;
  readonly failed: number;
  readonly total?: number;
  readonly etaMs?: number;
  readonly ratePerSecond: number;
}

/** What other modules ask of a fetcher. */
export interface Fetcher {
  run<I, O>(task: FetchTask<I, O>, options?: CallOptions): Promise<O>;
}
