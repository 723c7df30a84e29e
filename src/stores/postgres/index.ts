export { type PostgresOrderJournal, type PostgresOrderJournalOptions, postgresOrderJournal } from './order-journal.js';
export { PostgresError, type PostgresFailure } from './postgres-error.js';
export type { PostgresConnection, PostgresPool, PostgresResult, PostgresRow } from './postgres-pool.js';
