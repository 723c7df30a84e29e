import type { Cost, Limit } from '../../contracts/broker.js';
import { requireOneOf } from '../../core/options.js';

const TIERS = ['starter', 'intermediate', 'pro'] as const;

/** What Kraken has verified the account for, which no answer tells. */
export type KrakenTier = (typeof TIERS)[number];

/** Source: docs.kraken.com, Spot REST rate limits and Spot trading limits. */
const BY_TIER: Readonly<
  Record<KrakenTier, { readonly rest: readonly [max: number, decay: number]; readonly engine: readonly [max: number, decay: number] }>
> = {
  starter: { rest: [15, 0.33], engine: [60, 1] },
  intermediate: { rest: [20, 0.5], engine: [125, 2.34] },
  pro: { rest: [20, 1], engine: [180, 3.75] },
};

/** @throws TypeError or RangeError that names the option. */
export function requireTier(tier: KrakenTier | undefined): KrakenTier {
  return tier === undefined ? 'starter' : requireOneOf('krakenTier', tier, TIERS);
}

/** The counter of the REST API, by account, and the matching engine's, by pair. Both drain. */
export function limitsOf(tier: KrakenTier): readonly Limit[] {
  const { rest, engine } = BY_TIER[tier];
  return [
    { id: 'rest', scope: 'account', kind: 'decay', max: rest[0], decayPerSecond: rest[1] },
    { id: 'engine', scope: 'symbol', kind: 'decay', max: engine[0], decayPerSecond: engine[1] },
  ];
}

const rest = (units: number): Cost => ({ limit: 'rest', units });
const engine = (units: number): Cost => ({ limit: 'engine', units });

/** A cancel is dearest within five seconds of the order, and later seldom: the most is set aside. */
const CANCEL_UNITS = 8;
/** The open orders, and then those that are over. */
const LOOK_UP: readonly Cost[] = [rest(2)];
const NOTHING: readonly Cost[] = [];

const OF_OPERATION: Readonly<Record<string, readonly Cost[]>> = {
  place: [engine(1)],
  // Its answer does not show the order, which is looked at afterwards.
  cancel: [engine(CANCEL_UNITS), rest(2)],
  amend: [engine(CANCEL_UNITS), rest(1)],
  find: LOOK_UP,
  openOrders: [rest(1)],
  history: LOOK_UP,
  fills: [rest(2)],
};

/** What an operation of the adapter costs. The public part of the API has limits by IP without a number: ccxt's own limiter keeps those. */
export function costOfOperation(operation: string): readonly Cost[] {
  return OF_OPERATION[operation] ?? NOTHING;
}

/** What a private method costs that the bot calls. Source: docs.kraken.com, Spot REST rate limits: history and ledgers count 2, all others 1. */
export function costOfMethod(method: string): readonly Cost[] {
  if (/^(?:AddOrder|AddOrderBatch|AmendOrder|EditOrder)$/.test(method)) return [engine(method === 'AddOrder' ? 1 : CANCEL_UNITS)];
  if (method === 'CancelOrder' || method === 'CancelOrderBatch') return [engine(CANCEL_UNITS)];
  return [rest(/^(?:TradesHistory|QueryTrades|Ledgers|QueryLedgers)$/.test(method) ? 2 : 1)];
}
