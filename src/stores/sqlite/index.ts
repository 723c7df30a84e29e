export { DEFAULT_RETENTION, type RetentionPolicy } from '../shared/retention.js';
export type { OpenSqliteOptions, SqliteFailure } from './driver.js';
export { SqliteError } from './driver.js';
export { SqliteMetricStore, type SqliteMetricStoreOptions } from './metric-store.js';
export { SqliteOrderJournal, type SqliteOrderJournalOptions } from './order-journal.js';
