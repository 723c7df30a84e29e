import type { Random } from 'venuekit';

/** What the bot asks of whatever stands between it and its venue. */
export interface Desk {
  /** Best bid and ask, no older than `maxAgeMs`. */
  quote(symbol: string, maxAgeMs: number, consumer: string): Promise<{ readonly bid: number; readonly ask: number }>;
  bars(symbol: string, interval: string, consumer: string): Promise<{ readonly closes: ArrayLike<number> }>;
  /** Resolves when the order is known to be at the venue, rejects when the bot must take it for failed. */
  submit(order: BotOrder): Promise<void>;
}

export interface BotOrder {
  /** The bot's own name for it, from 0. */
  readonly number: number;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'market' | 'limit';
  readonly qty: string;
  readonly price?: string;
}

/** What the bot saw. */
export interface BotLog {
  readonly readLatenciesMs: number[];
  readonly orderLatenciesMs: number[];
  /** Messages of the errors that reached the bot, by kind of call. */
  readonly readErrors: string[];
  readonly failedOrders: Map<number, string>;
  readonly orders: BotOrder[];
}

export interface BotOptions {
  readonly desk: Desk;
  readonly symbols: readonly string[];
  readonly random: Random;
  readonly durationMs: number;
  /** How often each strategy looks at its quotes. @defaultValue 300 */
  readonly everyMs?: number;
  readonly signal: AbortSignal;
  readonly onTick: (log: BotLog) => void;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const STRATEGIES = ['momentum', 'spread', 'rebalance', 'risk'];
const QUOTE_EVERY_MS = 300;
const BARS_EVERY_TICKS = 10;
const QUOTE_MAX_AGE_MS = 500;
const ORDER_SHARE = 0.45;
const QUANTITIES: Readonly<Record<string, string>> = { 'BTC/USD': '0.01', 'ETH/USD': '0.1', 'LTC/USD': '0.5' };

/**
 * Four strategies, each with its own watch on the same three symbols, as bots have them: quotes on a
 * schedule, bars now and then, and orders by the toss of a seeded coin. How often it reads and what
 * it orders depends on the seed and the duration only, never on how fast the answers come.
 */
export async function runBot(options: BotOptions): Promise<BotLog> {
  const log: BotLog = { readLatenciesMs: [], orderLatenciesMs: [], readErrors: [], failedOrders: new Map(), orders: [] };
  const { everyMs = QUOTE_EVERY_MS } = options;
  const ticks = Math.floor(options.durationMs / everyMs);
  const plan = planOrders(options, ticks);
  const pending: Promise<void>[] = [];
  const startedAt = options.now();
  await allEnded(
    STRATEGIES.map((name, index) =>
      runStrategy(name, startedAt + (index * everyMs) / STRATEGIES.length, ticks, plan.get(name) ?? [], options, log, pending),
    ),
  );
  options.signal.throwIfAborted();
  await Promise.all(pending);
  return log;
}

// All of them, also when one is interrupted: nothing may go on behind the end of the run.
async function allEnded(strategies: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(strategies)).find((strategy) => strategy.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

// Decided before the run: a late answer must not move the dice.
function planOrders(
  { random, symbols }: BotOptions,
  ticks: number,
): Map<
  string,
  { readonly tick: number; readonly symbol: string; readonly side: 'buy' | 'sell'; readonly market: boolean; readonly offset: number }[]
> {
  return new Map(
    STRATEGIES.map((name) => [
      name,
      Array.from({ length: ticks }, (_, tick) => ({
        tick,
        wanted: random() < ORDER_SHARE,
        symbol: symbols[Math.floor(random() * symbols.length)] as string,
        side: random() < 0.5 ? ('buy' as const) : ('sell' as const),
        market: random() < 0.7,
        offset: 0.001 + 0.004 * random(),
      })).filter((order) => order.wanted),
    ]),
  );
}

async function runStrategy(
  name: string,
  startAt: number,
  ticks: number,
  plan: readonly { tick: number; symbol: string; side: 'buy' | 'sell'; market: boolean; offset: number }[],
  options: BotOptions,
  log: BotLog,
  pending: Promise<void>[],
): Promise<void> {
  const { desk, symbols, everyMs = QUOTE_EVERY_MS, now, sleep, signal, onTick } = options;
  const lastMid = new Map<string, number>();
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    await sleep(Math.max(0, startAt + tick * everyMs - now()), signal);
    for (const symbol of symbols) {
      const quote = await timedRead(() => desk.quote(symbol, QUOTE_MAX_AGE_MS, name), options, log);
      if (quote !== undefined) lastMid.set(symbol, (quote.bid + quote.ask) / 2);
    }
    if (tick % BARS_EVERY_TICKS === 0) for (const symbol of symbols) await timedRead(() => desk.bars(symbol, '1s', name), options, log);
    for (; plan[next]?.tick === tick; next++) {
      const wish = plan[next] as (typeof plan)[number];
      pending.push(place(wish, lastMid.get(wish.symbol), options, log));
    }
    onTick(log);
  }
}

async function place(
  wish: { symbol: string; side: 'buy' | 'sell'; market: boolean; offset: number },
  mid: number | undefined,
  { desk, now }: BotOptions,
  log: BotLog,
): Promise<void> {
  // A limit order needs a price; a bot that never got a quote asks for the market.
  const limit = !wish.market && mid !== undefined;
  const away = wish.side === 'buy' ? 1 - wish.offset : 1 + wish.offset;
  const order: BotOrder = {
    number: log.orders.length,
    symbol: wish.symbol,
    side: wish.side,
    type: limit ? 'limit' : 'market',
    qty: QUANTITIES[wish.symbol] ?? '1',
    ...(limit ? { price: (mid * away).toFixed(2) } : {}),
  };
  log.orders.push(order);
  const startedAt = now();
  try {
    await desk.submit(order);
  } catch (error) {
    log.failedOrders.set(order.number, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  log.orderLatenciesMs.push(now() - startedAt);
}

async function timedRead<T>(read: () => Promise<T>, { now, signal }: BotOptions, log: BotLog): Promise<T | undefined> {
  signal.throwIfAborted();
  const startedAt = now();
  try {
    return await read();
  } catch (error) {
    log.readErrors.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    return undefined;
  } finally {
    log.readLatenciesMs.push(now() - startedAt);
  }
}
