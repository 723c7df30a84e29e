export type { OpenSqliteOptions, SqliteFailure } from './driver.js';
export { SqliteError } from './driver.js';
export { SqliteOrderJournal, type SqliteOrderJournalOptions } from './order-journal.js';
