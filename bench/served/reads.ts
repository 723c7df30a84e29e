import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { binance } from 'ccxt';
import { Cleanup } from '../../src/core/cleanup.js';
import { createVenueKit } from '../../src/kit/create-venue-kit.js';
import type { CachedMarketDataClient } from '../../src/market-data/index.js';
import { toAdapter } from '../../src/sdk/ccxt/index.js';
import { RemoteVenue } from './remote-venue.js';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'LTC/USDT'] as const;
/** Reads between two turns of the event loop, in which answers of the venue come in. */
const BURST = 3_000;

/** Reads in a second, one way. */
export interface ReadRate {
  readonly name: string;
  /** Of the rounds, ascending. */
  readonly perSecond: readonly number[];
  /** Reads in a second of this process's own processor time, whatever else the machine was doing; of the rounds, ascending. */
  readonly perCpuSecond: readonly number[];
  readonly reads: number;
  /** HTTP requests that the venue received meanwhile. */
  readonly requests: number;
}

/** Quotes of three symbols as fast as they can be had, while the values age, expire and are fetched anew. */
export async function readRates({ rounds, roundMs }: { readonly rounds: number; readonly roundMs: number }): Promise<readonly ReadRate[]> {
  await using opened = new Cleanup();
  const venue = opened.use(await RemoteVenue.start());
  const exchange = venue.connect();
  await exchange.loadMarkets();
  const client = await openClient(opened, venue);
  const ways = [
    { name: 'await get(kind, request)', read: awaited(client, undefined) },
    { name: 'await get(kind, request, { maxAgeMs: 500, consumer })', read: awaited(client, { maxAgeMs: 500, consumer: 'bench' }) },
    { name: 'peek(kind, request)', read: peeked(client) },
    { name: 'handle.peek()', read: bound(client) },
    { name: 'raw ccxt, await fetchTicker(symbol)', read: fetched(exchange, 1) },
    { name: 'raw ccxt, 50 in flight', read: fetched(exchange, 50) },
  ].map((way) => ({ ...way, rounds: [] as Timed[], requests: 0 }));
  for (const { read } of ways) await timed(read, roundMs / 3);
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? ways : [...ways].reverse()) {
      const before = (await venue.usage()).requests;
      way.rounds.push(await timed(way.read, roundMs));
      way.requests += (await venue.usage()).requests - before;
    }
  }
  const ascending = (values: number[]): number[] => values.sort((a, b) => a - b);
  return ways.map(({ name, rounds: measured, requests }) => ({
    name,
    perSecond: ascending(measured.map(({ reads, ms }) => (reads / ms) * 1000)),
    perCpuSecond: ascending(measured.map(({ reads, cpuMs }) => (reads / cpuMs) * 1000)),
    reads: measured.reduce((sum, { reads }) => sum + reads, 0),
    requests,
  }));
}

/** What a bot that wants three quotes every `everyMs` was answered, and what it took. */
export interface ScheduledReads {
  readonly name: string;
  readonly reads: number;
  readonly requests: number;
  readonly ms: number;
  /** Ascending. */
  readonly latenciesMs: readonly number[];
}

/**
 * The same bot on the kit for `forMs`, and then on the raw client until that has sent as many
 * requests as the kit did; a second raw bot asks for its three symbols in one request.
 */
export async function readsAtEqualRequests({
  forMs,
  everyMs,
}: {
  readonly forMs: number;
  readonly everyMs: number;
}): Promise<readonly ScheduledReads[]> {
  await using opened = new Cleanup();
  const venue = opened.use(await RemoteVenue.start());
  const exchange = venue.connect();
  await exchange.loadMarkets();
  const client = await openClient(opened, venue);
  const sent = async (): Promise<number> => (await venue.usage()).requests;
  const options = { maxAgeMs: 500, consumer: 'bot' };
  const kitQuote = async (symbol: string): Promise<number> => (await client.get('quote', { symbol }, options)).value.bid;
  await kitQuote(SYMBOLS[0]);

  const run = async (
    name: string,
    tick: (latenciesMs: number[]) => Promise<unknown>,
    isOver: (ms: number, ticks: number) => boolean,
  ): Promise<ScheduledReads> => {
    const before = await sent();
    const latenciesMs: number[] = [];
    const beganAt = performance.now();
    for (let ticks = 0; !isOver(performance.now() - beganAt, ticks); ticks++) {
      await delay(Math.max(0, beganAt + ticks * everyMs - performance.now()));
      await tick(latenciesMs);
    }
    const ms = performance.now() - beganAt;
    return { name, reads: latenciesMs.length, requests: (await sent()) - before, ms, latenciesMs: latenciesMs.sort((a, b) => a - b) };
  };
  const each = (quote: (symbol: string) => Promise<unknown>) => (latenciesMs: number[]) =>
    Promise.all(SYMBOLS.map((symbol) => latencyOf(() => quote(symbol), latenciesMs, 1)));
  const kit = await run('venuekit', each(kitQuote), (ms) => ms >= forMs);
  const raw = await run(
    'raw ccxt, a request a quote',
    each((symbol) => exchange.fetchTicker(symbol)),
    (_, ticks) => ticks * SYMBOLS.length >= kit.requests,
  );
  const batched = await run(
    'raw ccxt, three quotes a request',
    (latenciesMs) => latencyOf(() => exchange.fetchBidsAsks([...SYMBOLS]), latenciesMs, SYMBOLS.length),
    (_, ticks) => ticks >= kit.requests,
  );
  return [kit, raw, batched];
}

async function latencyOf(call: () => Promise<unknown>, latenciesMs: number[], answers: number): Promise<void> {
  const beganAt = performance.now();
  await call();
  const ms = performance.now() - beganAt;
  for (let i = 0; i < answers; i++) latenciesMs.push(ms);
}

async function openClient(opened: Cleanup, venue: RemoteVenue): Promise<CachedMarketDataClient> {
  const kit = opened.use(await createVenueKit({ marketData: toAdapter(venue.connect()) }));
  await kit.start();
  if (kit.marketData === undefined) throw new Error('a kit with market data has none');
  return kit.marketData;
}

/** Reads a burst and says how many were answered; what they gave goes into `checksum`. */
type ReadBurst = () => Promise<number>;
let checksum = 0;

function awaited(client: CachedMarketDataClient, options: { readonly maxAgeMs: number; readonly consumer: string } | undefined): ReadBurst {
  const requests = SYMBOLS.map((symbol) => ({ symbol }));
  return async () => {
    for (let i = 0; i < BURST; i++) {
      const read = await client.get('quote', requests[i % 3] as { symbol: string }, options);
      checksum += read.value.bid;
    }
    return BURST;
  };
}

// A reader that finds nothing young enough fetches it, as a bot does.
function peeked(client: CachedMarketDataClient): ReadBurst {
  const requests = SYMBOLS.map((symbol) => ({ symbol }));
  return async () => {
    for (let i = 0; i < BURST; i++) {
      const request = requests[i % 3] as { symbol: string };
      const read = client.peek('quote', request) ?? (await client.get('quote', request));
      checksum += read.value.bid;
    }
    return BURST;
  };
}

function bound(client: CachedMarketDataClient): ReadBurst {
  const handles = SYMBOLS.map((symbol) => client.handle('quote', { symbol }));
  return async () => {
    for (let i = 0; i < BURST; i++) {
      const handle = handles[i % 3] as (typeof handles)[number];
      const quote = handle.peek() ?? (await handle.get());
      checksum += quote.bid;
    }
    return BURST;
  };
}

function fetched(exchange: binance, parallel: number): ReadBurst {
  return async () => {
    const tickers = await Promise.all(Array.from({ length: parallel }, (_, i) => exchange.fetchTicker(SYMBOLS[i % 3] as string)));
    for (const ticker of tickers) checksum += ticker.bid ?? Number.NaN;
    return parallel;
  };
}

interface Timed {
  readonly reads: number;
  readonly ms: number;
  readonly cpuMs: number;
}

async function timed(read: ReadBurst, forMs: number): Promise<Timed> {
  const cpuBefore = process.cpuUsage();
  const beganAt = performance.now();
  let reads = 0;
  while (performance.now() - beganAt < forMs) {
    reads += await read();
    await nextTurn();
  }
  const ms = performance.now() - beganAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (!Number.isFinite(checksum)) throw new Error('A read was answered without a bid.');
  return { reads, ms, cpuMs: (user + system) / 1000 };
}
