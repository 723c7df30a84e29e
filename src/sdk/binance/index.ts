export { ready, release } from '../shared/attachments.js';
export { type ErrorFacts, factsOf } from '../shared/error-facts.js';
export type { ResilientOptions } from '../shared/resilient-options.js';
export { type BinanceResilientOptions, resilient } from './resilient.js';
export { type BinanceAdapterOptions, type BinanceWebSocketOptions, toAdapter } from './to-adapter.js';
