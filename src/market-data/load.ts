import type { CacheEntry } from '../contracts/cache-store.js';
import type { Cell } from './cell.js';

/** What became of a load, as its waiters learn it. */
export type Answer = { readonly entry: CacheEntry; readonly bornAt: number; readonly level: 'shared' | 'none' } | { readonly error: Error };

/** A reader that waits for a load. */
export interface Waiter {
  /** A load that was sent longer ago than this can't serve it. */
  readonly maxAgeMs: number;
  /** Takes the answer; false asks for one more load, since this one was joined too late to be young enough. */
  settle(answer: Answer, now: number): boolean;
}

/** One request on its way to the venue, and everybody who waits for it. */
export class Load {
  readonly cell: Cell;
  readonly waiters: Set<Waiter> = new Set();
  /** When it was last put into a queue; monotonic. */
  enqueuedAt: number = -Infinity;
  /** Made by the prefetch, whoever joined it since. */
  readonly isPrefetch: boolean;
  /** 'prefetch' until a reader wants it too. */
  priority: 'read' | 'prefetch';
  /** What nobody waits for is carried on all the same: a prefetch, a revalidation. */
  isBackground: boolean;
  /** A value that only a scan asked for pushes nothing out. */
  isScan: boolean;
  state: 'waiting' | 'queued' | 'sent' | 'settled' = 'waiting';
  /** Of its symbol, at the send. */
  epoch = 0;
  /** Monotonic, at the send of the last attempt. */
  sentAt: number = -Infinity;
  /** Which call to the venue carries it. */
  call: object | undefined = undefined;

  constructor(cell: Cell, priority: 'read' | 'prefetch', isScan: boolean) {
    this.cell = cell;
    this.priority = priority;
    this.isPrefetch = priority === 'prefetch';
    this.isBackground = this.isPrefetch;
    this.isScan = isScan;
  }

  get isWanted(): boolean {
    return this.isBackground || this.waiters.size > 0;
  }
}
