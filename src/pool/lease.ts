import type { Connection, LeaseKeeper } from './connection.js';

/** A connection, held until it is released. Releasing it twice is fine. */
export interface Lease<T> extends Disposable {
  readonly resource: T;
  /** Gives the connection back. */
  release(): void;
  /** Gives the connection up: it is closed instead of reused. Resolves when it is closed. */
  destroy(): Promise<void>;
}

/** One holding of a connection. Each has an object of its own, so that a release that comes late, or twice, can't end the next holder's lease. */
export class ConnectionLease<T> implements Lease<T> {
  readonly resource: T;
  #connection: Connection<T> | undefined;

  constructor(connection: Connection<T>) {
    this.resource = connection.resource;
    this.#connection = connection;
  }

  release(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    (connection.keeper as LeaseKeeper<T>).takeBack(connection);
  }

  async destroy(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    await (connection.keeper as LeaseKeeper<T>).giveUp(connection);
  }

  /** Has the connection validated before its next use. */
  suspect(): void {
    if (this.#connection !== undefined) this.#connection.isSuspect = true;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
