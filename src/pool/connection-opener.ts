import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Connection } from './connection.js';
import type { ConnectionInventory } from './connection-inventory.js';
import type { CreateGate } from './create-gate.js';

/** What the opener asks of the pool that it works for. */
export interface OpenerHost<T> {
  /** How many connections are wanted beyond those that exist or are being validated for somebody. */
  missing(): number;
  hasWaiters(): boolean;
  /** @param ms - how long the opening took */
  onOpened(connection: Connection<T>, ms: number): void;
  onFailed(error: Error): void;
  /** The pause after a failure is over. */
  onRetry(): void;
}

/** Opens what is missing while there is room, and keeps the pauses that failures ask for. */
export class ConnectionOpener<T> {
  readonly #inventory: ConnectionInventory<T>;
  readonly #gate: CreateGate;
  readonly #clock: Clock;
  readonly #host: OpenerHost<T>;
  /** Ends the wait for the next attempt. */
  readonly #closed: AbortSignal;
  #opening = 0;
  #lastError: Error | undefined;
  #retry: 'none' | 'background' | 'awaited' = 'none';

  constructor(inventory: ConnectionInventory<T>, gate: CreateGate, clock: Clock, closed: AbortSignal, host: OpenerHost<T>) {
    this.#inventory = inventory;
    this.#gate = gate;
    this.#clock = clock;
    this.#closed = closed;
    this.#host = host;
  }

  /** How many are being opened. */
  get opening(): number {
    return this.#opening;
  }

  /** The error of the last attempt; undefined when that succeeded. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Opens as many as are missing and allowed. */
  openMissing(): void {
    while (this.#opening < this.#host.missing() && this.#inventory.room > 0) {
      // After a failure one at a time, until one succeeds.
      if (this.#gate.isProbing && this.#opening > 0) return;
      const waitMs = this.#gate.waitMs(this.#clock.monotonic());
      if (waitMs > 0) {
        this.#retryIn(waitMs);
        return;
      }
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    this.#opening++;
    const startedAt = this.#clock.monotonic();
    let connection: Connection<T>;
    try {
      connection = await this.#inventory.open();
    } catch (error) {
      this.#opening--;
      this.#gate.failed(this.#clock.monotonic());
      this.#lastError = asError(error);
      this.#host.onFailed(this.#lastError);
      return;
    }
    this.#opening--;
    this.#gate.succeeded();
    this.#lastError = undefined;
    this.#host.onOpened(connection, this.#clock.monotonic() - startedAt);
  }

  // While somebody waits for the next attempt, the process must not end before it; to keep spares ready it may.
  #retryIn(ms: number): void {
    const isAwaited = this.#host.hasWaiters();
    if (this.#retry === 'awaited' || (this.#retry === 'background' && !isAwaited)) return;
    this.#retry = isAwaited ? 'awaited' : 'background';
    const again = (): void => {
      this.#retry = 'none';
      this.#host.onRetry();
    };
    if (isAwaited) this.#clock.sleep(ms, this.#closed).then(again, () => {});
    else this.#clock.schedule(ms, again);
  }
}
