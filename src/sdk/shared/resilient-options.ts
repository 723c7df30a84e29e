import type { VenueCapabilities } from '../../contracts/broker.js';
import type { OrderJournal } from '../../contracts/journal.js';
import type { MarketKind } from '../../contracts/market-data.js';
import type { TradingPolicy } from '../../contracts/trading-policy.js';
import type { Wiring } from '../../contracts/wiring.js';
import { redactingLogger } from '../../core/logger.js';
import {
  requireFunction,
  requireInteger,
  requireKnown,
  requireMethods,
  requireNonNegative,
  requireObject,
  requireOneOf,
  requirePositive,
} from '../../core/options.js';
import type { MetricsFactory } from '../../metrics/metric-source.js';

/** How much is read of what a market stream has missed. What lies beyond is left out, and said. */
export interface RecoveryBounds {
  /** How far back, ms. @defaultValue 3_600_000, an hour */
  readonly maxAgeMs: number;
  /** Of one stream and symbol, after one interruption: the newest. @defaultValue 10_000 */
  readonly maxRows: number;
}

const RECOVERY_BOUNDS: RecoveryBounds = { maxAgeMs: 3_600_000, maxRows: 10_000 };

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
  /** What is done with retries of the SDK's own: switched off with a warning, or refused. @defaultValue 'switch_off' */
  readonly ownRetries?: 'switch_off' | 'refuse';
  /** How much is read of what a market stream has missed while it was interrupted. */
  readonly recovery?: Partial<RecoveryBounds>;
}

const OPTIONS = ['bus', 'clock', 'random', 'logger', 'capabilities', 'journal', 'policy', 'cache', 'metrics', 'ownRetries', 'recovery'];

/** What decides about money is never answered from a cache. */
const NEVER_CACHED = /order|balance|position|mytrades|ledger|deposit|withdraw|leverage|margin|account/i;

/**
 * @param sdk - the object that is wrapped, to see which read methods it has.
 * @param more - options of one SDK alone.
 * @throws TypeError or RangeError naming the option that can't be meant.
 */
export function requireResilientOptions(sdk: object, options: ResilientOptions, more: readonly string[] = []): void {
  requireKnownResilientOptions(options, more);
  for (const [method, ageMs] of Object.entries(requireObject('cache', options.cache ?? {}))) {
    requireNonNegative(`cache.${method}`, ageMs);
    if (typeof (sdk as Record<string, unknown>)[method] !== 'function')
      throw new TypeError(`cache.${method} must name a read method of the SDK, and it has none of that name`);
    // An order book is market data, whatever its name says.
    if (NEVER_CACHED.test(method.replace(/order_?books?/i, '')) || !/^(?:fetch|load|get)/.test(method))
      throw new RangeError(`cache.${method} must name a read of market data; orders, balances and positions are never cached, got ${ageMs}`);
  }
}

/** @param more - options of one SDK alone. @throws as {@link requireResilientOptions}, but for what is cached. */
export function requireKnownResilientOptions(options: Omit<ResilientOptions, 'cache'>, more: readonly string[] = []): void {
  requireKnown('resilient', requireObject('options', options), [...OPTIONS, ...more]);
  requireWiring(options);
  const { ownRetries, journal, policy } = options;
  if (ownRetries !== undefined) requireOneOf('ownRetries', ownRetries, ['switch_off', 'refuse']);
  // Of a journal that failed to open, null must not pass for none: orders would be kept in memory alone.
  if (journal !== undefined) requireMethods('journal', journal, ['acquire']);
  // An attempt lasts the smaller of this and the SDK's own, so that nobody else sees it as it was given.
  const { timeoutMs } = policy === undefined ? {} : requireObject('policy', policy);
  if (timeoutMs !== undefined) requirePositive('policy.timeoutMs', timeoutMs);
  recoveryBoundsOf(options);
}

/** @param names - of the options that there are. @throws TypeError naming the option that can't be meant. */
export function requireAdapterOptions(options: Wiring, names: readonly string[]): void {
  requireKnown('toAdapter', requireObject('options', options), names);
  requireWiring(options);
}

function requireWiring({ bus, clock, random, logger }: Wiring): void {
  if (bus !== undefined) requireMethods('bus', bus, ['has', 'emit', 'on']);
  if (clock !== undefined) requireMethods('clock', clock, ['now', 'monotonic', 'sleep', 'schedule']);
  if (random !== undefined) requireFunction('random', random);
  if (logger !== undefined) requireMethods('logger', logger, ['debug', 'info', 'warn', 'error']);
}

/** @throws TypeError or RangeError naming the bound that can't be meant. */
export function recoveryBoundsOf({ recovery = {} }: Pick<ResilientOptions, 'recovery'>): RecoveryBounds {
  requireKnown('resilient recovery', requireObject('recovery', recovery), ['maxAgeMs', 'maxRows']);
  const bounds = { ...RECOVERY_BOUNDS, ...recovery };
  requirePositive('recovery.maxAgeMs', bounds.maxAgeMs);
  requireInteger('recovery.maxRows', bounds.maxRows, 1);
  return bounds;
}

const CACHED: readonly MarketKind[] = ['quote', 'book', 'trades', 'bars', 'instrument'];

/** Age in ms that a cached answer may have, by kind of market data. */
export type MaxAges = Readonly<Partial<Record<MarketKind, number>>>;

/** @throws TypeError or RangeError naming the kind that can't be meant. */
export function requireMaxAges(maxAges: MaxAges | undefined): void {
  const cache = requireObject('cache', maxAges ?? {});
  requireKnown('resilient cache', cache, CACHED);
  for (const [kind, ageMs] of Object.entries(cache)) requireNonNegative(`cache.${kind}`, ageMs);
}

/** Retries that an SDK is set to make of its own. */
export interface OwnRetries {
  /** Such as `ccxt`. */
  readonly sdk: string;
  /** Where they are set. */
  readonly option: string;
  readonly count: number;
  /** How to switch them off. */
  readonly wayOut: string;
  readonly options: Pick<ResilientOptions, 'ownRetries' | 'logger'>;
}

/** Says that they are off, since a second layer of retries is blind to what the first one knows. @throws TypeError where they are to be refused */
export function switchOffRetries({ sdk, option, count, wayOut, options }: OwnRetries): void {
  if (count <= 0) return;
  if (options.ownRetries === 'refuse')
    throw new TypeError(
      `${sdk} is set to retry by itself (${option} is ${count}), past every proof of what became of an order: switch that off, with ${wayOut}`,
    );
  redactingLogger(options.logger).warn(
    { sdk, option, value: count },
    `${sdk} would retry by itself, past every proof of what became of an order: switched off for what passes through here`,
  );
}
