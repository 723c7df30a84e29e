export { ConnectionPool } from './connection-pool.js';
export { type AgentStats, type KeepAliveAgentOptions, type KeepAliveAgents, keepAliveAgents } from './keep-alive-agents.js';
export type { Lease } from './lease.js';
export type { PoolOptions } from './pool-options.js';
export type { PoolStats } from './pool-stats.js';
