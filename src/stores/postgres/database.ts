import type { Clock } from '../../core/clock.js';
import { requireMethods } from '../../core/options.js';
import { PostgresError, toPostgresError } from './postgres-error.js';
import type { PostgresConnection, PostgresPool, PostgresRow } from './postgres-pool.js';

const ignore = (): void => {};

/** Runs one statement of a transaction, or one alone. */
export type Run = (text: string, values?: readonly unknown[]) => Promise<readonly PostgresRow[]>;

/**
 * The host's pool, with a bound on how long anything may take: a server that is cut off answers
 * nothing and says nothing, and a bot must go on.
 */
export class PostgresDatabase {
  readonly #pool: PostgresPool;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(pool: PostgresPool, clock: Clock, timeoutMs: number) {
    this.#pool = requireMethods('pool', pool, ['connect', 'on', 'removeListener']);
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    // An idle connection that the server closes would end the process where the host forgot to listen.
    pool.on('error', ignore);
  }

  /** One statement, which is a transaction of its own. @throws PostgresError */
  query(action: string, text: string, values: readonly unknown[] = []): Promise<readonly PostgresRow[]> {
    return this.#with(action, async (connection) => (await connection.query(text, values as unknown[])).rows);
  }

  /** All statements of `work`, or none. @throws PostgresError, or what `work` throws */
  transaction<T>(action: string, work: (run: Run) => Promise<T>, begin = 'BEGIN'): Promise<T> {
    return this.#with(action, async (connection) => {
      await connection.query(begin);
      let result: T;
      try {
        result = await work(async (text, values = []) => (await connection.query(text, values as unknown[])).rows);
      } catch (error) {
        // Where it can't be told to roll back, its end does that.
        await connection.query('ROLLBACK');
        throw error;
      }
      await connection.query('COMMIT');
      return result;
    });
  }

  close(): void {
    this.#pool.removeListener('error', ignore);
  }

  async #with<T>(action: string, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    let timer: Disposable | undefined;
    const late = new Promise<never>((_, reject) => {
      const expire = (): void =>
        reject(new PostgresError('timeout', `PostgreSQL did not ${action} within ${this.#timeoutMs} ms; whether it was done is not known.`));
      timer = this.#clock.schedule(this.#timeoutMs, expire, true);
    });
    let connection: PostgresConnection | undefined;
    let isOver = false;
    let failure: unknown;
    try {
      const connecting = this.#pool.connect();
      connecting.then(
        (made) => isOver && made.release(true),
        () => {},
      );
      connection = await Promise.race([connecting, late]);
      // Without it the loss of a connection between two statements would end the process.
      connection.on('error', ignore);
      return await Promise.race([work(connection), late]);
    } catch (error) {
      failure = error;
      throw toPostgresError(error, action);
    } finally {
      isOver = true;
      timer?.[Symbol.dispose]();
      connection?.removeListener('error', ignore);
      // A connection with a statement of unknown end on it must serve nobody else.
      connection?.release(failure !== undefined && !isHarmless(failure));
    }
  }
}

/** Whether the connection is as good as before: the server refused a statement, or our own check did. */
function isHarmless(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && !/^(08|57P|ECONN|EPIPE|ETIMEDOUT|STORAGE)/.test(code);
}
