import type { Connection } from './connection.js';

/** A connection, held until it is released. Releasing it twice is fine. */
export interface Lease<T> extends Disposable {
  readonly resource: T;
  /** Gives the connection back. */
  release(): void;
  /** Gives the connection up: it is closed instead of reused. Resolves when it is closed. */
  destroy(): Promise<void>;
}

/** What a lease asks of the pool that it came from. */
export interface LeaseKeeper<T> {
  takeBack(connection: Connection<T>): void;
  giveUp(connection: Connection<T>): Promise<void>;
}

/** One holding of a connection. Each has an object of its own, so that a release that comes late, or twice, can't end the next holder's lease. */
export class ConnectionLease<T> implements Lease<T> {
  readonly resource: T;
  readonly #keeper: LeaseKeeper<T>;
  #connection: Connection<T> | undefined;

  constructor(connection: Connection<T>, keeper: LeaseKeeper<T>) {
    this.resource = connection.resource;
    this.#keeper = keeper;
    this.#connection = connection;
  }

  release(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#keeper.takeBack(connection);
  }

  async destroy(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    await this.#keeper.giveUp(connection);
  }

  /** Has the connection validated before its next use. */
  suspect(): void {
    if (this.#connection !== undefined) this.#connection.isSuspect = true;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
