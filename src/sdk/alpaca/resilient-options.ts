import { requireKnown, requireObject, requirePositive } from '../../core/options.js';
import { type MaxAges, type ResilientOptions, requireKnownResilientOptions, requireMaxAges } from '../shared/resilient-options.js';
import { requireCapabilities } from './required-capabilities.js';
import type { AlpacaHost } from './wire.js';

/** What `resilient` takes beside the SDK object. */
export interface AlpacaResilientOptions extends Omit<ResilientOptions, 'cache'> {
  /** Age in ms that a cached answer may have, by kind of market data. Absent or 0: not cached. Orders, positions and the account never are. */
  readonly cache?: MaxAges;
  /** Requests a minute that the account's plan allows. @defaultValue 200 for each of both APIs */
  readonly requestsPerMinute?: RequestsPerMinute;
}

/** By what of Alpaca's is asked: orders and the account, or market data. */
export type RequestsPerMinute = Readonly<Partial<Record<AlpacaHost, number>>>;

const HOSTS: readonly AlpacaHost[] = ['trading', 'data'];

/** @throws TypeError or RangeError naming the option that can't be meant. */
export function requireAlpacaOptions(options: AlpacaResilientOptions): void {
  requireKnownResilientOptions(options, ['requestsPerMinute']);
  requireMaxAges(options.cache);
  requireCapabilities('resilient', options.capabilities);
  requireRates(options.requestsPerMinute);
}

export function requireRates(rates: RequestsPerMinute | undefined): void {
  if (rates === undefined) return;
  requireKnown('requestsPerMinute', requireObject('requestsPerMinute', rates), HOSTS);
  for (const [host, count] of Object.entries(rates)) requirePositive(`requestsPerMinute.${host}`, count);
}
