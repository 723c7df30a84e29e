export { ConnectionPool, type PoolStats } from './connection-pool.js';
export type { Lease } from './lease.js';
export type { PoolOptions } from './pool-options.js';
