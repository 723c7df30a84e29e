export type { FetchProgress, FetchTask, SharedLimiter } from '../contracts/fetcher.js';
export type { FetchGroupOptions, ParallelFetcherOptions } from './fetcher-options.js';
export { type FetcherStats, ParallelFetcher } from './parallel-fetcher.js';
export type { Parser } from './parse-workers.js';
export type { StreamOptions } from './result-stream.js';
export type { AllOptions } from './settle-all.js';
