export { ready, release } from '../shared/attachments.js';
export { type ErrorFacts, factsOf } from '../shared/error-facts.js';
export type { ResilientOptions } from '../shared/resilient-options.js';
export { type CcxtAdapterOptions, toAdapter } from './binance-adapter.js';
export { resilient } from './resilient.js';
