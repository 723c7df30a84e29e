import type { VenueCapabilities } from '../../contracts/broker.js';
import type { OrderJournal } from '../../contracts/journal.js';
import type { TradingPolicy } from '../../contracts/trading-policy.js';
import type { Wiring } from '../../contracts/wiring.js';
import { requireKnown, requireNonNegative, requireObject } from '../../core/options.js';
import type { MetricsFactory } from '../../metrics/metric-source.js';

/** What `resilient` takes beside the SDK object. */
export interface ResilientOptions extends Wiring {
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities>;
  /** @defaultValue in memory: what was under way when the process ends is then not resolved by the next one */
  readonly journal?: OrderJournal;
  readonly policy?: TradingPolicy;
  /** Age in ms that a cached answer may have, by read method. Absent or 0: not cached. */
  readonly cache?: Readonly<Record<string, number>>;
  /** Where the standard metrics of its calls go. */
  readonly metrics?: MetricsFactory;
}

const OPTIONS = ['bus', 'clock', 'random', 'logger', 'capabilities', 'journal', 'policy', 'cache', 'metrics'];

/** What decides about money is never answered from a cache. */
const NEVER_CACHED = /order|balance|position|mytrades|ledger|deposit|withdraw|leverage|margin|account/i;

/**
 * @param sdk - the object that is wrapped, to see which read methods it has.
 * @throws TypeError or RangeError naming the option that can't be meant.
 */
export function requireResilientOptions(sdk: object, options: ResilientOptions): void {
  requireObject('options', options);
  requireKnown('resilient', options, OPTIONS);
  for (const [method, ageMs] of Object.entries(requireObject('cache', options.cache ?? {}))) {
    requireNonNegative(`cache.${method}`, ageMs);
    if (typeof (sdk as Record<string, unknown>)[method] !== 'function')
      throw new TypeError(`cache.${method} must name a read method of the SDK, and it has none of that name`);
    // An order book is market data, whatever its name says.
    if (NEVER_CACHED.test(method.replace(/order_?books?/i, '')) || !/^(?:fetch|load|get)/.test(method))
      throw new RangeError(`cache.${method} must name a read of market data; orders, balances and positions are never cached, got ${ageMs}`);
  }
}
