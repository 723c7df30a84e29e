export type { KrakenTier } from '../kraken/limits.js';
export { ready, release } from '../shared/attachments.js';
export { type ErrorFacts, factsOf } from '../shared/error-facts.js';
export type { ResilientOptions } from '../shared/resilient-options.js';
export { resilient } from './resilient.js';
export type { CcxtResilientOptions } from './resilient-options.js';
export { type CcxtAdapterOptions, toAdapter } from './to-adapter.js';
