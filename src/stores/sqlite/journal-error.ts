import { TradingError } from '../../contracts/trading-error.js';
import { SqliteError } from './driver.js';

/** What went wrong with the file, as an error of the order path; errors that are not the file's stay as they are. */
export function journalError(thrown: unknown): unknown {
  if (!(thrown instanceof SqliteError)) return thrown;
  // With another writer gone, or with room on the disk, the same call may succeed.
  const retryable = thrown.failure === 'busy' || thrown.failure === 'full';
  return new TradingError('JOURNAL', `Order journal: ${thrown.message}`, { cause: thrown, retryable });
}

/** For calls after close. */
export function closedError(path: string): TradingError {
  return new TradingError('CLOSED', `The order journal ${path} is closed.`);
}
