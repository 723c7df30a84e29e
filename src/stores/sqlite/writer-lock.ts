import { loadBinding } from './binding.js';
import { SqliteError, toSqliteError } from './sqlite-error.js';

// An old process that is just closing is waited for.
const WAIT_MS = 2_000;

/**
 * Makes the caller the only writer of the file at `path`, until disposed. The lock is the operating
 * system's, on a file `<path>-writer` beside it: it ends with the process, however that ends.
 * @param what - for the message: `a metric store`
 * @throws SqliteError busy while another process, or another store of this one, has it.
 */
export async function lockForWriting(path: string, what: string): Promise<Disposable> {
  const Connection = await loadBinding();
  const connection = new Connection(`${path}-writer`, { readOnly: false, timeout: WAIT_MS });
  try {
    connection.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    connection.close();
    const error = toSqliteError(thrown, `${path}-writer`, 'lock');
    if (!(error instanceof SqliteError) || error.failure !== 'busy') throw error;
    throw new SqliteError(
      'busy',
      path,
      `${path} is being written already, by another process or another store of this one, and ${what} has one writer: open it with readOnly: true, or give this one a file of its own.`,
      thrown,
    );
  }
  let isHeld = true;
  return {
    [Symbol.dispose]: () => {
      if (!isHeld) return;
      isHeld = false;
      connection.exec('ROLLBACK');
      connection.close();
    },
  };
}
