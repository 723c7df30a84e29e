export { ConnectionPool } from './connection-pool.js';
export { type KeepAliveAgentOptions, type KeepAliveAgents, keepAliveAgents } from './keep-alive-agents.js';
export type { Lease } from './lease.js';
export type { PoolOptions } from './pool-options.js';
export type { PoolStats } from './pool-stats.js';
export type { AgentStats } from './socket-ledger.js';
