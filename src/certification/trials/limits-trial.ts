import type { BrokerAdapter } from '../../contracts/broker.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import type { Limit } from '../../core/limits.js';
import { TRIAL_SYMBOLS, Trial, type TrialGround } from './trial.js';
import type { SentRequest } from './witness.js';

/** A bot that wants more than the venue's limits let through. */
export interface LimitsResult {
  /** The largest share of any limit that went out within its window; above 1 it was exceeded. */
  readonly mostUsed: number;
  /** Requests that the venue refused for its limits, and bans. */
  readonly refused: number;
  readonly bans: number;
  /** Requests that went out in all. */
  readonly sent: number;
  /** How long a cancel waited while orders queued for the limit, in virtual ms: the longest of some. */
  readonly cancelMs: number;
}

const LIMITS: readonly Limit[] = [
  { id: 'weight', scope: 'ip', kind: 'window', units: 300, perMs: 10_000 },
  { id: 'orders', scope: 'account', kind: 'window', units: 50, perMs: 10_000 },
];
const RUN_MS = 30_000;
const CANCELS = 5;

export async function runLimits(ground: TrialGround): Promise<LimitsResult> {
  await using trial = await Trial.start(ground, { venue: { limits: LIMITS } });
  await wantTooMuch(trial, () => {});
  const { venue, witness } = trial;
  const { refused, bans } = venue.stats();
  return {
    mostUsed: Math.max(...LIMITS.map((limit) => mostUsed(limit, witness.requests))),
    refused,
    bans,
    sent: witness.requests.length,
    cancelMs: await cancelsWhileQueued(ground),
  };
}

/**
 * On a venue that lets everything through and only says that it has limits: what a cancel waits for here is the kit's own queue, not
 * a ban that it has brought upon itself.
 */
async function cancelsWhileQueued(ground: TrialGround): Promise<number> {
  const venue = { limits: LIMITS.map((limit) => ({ ...limit, units: 1_000_000 })) };
  await using trial = await Trial.start(ground, { venue, between: sayingItsLimits });
  const { clock, kit } = trial;
  const trading = kit.trading!;
  const resting = await trial.settle(
    Promise.all(
      Array.from({ length: CANCELS }, (_, i) =>
        trading.submit({ intentId: `rest-${i}`, symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.0100', price: '50000.00' }),
      ),
    ),
  );
  const waited: number[] = [];
  await wantTooMuch(trial, (submitted) => {
    const order = submitted > 100 * (waited.length + 1) ? resting[waited.length] : undefined;
    if (order === undefined) return;
    const began = clock.monotonic();
    const at = waited.push(RUN_MS) - 1;
    trading.cancel(order.intent.intentId, { deadlineMs: 120_000 }).then(
      () => {
        waited[at] = clock.monotonic() - began;
      },
      () => {
        waited[at] = Infinity;
      },
    );
  });
  return waited.length === CANCELS ? Math.max(...waited) : Infinity;
}

function sayingItsLimits(broker: BrokerAdapter & MarketDataAdapter): BrokerAdapter & MarketDataAdapter {
  const { observe: _, ...silent } = broker;
  return { ...silent, limits: LIMITS };
}

/** Four times as many orders as the limit lets through, and market data beside them. */
async function wantTooMuch(trial: Trial, beside: (submitted: number) => void): Promise<void> {
  const { clock, kit } = trial;
  const until = clock.monotonic() + RUN_MS;
  let number = 0;
  while (clock.monotonic() < until) {
    for (let i = 0; i < 10; i++) {
      kit
        .trading!.submit({ intentId: `limit-${number++}`, symbol: 'ETH/USDT', side: 'buy', type: 'market', qty: '0.1000' }, { deadlineMs: 120_000 })
        .catch(() => {});
    }
    for (const symbol of TRIAL_SYMBOLS) kit.marketData?.get('book', { symbol }, { maxAgeMs: 100 }).catch(() => {});
    beside(number);
    await trial.advance(500);
  }
}

function mostUsed(limit: Limit, requests: readonly SentRequest[]): number {
  if (limit.kind !== 'window') return 0;
  const sent = requests.map(({ at, costs }) => ({ at, units: costs.reduce((sum, cost) => sum + (cost.limit === limit.id ? cost.units : 0), 0) }));
  let most = 0;
  let within = 0;
  let first = 0;
  for (const { at, units } of sent) {
    within += units;
    // Virtual time is a float: what is exactly a window ago must not count for a rounding.
    while (sent[first]!.at <= at - limit.perMs + 1e-6) within -= sent[first++]!.units;
    most = Math.max(most, within);
  }
  return most / limit.units;
}
