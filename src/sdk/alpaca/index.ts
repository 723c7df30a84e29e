export { ready, release } from '../shared/attachments.js';
export { type ErrorFacts, factsOf } from '../shared/error-facts.js';
export type { ResilientOptions } from '../shared/resilient-options.js';
export { resilient } from './resilient.js';
export type { AlpacaResilientOptions } from './resilient-options.js';
export { type AlpacaAdapterOptions, toAdapter } from './to-adapter.js';
