import type { VenueOrder } from '../../contracts/broker.js';
import type { Wiring } from '../../contracts/wiring.js';
import type { Decimal } from '../../core/decimal.js';
import { requireDecimal, sign } from '../../core/decimal.js';
import type { Limit } from '../../core/limits.js';
import {
  requireFraction,
  requireInteger,
  requireKnown,
  requireNonNegative,
  requireObject,
  requireOneOf,
  requirePositive,
} from '../../core/options.js';
import type { LatencyOptions } from './latency.js';
import type { BanPolicy } from './limit-meter.js';
import type { SymbolOptions } from './listed-symbol.js';

/** How a `SimulatedVenue` behaves. */
export interface SimulatedVenueOptions extends Wiring {
  /** Decides everything that is left to chance. @defaultValue drawn from `random` where given, else 1 */
  readonly seed?: number;
  /** Server-side deadline of signed requests; false: the venue has none. @defaultValue `{ maxMs: 60_000, defaultMs: 5_000 }` */
  readonly fence?: { readonly maxMs: number; readonly defaultMs: number } | false;
  /** Lookups may show what was up to this long ago. @defaultValue 0 */
  readonly visibilityLagMs?: number;
  /** Share of the lookups that come from a replica that lags. @defaultValue 0.3 */
  readonly staleReadRatio?: number;
  /** Whether orders may fill in several pieces, over up to a second each. @defaultValue false */
  readonly partialFills?: boolean;
  /** @defaultValue BTC/USDT at 50,000 */
  readonly symbols?: Readonly<Record<string, SymbolOptions>>;
  /** What each account begins with. @defaultValue 10^12 of every asset */
  readonly balances?: Readonly<Record<string, Decimal>>;
  /** Among which orders of an account a client order id must be unique. @defaultValue 'open_orders' */
  readonly clientIdUniqueness?: 'forever' | 'open_orders' | 'none';
  /** @defaultValue 36 */
  readonly clientIdMaxLength?: number;
  /** Round trip of the in-memory face, and how long answers of a served one are held back. @defaultValue none */
  readonly latency?: LatencyOptions;
  /** Kept with 429 and, for who ignores those, 418. @defaultValue none */
  readonly limits?: readonly Limit[];
  /** When ignored refusals become a ban, and for how long. @defaultValue `{ afterIgnored: 10, firstMs: 120_000, longestMs: 259_200_000 }` */
  readonly bans?: BanPolicy;
  /** Shares of the asset received. @defaultValue `{ maker: '0', taker: '0' }` */
  readonly fees?: { readonly maker: Decimal; readonly taker: Decimal };
  /** Half of the band that prices wobble in while no bars are replayed, as a share of the price. @defaultValue 0.0005 */
  readonly volatility?: number;
  /** ask - bid as a share of the price; at least one price step. @defaultValue 0.0001 */
  readonly spread?: number;
  /** Probabilities that a cancel loses against a fill, and that an order fills within a second after its cancel was confirmed. @defaultValue 0 each */
  readonly races?: { readonly cancelLosesToFill?: number; readonly lateFill?: number };
  /** 'hash' keeps no log lines, only their running hash. @defaultValue 'full' */
  readonly log?: 'full' | 'hash';
  /** Orders that ended this long ago, and their fills, leave the venue's memory and its lookups. @defaultValue never */
  readonly archiveAfterMs?: number;
  /** Sees each order that does. */
  readonly onArchive?: (order: VenueOrder) => void;
}

const OPTIONS: readonly (keyof SimulatedVenueOptions)[] = [
  'bus',
  'clock',
  'random',
  'logger',
  'seed',
  'fence',
  'visibilityLagMs',
  'staleReadRatio',
  'partialFills',
  'symbols',
  'balances',
  'clientIdUniqueness',
  'clientIdMaxLength',
  'latency',
  'limits',
  'bans',
  'fees',
  'volatility',
  'spread',
  'races',
  'log',
  'archiveAfterMs',
  'onArchive',
];

/** @throws RangeError or TypeError that names the option. */
export function requireVenueOptions(options: SimulatedVenueOptions): void {
  requireKnown('SimulatedVenue', options, OPTIONS);
  if (options.seed !== undefined && !Number.isFinite(options.seed)) throw new RangeError(`seed must be a finite number, got ${options.seed}`);
  if (options.fence !== undefined && options.fence !== false) {
    requirePositive('fence.maxMs', options.fence.maxMs);
    requirePositive('fence.defaultMs', options.fence.defaultMs);
    if (options.fence.defaultMs > options.fence.maxMs)
      throw new RangeError(`fence.defaultMs must be at most fence.maxMs, ${options.fence.maxMs}, got ${options.fence.defaultMs}`);
  }
  if (options.visibilityLagMs !== undefined) requireNonNegative('visibilityLagMs', options.visibilityLagMs);
  if (options.staleReadRatio !== undefined) requireFraction('staleReadRatio', options.staleReadRatio);
  if (options.clientIdUniqueness !== undefined) requireOneOf('clientIdUniqueness', options.clientIdUniqueness, ['forever', 'open_orders', 'none']);
  if (options.clientIdMaxLength !== undefined) requireInteger('clientIdMaxLength', options.clientIdMaxLength, 1);
  for (const [asset, amount] of Object.entries(options.balances ?? {})) requireShare(`balances.${asset}`, amount);
  if (options.fees !== undefined) for (const side of ['maker', 'taker'] as const) requireShare(`fees.${side}`, options.fees[side]);
  if (options.volatility !== undefined) requireFraction('volatility', options.volatility);
  if (options.spread !== undefined) requireFraction('spread', options.spread);
  if (options.races?.cancelLosesToFill !== undefined) requireFraction('races.cancelLosesToFill', options.races.cancelLosesToFill);
  if (options.races?.lateFill !== undefined) requireFraction('races.lateFill', options.races.lateFill);
  if (options.log !== undefined) requireOneOf('log', options.log, ['full', 'hash']);
  if (options.archiveAfterMs !== undefined) requirePositive('archiveAfterMs', options.archiveAfterMs);
  if (options.bans !== undefined) {
    requireInteger('bans.afterIgnored', options.bans.afterIgnored, 1);
    requirePositive('bans.firstMs', options.bans.firstMs);
    requirePositive('bans.longestMs', options.bans.longestMs);
  }
  options.limits?.forEach(requireLimit);
}

function requireShare(name: string, value: Decimal): void {
  requireDecimal(name, value);
  if (sign(value) < 0) throw new RangeError(`${name} must not be negative, got ${JSON.stringify(value)}`);
}

function requireLimit(limit: Limit, i: number): void {
  requireObject(`limits[${i}]`, limit);
  requireOneOf(`limits[${i}].scope`, limit.scope, ['ip', 'account', 'symbol']);
  requireOneOf(`limits[${i}].kind`, limit.kind, ['window', 'decay']);
  if (limit.kind === 'window') {
    requirePositive(`limits[${i}].units`, limit.units);
    requirePositive(`limits[${i}].perMs`, limit.perMs);
  } else {
    requirePositive(`limits[${i}].max`, limit.max);
    requirePositive(`limits[${i}].decayPerSecond`, limit.decayPerSecond);
  }
}
