import { seededRandom } from '../../src/core/random.js';
import type { DeskCosts } from './measure-costs.js';

/** How many bots there are, and what each of them does. */
export interface DeskLoad {
  readonly bots: number;
  readonly symbols: number;
  /** Symbols that one bot follows; drawn so that a symbol is the more followed the lower its number (Zipf). */
  readonly followed: number;
  /** Each symbol is read so often by each bot that follows it, and is fresh for so long. */
  readonly readEveryMs: number;
  readonly ttlMs: number;
  /** Orders of a bot a second, each followed by a cancel. */
  readonly orders: number;
  /** Bots of one account. */
  readonly botsPerAccount: number;
  /** Series of metrics of a bot, one point of each a second. */
  readonly series: number;
}

/** What of the hosts there is. */
export interface DeskHosts {
  readonly postgresCores: number;
  /** Calls a second that the venue allows one address, and symbols that one call may ask for. */
  readonly venueCalls: number;
  readonly batch: number;
}

export const RESOURCES = ['venue', 'Redis', 'PostgreSQL', 'bot'] as const;
export type Resource = (typeof RESOURCES)[number];

export interface DeskState {
  /** Of its capacity; above 1 it can't keep up. */
  readonly busy: Readonly<Record<Resource, number>>;
  /** Symbols that somebody follows. */
  readonly live: number;
  /** How long a command waits for its turn at Redis, in ms, p50 and p99; undefined where it can't keep up. */
  readonly redisWaitMs?: { readonly p50: number; readonly p99: number };
}

const ARRIVALS = 100_000;
const RENEWALS_A_SECOND = 3 / 5;

/**
 * A desk in virtual time: bots follow symbols that are drawn by a seed, and what they ask of Redis arrives at random moments at a
 * server that does one thing at a time and takes as long as was measured for each.
 */
export function simulateDesk(load: DeskLoad, costs: DeskCosts, hosts: DeskHosts, seed = 1): DeskState {
  const { bots, followed, ttlMs, orders, botsPerAccount, series } = load;
  const live = followedSymbols(load, seed);
  // A symbol is loaded once in its time, however many follow it; each bot that follows it reads it once in that time from the second level.
  const perSecond = Math.min(1_000 / ttlMs, 1_000 / load.readEveryMs);
  const loads = live * perSecond;
  const keys = bots * followed * perSecond;
  const calls = loads / hosts.batch + bots * orders * 2;
  const { redis, postgres, bot } = costs;
  // What Redis has to do in a second: how often, and how long each takes.
  const kinds: readonly (readonly [perSecond: number, us: number])[] = [
    [bots, redis.idleSecond],
    [keys, redis.readKey],
    [loads, redis.lease + redis.writeKey],
    [calls, redis.grant],
  ];
  const redisBusy = kinds.reduce((sum, [rate, us]) => sum + rate * us, 0) / 1e6;
  const accounts = Math.ceil(bots / botsPerAccount);
  const postgresUs = bots * orders * postgres.placement + accounts * RENEWALS_A_SECOND * postgres.renewal + bots * series * postgres.point;
  const botUs =
    bot.idleSecond +
    followed * (1_000 / load.readEveryMs) * bot.cachedRead +
    followed * perSecond * bot.sharedRead +
    (loads / bots) * bot.load +
    orders * 2 * bot.order;
  const waits = redisBusy < 1 ? waitsOf(kinds, seed) : undefined;
  return {
    busy: { venue: calls / hosts.venueCalls, Redis: redisBusy, PostgreSQL: postgresUs / 1e6 / hosts.postgresCores, bot: botUs / 1e6 },
    live,
    ...(waits === undefined ? {} : { redisWaitMs: waits }),
  };
}

/** How many symbols anybody follows. */
function followedSymbols({ bots, symbols, followed }: DeskLoad, seed: number): number {
  const random = seededRandom(seed);
  const seen = new Uint8Array(symbols);
  const harmonic = Math.log(symbols + 1);
  let live = 0;
  for (let i = 0; i < bots * followed && live < symbols; i++) {
    // The inverse of the continuous Zipf distribution.
    const symbol = Math.min(symbols - 1, Math.floor(Math.exp(random() * harmonic) - 1));
    live += 1 - (seen[symbol] as number);
    seen[symbol] = 1;
  }
  return live;
}

/** Lindley's recursion over arrivals at random moments. */
function waitsOf(kinds: readonly (readonly [perSecond: number, us: number])[], seed: number): { readonly p50: number; readonly p99: number } {
  const random = seededRandom(seed + 1);
  const total = kinds.reduce((sum, [rate]) => sum + rate, 0);
  const waits = new Float64Array(ARRIVALS);
  let backlogUs = 0;
  for (let i = 0; i < ARRIVALS; i++) {
    backlogUs = Math.max(0, backlogUs - (-Math.log(1 - random()) * 1e6) / total);
    waits[i] = backlogUs / 1_000;
    let pick = random() * total;
    const kind = kinds.find(([rate]) => (pick -= rate) < 0) ?? kinds[0];
    backlogUs += kind?.[1] ?? 0;
  }
  waits.sort();
  return { p50: waits[ARRIVALS >> 1] as number, p99: waits[Math.floor(ARRIVALS * 0.99)] as number };
}

/** Which is the first that can't keep up as bots are added, and at how many. */
export function firstSaturated(
  load: DeskLoad,
  costs: DeskCosts,
  hosts: DeskHosts,
  most = 100_000,
): { readonly resource: Resource; readonly bots: number } | undefined {
  const busiest = (bots: number): readonly [Resource, number] => {
    const { busy } = simulateDesk({ ...load, bots }, costs, hosts);
    return RESOURCES.map((one) => [one, busy[one]] as const).reduce((a, b) => (b[1] > a[1] ? b : a));
  };
  if (busiest(most)[1] < 1) return undefined;
  let [fits, breaks] = [0, most];
  while (breaks - fits > 1) {
    const middle = (fits + breaks) >> 1;
    if (busiest(middle)[1] < 1) fits = middle;
    else breaks = middle;
  }
  return { resource: busiest(breaks)[0], bots: breaks };
}
