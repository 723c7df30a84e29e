import { closeSync, fdatasync, openSync, realpathSync } from 'node:fs';
import { SqliteError } from './sqlite-error.js';

/**
 * Puts what has been committed onto the disk, without holding up this thread.
 *
 * SQLite's `synchronous=FULL` calls fdatasync on the write-ahead log at the end of each commit, on the
 * thread that commits: a slow disk would stop a bot's heartbeats and market data. Here the commit
 * leaves its frames to the operating system (`NORMAL`), and the same fdatasync follows on a thread of
 * the pool; who has to be sure waits for it. What is on the disk then is byte for byte what FULL would
 * have put there, since a commit in WAL mode changes no other file.
 * Closing our descriptor is harmless: SQLite holds its POSIX locks on the other two files.
 */
export class WalSync {
  readonly #path: string;
  readonly #enabled: boolean;
  #descriptor: number | undefined;
  #failure: SqliteError | undefined;

  /** With `enabled` false commits are left to the operating system: they survive this process, not a power loss. */
  constructor(path: string, enabled: boolean) {
    this.#path = path;
    this.#enabled = enabled;
  }

  /**
   * Resolves when everything committed before the call is on the disk.
   * @throws SqliteError io, and from then on at each call: after a failed sync the kernel forgets which
   * pages it has not written, so that a later success would prove nothing.
   */
  async sync(): Promise<void> {
    if (!this.#enabled) return;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      // SQLite names the log after the file that a symbolic link leads to.
      this.#descriptor ??= openSync(`${realpathSync(this.#path)}-wal`, 'r+');
      await dataSync(this.#descriptor);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#failure = new SqliteError('io', this.#path, `The disk did not confirm what was written to ${this.#path}: ${reason}. Reopen it.`, error);
      throw this.#failure;
    }
  }

  /** Call when no `sync` is running. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function dataSync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
