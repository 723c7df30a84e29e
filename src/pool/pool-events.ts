import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { Connection } from './connection.js';

/** What a pool holds, as `pool.state` tells it. */
export interface PoolHoldings {
  readonly size: number;
  readonly inUse: number;
  readonly waiting: number;
}

/** What is timed only while somebody listens. */
type Held = Pick<Connection<unknown>, 'heldSince'>;

/** What a pool tells the bus; payloads are made only when somebody listens. */
export class PoolEvents {
  readonly #bus: Bus;
  readonly #pool: string;
  readonly #max: number;
  readonly #clock: Clock;
  readonly #holdings: () => PoolHoldings;

  constructor(bus: Bus, pool: { readonly name: string; readonly max: number }, clock: Clock, holdings: () => PoolHoldings) {
    this.#bus = bus;
    this.#pool = pool.name;
    this.#max = pool.max;
    this.#clock = clock;
    this.#holdings = holdings;
  }

  state(): void {
    if (!this.#bus.has('pool.state')) return;
    const { size, inUse, waiting } = this.#holdings();
    this.#bus.emit('pool.state', { pool: this.#pool, max: this.#max, size, inUse, waiting });
  }

  created(ms: number): void {
    if (this.#bus.has('pool.created')) this.#bus.emit('pool.created', { pool: this.#pool, ms });
  }

  destroyed(why: string): void {
    if (this.#bus.has('pool.destroyed')) this.#bus.emit('pool.destroyed', { pool: this.#pool, why });
  }

  acquired(connection: Held, waitedMs: number, reused: boolean): void {
    if (this.#bus.has('pool.released')) connection.heldSince = this.#clock.monotonic();
    if (this.#bus.has('pool.acquired')) this.#bus.emit('pool.acquired', { pool: this.#pool, waitedMs, reused });
  }

  released(connection: Held): void {
    if (connection.heldSince === undefined) return;
    const heldMs = this.#clock.monotonic() - connection.heldSince;
    connection.heldSince = undefined;
    if (this.#bus.has('pool.released')) this.#bus.emit('pool.released', { pool: this.#pool, heldMs });
  }

  createFailed(error: Error): void {
    if (this.#bus.has('pool.create_failed')) this.#bus.emit('pool.create_failed', { pool: this.#pool, error });
  }

  leak(heldMs: number, where: { readonly takenAt?: string }): void {
    if (this.#bus.has('pool.leak')) this.#bus.emit('pool.leak', { pool: this.#pool, heldMs, ...where });
  }
}
