import type { Clock } from '../core/clock.js';
import { DeadlineSet } from '../core/deadline-set.js';
import type { Logger } from '../core/logger.js';
import type { Connection } from './connection.js';
import type { PoolEvents } from './pool-events.js';
import type { PoolPolicy } from './pool-options.js';

/** Warns, once a lease, of connections that are held for long. */
export class LeakWatch<T> implements Disposable {
  readonly #policy: PoolPolicy<T>;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #events: PoolEvents | undefined;
  readonly #limits: DeadlineSet<Connection<T>>;

  constructor(policy: PoolPolicy<T>, clock: Clock, logger: Logger | undefined, events: PoolEvents | undefined) {
    this.#policy = policy;
    this.#clock = clock;
    this.#logger = logger;
    this.#events = events;
    this.#limits = new DeadlineSet(clock, (connection, now) => this.#warn(connection, now));
  }

  taken(connection: Connection<T>): void {
    const { leakWarningMs, captureLeaseStacks } = this.#policy;
    if (captureLeaseStacks) connection.takenAt = new Error('lease taken').stack;
    if (leakWarningMs === Infinity) return;
    connection.leasedSince = this.#clock.monotonic();
    connection.leakLimit = this.#limits.add(connection, connection.leasedSince + leakWarningMs);
  }

  returned(connection: Connection<T>): void {
    if (connection.leakLimit !== undefined) this.#limits.cancel(connection.leakLimit);
    connection.leakLimit = undefined;
    connection.takenAt = undefined;
  }

  [Symbol.dispose](): void {
    this.#limits[Symbol.dispose]();
  }

  #warn(connection: Connection<T>, now: number): void {
    const heldMs = now - connection.leasedSince;
    const where = connection.takenAt === undefined ? {} : { takenAt: connection.takenAt };
    this.#logger?.warn({ pool: this.#policy.name, heldMs, ...where }, 'a lease has been held for long; was its release forgotten?');
    this.#events?.leak(heldMs, where);
  }
}
