import { PRIORITIES, type Priority } from '../core/limits.js';

const RANKS = { kill: 0, cancel: 1, reconcile: 2, place: 3, read: 4, prefetch: 5 } as const satisfies Record<Priority, number>;

/** 0 for the most urgent. @throws RangeError for what is no priority. */
export function rankOf(priority: Priority): number {
  // A caller without types may give anything.
  const rank = (RANKS as Readonly<Record<string, number | undefined>>)[priority];
  if (rank === undefined) throw new RangeError(`priority must be one of ${PRIORITIES.join(', ')}, got ${priority}`);
  return rank;
}

/** Whether this rank may use the share that is kept for getting out of trouble: kill, cancel, reconcile. */
export function mayUseReserve(rank: number): boolean {
  return rank <= RANKS.reconcile;
}
