export { DEFAULT_RETENTION, type RetentionPolicy } from '../shared/retention.js';
export { type PostgresMetricStore, type PostgresMetricStoreOptions, postgresMetricStore } from './metric-store.js';
export { type PostgresOrderJournal, type PostgresOrderJournalOptions, postgresOrderJournal } from './order-journal.js';
export { PostgresError, type PostgresFailure } from './postgres-error.js';
export type { PostgresConnection, PostgresPool, PostgresResult, PostgresRow } from './postgres-pool.js';
