import type { OrderIntent } from '../../contracts/orders.js';
import { asError } from '../../core/errors.js';
import type { ManualClock } from '../../core/manual-clock.js';
import { type Random, seededRandom } from '../../core/random.js';
import { TRIAL_SYMBOLS } from './trial.js';

/** What the bot trades through: the kit, or what bots write where they have none. */
export interface Desk {
  /** Absent where there is no market data. */
  readonly quote?: (symbol: string, maxAgeMs: number, consumer: string) => Promise<{ readonly value: object; readonly mid: number }>;
  /** Resolves with whether the venue took it, rejects where the bot has to take it for failed. Absent where there is no broker. */
  readonly submit?: (intent: OrderIntent & { readonly intentId: string }) => Promise<'taken' | 'refused'>;
  readonly cancel?: (intent: OrderIntent & { readonly intentId: string }) => Promise<void>;
}

export interface ReadRecord {
  readonly tookMs: number;
  /** When it was answered. */
  readonly at: number;
  readonly error?: string;
}

export interface OrderRecord {
  readonly intentId: string;
  readonly at: number;
  readonly tookMs: number;
  readonly error?: string;
}

export interface WorkloadLog {
  readonly reads: readonly ReadRecord[];
  readonly orders: readonly OrderRecord[];
}

export interface WorkloadOptions {
  readonly clock: ManualClock;
  readonly seed: number;
  readonly durationMs: number;
  /** How often each strategy looks. @defaultValue 300 */
  readonly everyMs?: number;
  /** Names of the intents begin with it. */
  readonly name: string;
  /** Sees each value as it is delivered. */
  readonly onValue?: (value: object, allowedMs: number) => void;
}

const STRATEGIES = ['momentum', 'spread', 'rebalance', 'risk'];
const EVERY_MS = 300;
const MAX_AGE_MS = 500;
const ORDER_SHARE = 0.25;
const CANCEL_AFTER_MS = 4_000;
const QUANTITIES: Readonly<Record<string, string>> = { 'BTC/USDT': '0.0100', 'ETH/USDT': '0.1000', 'SOL/USDT': '2.0000' };

/**
 * Four strategies that look at three quotes again and again and order by the toss of a seeded coin; what
 * rests is cancelled after some seconds. What is asked for depends on the seed alone, never on how
 * fast the answers come, so that two desks get the same work.
 */
export async function runWorkload(desk: Desk, options: WorkloadOptions): Promise<WorkloadLog> {
  const reads: ReadRecord[] = [];
  const orders: OrderRecord[] = [];
  const pending: Promise<void>[] = [];
  const { everyMs = EVERY_MS } = options;
  await Promise.all(
    STRATEGIES.map((strategy, index) => runStrategy(desk, strategy, (index * everyMs) / STRATEGIES.length, options, { reads, orders, pending })),
  );
  await Promise.all(pending);
  return { reads, orders };
}

interface Log {
  readonly reads: ReadRecord[];
  readonly orders: OrderRecord[];
  readonly pending: Promise<void>[];
}

async function runStrategy(desk: Desk, strategy: string, offsetMs: number, options: WorkloadOptions, log: Log): Promise<void> {
  const { clock, seed, durationMs, name, everyMs = EVERY_MS } = options;
  const random = seededRandom(seed * 31 + STRATEGIES.indexOf(strategy));
  const begin = clock.monotonic() + offsetMs;
  const mids = new Map<string, number>();
  for (let tick = 0; tick * everyMs < durationMs; tick++) {
    // The dice before the answers: they must not depend on them.
    const wish = wishOf(random);
    await clock.sleep(Math.max(0, begin + tick * everyMs - clock.monotonic()));
    if (desk.quote !== undefined) {
      for (const symbol of TRIAL_SYMBOLS) {
        const mid = await timedRead(desk.quote, symbol, strategy, options, log);
        if (mid !== undefined) mids.set(symbol, mid);
      }
    }
    if (wish !== undefined && desk.submit !== undefined) {
      log.pending.push(timedOrder(desk, intentOf(wish, `${name}-${strategy}-${tick}`, mids.get(wish.symbol)), options, log));
    }
  }
}

async function timedRead(
  read: NonNullable<Desk['quote']>,
  symbol: string,
  strategy: string,
  options: WorkloadOptions,
  log: Log,
): Promise<number | undefined> {
  const { clock, onValue } = options;
  const began = clock.monotonic();
  try {
    const { value, mid } = await read(symbol, MAX_AGE_MS, strategy);
    const at = clock.monotonic();
    onValue?.(value, MAX_AGE_MS);
    log.reads.push({ tookMs: at - began, at });
    return mid;
  } catch (error) {
    log.reads.push({ tookMs: clock.monotonic() - began, at: clock.monotonic(), error: asError(error).message });
    return undefined;
  }
}

async function timedOrder(desk: Desk, intent: OrderIntent & { readonly intentId: string }, { clock }: WorkloadOptions, log: Log): Promise<void> {
  const began = clock.monotonic();
  const record = { intentId: intent.intentId, at: began };
  try {
    await desk.submit!(intent);
    log.orders.push({ ...record, tookMs: clock.monotonic() - began });
  } catch (error) {
    log.orders.push({ ...record, tookMs: clock.monotonic() - began, error: asError(error).message });
    return;
  }
  if (intent.type !== 'limit') return;
  await clock.sleep(CANCEL_AFTER_MS);
  // One that has filled meanwhile can't be cancelled: that is no failure.
  await desk.cancel?.(intent).catch(() => {});
}

interface Wish {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly isMarket: boolean;
  readonly away: number;
}

function wishOf(random: Random): Wish | undefined {
  const [share, symbol, side, type, away] = [random(), random(), random(), random(), random()];
  if (share >= ORDER_SHARE) return undefined;
  return {
    symbol: TRIAL_SYMBOLS[Math.floor(symbol * TRIAL_SYMBOLS.length)]!,
    side: side < 0.5 ? 'buy' : 'sell',
    isMarket: type < 0.7,
    away: 0.001 + 0.004 * away,
  };
}

function intentOf({ symbol, side, isMarket, away }: Wish, intentId: string, mid: number | undefined): OrderIntent & { readonly intentId: string } {
  const common = { intentId, symbol, side, qty: QUANTITIES[symbol]! };
  if (isMarket || mid === undefined) return { ...common, type: 'market' };
  return { ...common, type: 'limit', price: (mid * (side === 'buy' ? 1 - away : 1 + away)).toFixed(2) };
}
