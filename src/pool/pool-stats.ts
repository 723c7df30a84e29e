import { RecentWaits } from './recent-waits.js';

/** A pool at one point in time. `size` = `inUse` + `idle`; a connection that is being validated counts as idle. */
export interface PoolStats {
  readonly size: number;
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
  readonly created: number;
  readonly destroyed: number;
  readonly acquired: number;
  /** Acquires that got a connection which had been held before. */
  readonly reused: number;
  /** reused ÷ acquired; 0 before the first. */
  readonly reuseRatio: number;
  readonly createFailures: number;
  /** Acquires that gave up at their deadline or at acquireTimeoutMs. */
  readonly timeouts: number;
  /** Over the last 1,024 acquires, those that did not wait included. */
  readonly waitP99Ms: number;
}

/** What a pool has done since it was made. */
export class PoolTally {
  created = 0;
  destroyed = 0;
  acquired = 0;
  /** Acquires that got a connection nobody had held before. */
  fresh = 0;
  createFailures = 0;
  timeouts = 0;
  readonly waits: RecentWaits = new RecentWaits();

  with(now: { readonly size: number; readonly inUse: number; readonly waiting: number }): PoolStats {
    const { created, destroyed, acquired, createFailures, timeouts } = this;
    const reused = acquired - this.fresh;
    return {
      ...now,
      idle: now.size - now.inUse,
      created,
      destroyed,
      acquired,
      reused,
      reuseRatio: acquired === 0 ? 0 : reused / acquired,
      createFailures,
      timeouts,
      waitP99Ms: this.waits.p99(acquired),
    };
  }
}
