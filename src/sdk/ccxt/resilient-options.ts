import type { RequestsPerMinute } from '../alpaca/resilient-options.js';
import type { KrakenTier } from '../kraken/limits.js';
import type { ResilientOptions } from '../shared/resilient-options.js';

/** What `resilient` takes beside a ccxt exchange. */
export interface CcxtResilientOptions extends ResilientOptions {
  /** Of kraken alone: what the account is verified for, which decides how fast its counters drain. @defaultValue 'starter', the slowest */
  readonly krakenTier?: KrakenTier;
  /** Of alpaca alone: requests a minute that the account's plan allows. @defaultValue 200 for each of both APIs */
  readonly requestsPerMinute?: RequestsPerMinute;
}
