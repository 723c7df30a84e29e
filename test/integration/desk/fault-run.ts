import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import type { MarketDataAdapter } from '../../../src/contracts/market-data.js';
import { Cleanup } from '../../../src/core/cleanup.js';
import { systemClock } from '../../../src/core/clock.js';
import { createVenueKit, type VenueKit } from '../../../src/index.js';
import { postgresOrderJournal } from '../../../src/stores/postgres/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { CuttableLink } from '../../setup/cuttable-link.js';
import { PostgresServer } from '../../setup/postgres-server.js';
import { RedisServer } from '../../setup/redis-server.js';
import { audit, type BookAudit } from '../kill/audit.js';
import { settle } from '../kill/trading.js';
import { CLIENTS } from '../redis/given.js';
import { hostMs, mostIn, type Spent } from './desk-observations.js';

export const FAULTS = ['Redis killed and restarted', 'Redis cut off', 'PostgreSQL killed and restarted', 'PostgreSQL cut off'] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface FaultRunOptions {
  /** How long each lasts at least. */
  readonly outMs: number;
  /** How long an append may take. @defaultValue that of the journal */
  readonly journalTimeoutMs?: number;
  readonly onFault?: (row: FaultRow) => void;
}

/** What came of one fault. */
export interface FaultRow {
  readonly fault: FaultKind;
  /** Reads of market data while it lasted, and how many of them failed. */
  readonly reads: number;
  readonly failedReads: number;
  /** The oldest value that was given, by what its reader was told. */
  readonly oldestMs: number;
  /** Orders that the venue acknowledged while it lasted. */
  readonly acked: number;
  /** Orders that were refused while it lasted, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** The most units in any window, of both bots together, from the fault until all was well again. */
  readonly mostUnits: number;
  /** The most units in any window that the bot without Redis sent while it knew that it was cut off; undefined where it was not. */
  readonly mostUnitsAlone?: number;
  /** From the end of the fault until an order was acknowledged again, and until everything shared was shared again. */
  readonly ordersBackMs: number;
  readonly sharedBackMs: number;
  /** What should not have been, in words. */
  readonly wrong: readonly string[];
}

export interface FaultRun {
  readonly rows: readonly FaultRow[];
  readonly books: BookAudit;
  /** Of a limit, and of it what one process may spend that is cut off. */
  readonly limit: { readonly units: number; readonly perMs: number; readonly alone: number };
  readonly maxAgeMs: number;
}

const LIMIT = { id: 'requests', scope: 'ip', kind: 'window', units: 240, perMs: 1_000 } as const;
/** A tenth of the limit over eight processes: the defaults of `redisLimits`. */
const ALONE = 3;
const MAX_AGE_MS = 300;
const SYMBOLS = ['A/X', 'B/X', 'C/X', 'D/X', 'E/X'];
const BACK_WITHIN_MS = 30_000;
const order = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.001' } as const;

/** What happened in one bot. */
class Notes {
  readonly reads: { readonly at: number; readonly claimedMs: number; readonly leastMs: number }[] = [];
  readonly failedReads: { readonly at: number; readonly error: unknown }[] = [];
  readonly acked: { readonly askedAt: number; readonly at: number; readonly intentId: string }[] = [];
  readonly refused: { readonly askedAt: number; readonly at: number; readonly intentId: string; readonly error: { code?: string; sent?: string } }[] =
    [];
  readonly sent: Spent[] = [];
  /** Since when it has known that the shared count is away. */
  aloneSince: number | undefined;
  readonly alone: { readonly from: number; readonly to: number }[] = [];
  readonly open = new Set<string>();
}

/**
 * One bot that trades and reads, behind wires that can be cut, and one that reads beside it on the same limits, through four faults,
 * one after the other and without a restart; then the books of journal and venue.
 */
export async function runFaults({ outMs, journalTimeoutMs, onFault }: FaultRunOptions): Promise<FaultRun> {
  await using stack = new Cleanup();
  const postgres = stack.use(await PostgresServer.start());
  const redis = stack.use(await RedisServer.start());
  const toPostgres = stack.use(await CuttableLink.to(postgres.port));
  const toRedis = stack.use(await CuttableLink.to(redis.port));
  const venue = new SimulatedVenue({ seed: 5, fence: { maxMs: 60_000, defaultMs: 500 }, visibilityLagMs: 200, latency: { p50Ms: 2, p99Ms: 15 } });
  const [trader, reader] = [new Notes(), new Notes()];
  const redisOf = async (port: number) => stack.use(await CLIENTS.ioredis!(port)).client;
  const pool = postgres.pool({ max: 4, port: toPostgres.port });
  const journal = journalTimeoutMs === undefined ? undefined : stack.use(await postgresOrderJournal(pool, { timeoutMs: journalTimeoutMs }));
  const kitOf = async (notes: Notes, redisPort: number): Promise<VenueKit> => {
    const kit = await createVenueKit({
      broker: counting(simulatedBroker(venue), notes),
      marketData: givenAFeed(),
      postgres: pool,
      ...(journal === undefined ? {} : { journal }),
      redis: await redisOf(redisPort),
      policy: { timeoutMs: 1_000, deadlineMs: 10_000 },
      tuning: { marketData: { kinds: { quote: { ttlMs: 200 } } } },
    });
    kit.bus.on('breaker.state', ({ scope, state }) => note(notes, scope, state));
    return kit;
  };
  const kits = [await kitOf(trader, toRedis.port), await kitOf(reader, redis.port)] as const;
  await kits[0].start();
  const load = new Load(kits, [trader, reader]);
  const rows: FaultRow[] = [];
  try {
    await load.hasAcked(hostMs());
    for (const fault of FAULTS) {
      const row = await tryFault(fault);
      rows.push(row);
      onFault?.(row);
    }
  } finally {
    await load.stop();
    for (const kit of kits) await kit.close();
  }
  // A later one puts in order what is in doubt, as after any end of a bot.
  const last = await createVenueKit({ broker: simulatedBroker(venue), postgres: postgres.pool({ max: 4 }) });
  await last.start();
  await settle(last.trading!);
  await last.close();
  await using read = await postgresOrderJournal(postgres.pool({ max: 2 }));
  const books = await audit(venue, read, new Set(trader.acked.map(({ intentId }) => intentId)));
  const unsent = new Set(trader.refused.filter(({ error }) => error.sent === 'no').map(({ intentId }) => intentId));
  const atVenue = new Set(venue.orders().map(({ clientOrderId }) => clientOrderId));
  const findings = [...books.findings];
  for await (const records of read.intents()) {
    const { clientOrderId } = (records[0]?.body ?? {}) as { readonly clientOrderId?: string };
    if (unsent.has(records[0]?.intentId ?? '') && atVenue.has(clientOrderId))
      findings.push(`${records[0]?.intentId} was told to be unsent, and is at the venue`);
  }
  return { rows, books: { ...books, findings }, limit: { units: LIMIT.units, perMs: LIMIT.perMs, alone: ALONE }, maxAgeMs: MAX_AGE_MS };

  async function tryFault(fault: FaultKind): Promise<FaultRow> {
    const isRedis = fault.startsWith('Redis');
    // On a busy machine something may have been away for a moment by itself.
    await load.isShared(hostMs());
    const [server, link] = isRedis ? [redis, toRedis] : [postgres, toPostgres];
    const from = hostMs();
    if (fault.endsWith('cut off')) link.cut();
    else await server.kill();
    const out = hostMs();
    await systemClock.sleep(outMs);
    // On a busy machine the time may be up before anybody has come to the server that is away.
    await load.hasNoticed(isRedis, out);
    const to = hostMs();
    if (fault.endsWith('cut off')) link.mend();
    else await server.restart();
    const mended = hostMs();
    const wrong: string[] = [];
    const ordersBackMs = await load.hasAcked(mended);
    const sharedBackMs = await load.isShared(mended);
    if (ordersBackMs > BACK_WITHIN_MS) wrong.push('no order was acknowledged any more');
    if (sharedBackMs > BACK_WITHIN_MS) wrong.push('what is shared did not come back');
    const until = hostMs();
    const both = [trader, reader];
    const reads = both.flatMap((notes) => notes.reads).filter(({ at }) => at >= from && at < until);
    const failedReads = both.flatMap((notes) => notes.failedReads).filter(({ at }) => at >= from && at < until);
    for (const { error } of failedReads.slice(0, 3)) wrong.push(`a read failed: ${String(error)}`);
    const oldestMs = Math.max(0, ...reads.map(({ claimedMs }) => claimedMs));
    if (oldestMs > MAX_AGE_MS) wrong.push(`a value of ${oldestMs} ms was given to a reader that allows ${MAX_AGE_MS}`);
    const younger = reads.find(({ claimedMs, leastMs }) => leastMs > claimedMs + 1);
    if (younger !== undefined) wrong.push(`a value was called ${younger.claimedMs} ms old that was ${younger.leastMs} ms old at least`);
    const mostUnits = mostIn(
      both.flatMap((notes) => notes.sent).filter(({ at }) => at >= from - LIMIT.perMs && at < until),
      LIMIT.perMs,
    );
    if (mostUnits > LIMIT.units) wrong.push(`${mostUnits} units were sent in a window of ${LIMIT.units}`);
    const alone = trader.alone.filter((span) => span.from >= from && span.from < until);
    const mostUnitsAlone = Math.max(
      0,
      ...alone.map((span) =>
        mostIn(
          trader.sent.filter(({ at }) => at > span.from && at < span.to),
          LIMIT.perMs,
        ),
      ),
    );
    if (isRedis && mostUnitsAlone > ALONE)
      wrong.push(`${mostUnitsAlone} units were sent in a window without Redis, for which ${ALONE} are set aside`);
    if (isRedis && alone.length === 0) wrong.push('the bot never noticed that Redis was away');
    const acked = trader.acked.filter(({ at }) => at >= out && at < to);
    const refused = trader.refused.filter(({ at }) => at >= from && at < until);
    if (!isRedis) {
      if (refused.length === 0) wrong.push('no order was refused while the journal could not be written');
      for (const { askedAt, intentId } of acked) if (askedAt > out) wrong.push(`${intentId} was acknowledged without a journal`);
    }
    for (const { error } of refused)
      if (!['JOURNAL', 'JOURNAL_LOCKED', 'OUTCOME_UNKNOWN', 'DEADLINE', 'RATE_LIMITED'].includes(error.code ?? ''))
        wrong.push(`an order failed with ${String(error)}`);
    const byCode: Record<string, number> = {};
    for (const { error } of refused) byCode[error.code ?? 'other'] = (byCode[error.code ?? 'other'] ?? 0) + 1;
    return {
      fault,
      reads: reads.length,
      failedReads: failedReads.length,
      oldestMs,
      acked: acked.length,
      refused: byCode,
      mostUnits,
      ...(isRedis && { mostUnitsAlone }),
      ordersBackMs,
      sharedBackMs,
      wrong,
    };
  }
}

function note(notes: Notes, scope: string, state: string): void {
  if (scope.startsWith('shared-')) {
    if (state === 'closed') notes.open.delete(scope);
    else notes.open.add(scope);
  }
  if (!scope.startsWith('shared-limits')) return;
  if (state === 'open') notes.aloneSince = hostMs();
  else if (state === 'closed' && notes.aloneSince !== undefined) {
    notes.alone.push({ from: notes.aloneSince, to: hostMs() });
    notes.aloneSince = undefined;
  }
}

/** Values that say when they were asked for. */
function givenAFeed(): MarketDataAdapter {
  return {
    venue: 'feed',
    batchLimit: () => 1,
    fetch: async (_: unknown, requests: readonly { readonly symbol: string }[]) => {
      const bid = hostMs();
      await systemClock.sleep(3);
      return requests.map(({ symbol }) => ({ status: 'fulfilled', value: { symbol, bid, ask: bid } }) as const);
    },
  } as unknown as MarketDataAdapter;
}

/** The venue with a limit that it only counts, by who sends. */
function counting(broker: BrokerAdapter, notes: Notes): BrokerAdapter {
  return new Proxy(broker, {
    get(target, name) {
      if (name === 'limits') return [LIMIT];
      if (name === 'cost') return () => [{ limit: LIMIT.id, units: 1 }];
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === 'events' || name === 'observe') return member.bind(target);
      return (...args: unknown[]): unknown => {
        notes.sent.push({ at: hostMs(), units: 1 });
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/** Reads, orders and requests of both bots, until it is stopped. */
class Load {
  readonly #notes: readonly [Notes, Notes];
  readonly #running: Promise<unknown>;
  #isOver = false;
  #next = 0;

  constructor(kits: readonly [VenueKit, VenueKit], notes: readonly [Notes, Notes]) {
    this.#notes = notes;
    const [trader, reader] = kits;
    this.#running = Promise.all([
      this.#read(trader, notes[0]),
      this.#read(reader, notes[1]),
      this.#trade(trader, notes[0]),
      this.#trade(trader, notes[0]),
      this.#ask(reader),
      this.#ask(reader),
    ]);
  }

  /** From then until an order that was asked for later is acknowledged. */
  hasAcked(since: number): Promise<number> {
    return this.#until(since, () => this.#notes[0].acked.some(({ askedAt }) => askedAt > since));
  }

  /** From then until the trader has found Redis away, or was refused an order. */
  hasNoticed(isRedis: boolean, since: number): Promise<number> {
    const { refused } = this.#notes[0];
    return this.#until(since, () => (isRedis ? this.#notes[0].aloneSince !== undefined : refused.some(({ at }) => at >= since)));
  }

  isShared(since: number): Promise<number> {
    return this.#until(since, () => this.#notes.every(({ open }) => open.size === 0));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #until(since: number, holds: () => boolean): Promise<number> {
    while (!holds() && hostMs() - since < BACK_WITHIN_MS) await systemClock.sleep(5);
    return holds() ? hostMs() - since : Infinity;
  }

  async #read(kit: VenueKit, notes: Notes): Promise<void> {
    for (let i = 0; !this.#isOver; i++) {
      const at = hostMs();
      try {
        const { value, ageMs } = await kit.marketData!.get('quote', { symbol: SYMBOLS[i % SYMBOLS.length] as string }, { maxAgeMs: MAX_AGE_MS });
        notes.reads.push({ at, claimedMs: ageMs, leastMs: at - value.bid });
      } catch (error) {
        notes.failedReads.push({ at, error });
      }
      await systemClock.sleep(7);
    }
  }

  async #trade(kit: VenueKit, notes: Notes): Promise<void> {
    while (!this.#isOver) {
      const askedAt = hostMs();
      const intentId = `intent-${this.#next++}`;
      try {
        await kit.trading!.submit({ intentId, ...order }, { deadlineMs: 5_000 });
        notes.acked.push({ askedAt, at: hostMs(), intentId });
      } catch (error) {
        notes.refused.push({ askedAt, at: hostMs(), intentId, error: error as Error & { code?: string; sent?: string } });
      }
      await systemClock.sleep(30);
    }
  }

  async #ask(kit: VenueKit): Promise<void> {
    const ref = { symbol: order.symbol, clientOrderId: 'nobody-s' };
    const broker = simulatedBroker(new SimulatedVenue({ seed: 1 }));
    while (!this.#isOver) {
      await kit
        .trading!.read(
          'find',
          (attempt) => {
            this.#notes[1].sent.push({ at: hostMs(), units: 1 });
            return broker.find(ref, attempt);
          },
          { deadlineMs: 500 },
        )
        .catch(() => systemClock.sleep(20));
    }
  }
}
