import type { Bus } from '../contracts/events.js';

/** What a pool holds, as `pool.state` tells it. */
export interface PoolHoldings {
  readonly size: number;
  readonly inUse: number;
  readonly waiting: number;
}

/** What a pool tells the bus; payloads are made only when somebody listens. */
export class PoolEvents {
  readonly #bus: Bus;
  readonly #pool: string;
  readonly #max: number;
  readonly #holdings: () => PoolHoldings;

  constructor(bus: Bus, pool: { readonly name: string; readonly max: number }, holdings: () => PoolHoldings) {
    this.#bus = bus;
    this.#pool = pool.name;
    this.#max = pool.max;
    this.#holdings = holdings;
  }

  state(): void {
    if (!this.#bus.has('pool.state')) return;
    const { size, inUse, waiting } = this.#holdings();
    this.#bus.emit('pool.state', { pool: this.#pool, max: this.#max, size, inUse, waiting });
  }

  created(): void {
    if (this.#bus.has('pool.created')) this.#bus.emit('pool.created', { pool: this.#pool });
  }

  destroyed(why: string): void {
    if (this.#bus.has('pool.destroyed')) this.#bus.emit('pool.destroyed', { pool: this.#pool, why });
  }

  acquired(waitedMs: number, reused: boolean): void {
    if (this.#bus.has('pool.acquired')) this.#bus.emit('pool.acquired', { pool: this.#pool, waitedMs, reused });
  }

  createFailed(error: Error): void {
    if (this.#bus.has('pool.create_failed')) this.#bus.emit('pool.create_failed', { pool: this.#pool, error });
  }

  leak(heldMs: number, where: { readonly takenAt?: string }): void {
    if (this.#bus.has('pool.leak')) this.#bus.emit('pool.leak', { pool: this.#pool, heldMs, ...where });
  }
}
