import type { KrakenTier } from '../kraken/limits.js';
import type { ResilientOptions } from '../shared/resilient-options.js';

/** What `resilient` takes beside a ccxt exchange. */
export interface CcxtResilientOptions extends ResilientOptions {
  /** Of kraken alone: what the account is verified for, which decides how fast its counters drain. @defaultValue 'starter', the slowest */
  readonly krakenTier?: KrakenTier;
}
