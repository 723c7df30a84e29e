import type { Deadline } from '../core/deadline-set.js';

/** What a lease asks of the pool that it came from. */
export interface LeaseKeeper<T> {
  takeBack(connection: Connection<T>): void;
  giveUp(connection: Connection<T>): Promise<void>;
}

/** What the pool knows of one open connection. */
export class Connection<T> {
  readonly resource: T;
  /** Whom its lease gives it back to. */
  keeper: LeaseKeeper<T> | undefined;
  /** It has been handed out before. */
  isUsed = false;
  isClosed = false;
  /** The last work on it failed, so it is validated before the next. */
  isSuspect = false;
  /** Monotonic ms since when it is idle; kept only where a policy asks for it. */
  idleSince = 0;
  /** Monotonic ms since when it is held; kept only where a policy asks for it. */
  leasedSince = 0;
  /** The same, kept only while somebody listens. */
  heldSince: number | undefined = undefined;
  /** Monotonic ms at which it has lived long enough. */
  expiresAt: number = Infinity;
  idleLimit: Deadline<Connection<T>> | undefined;
  lifeLimit: Deadline<Connection<T>> | undefined;
  leakLimit: Deadline<Connection<T>> | undefined;
  /** Where the present lease was taken, when stacks are captured. */
  takenAt: string | undefined;

  constructor(resource: T) {
    this.resource = resource;
  }
}
