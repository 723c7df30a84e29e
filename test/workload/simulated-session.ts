import { type BotLog, runBot } from '../../examples/session/bot.js';
import { mishaps, sessionBars, venueConditions } from '../../examples/session/conditions.js';
import { loadSession, type RecordedBar } from '../../examples/session/recorded-session.js';
import { VenueKitDesk } from '../../examples/session/venuekit-desk.js';
import { EventBus } from '../../src/contracts/events.js';
import type { MarketDataAdapter } from '../../src/contracts/market-data.js';
import type { MetricStore } from '../../src/contracts/metric-store.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { seededRandom } from '../../src/core/random.js';
import { createVenueKit } from '../../src/kit/create-venue-kit.js';
import type { VenueKit, VenueKitOptions } from '../../src/kit/venue-kit.js';
import { MemoryMetricStore } from '../../src/metrics/index.js';
import { ConnectionPool } from '../../src/pool/index.js';
import { simulatedBroker } from '../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../src/testing/simulated-venue.js';
import { type FaultKind, INJECTED_FAULTS } from './injected-faults.js';
import { VirtualTimeStore } from './virtual-time-store.js';

/** The workload of the main job in virtual time: what it is, and what goes wrong in it. */
export interface SessionOptions {
  /** Decides prices, orders, latencies and mishaps. */
  readonly seed: number;
  /** How long the bot trades, in virtual seconds. @defaultValue 3600 */
  readonly seconds?: number;
  /** How often each strategy looks at its quotes; 300 as in the main job costs five times the time. @defaultValue 1500 */
  readonly everyMs?: number;
  /** Share of requests that go wrong all the time, in the main job's mixture. @defaultValue 0.005 */
  readonly mishaps?: number;
  /** Where the metrics go. @defaultValue in memory */
  readonly store?: MetricStore;
  /** More for `createVenueKit`, as rules of alerts. */
  readonly kit?: Partial<VenueKitOptions>;
}

const BARS = new URL('../../examples/session/data/btc_session.csv.gz', import.meta.url);
let bars: readonly RecordedBar[] | undefined;
const MAIN_JOB_EVERY_MS = 300;
const CONNECTIONS = 30;
/** A request is given up after so long, as the SDK of the main job does. */
const TIMEOUT_MS = 1_000;
const WARM_UP_MS = 5_000;

/** The bot's desk; who looks more rarely allows older quotes, in proportion, and can be told to allow less. */
class AdjustableDesk extends VenueKitDesk {
  /** Of the age that the bot allows. */
  ageFactor: number;
  constructor(kit: VenueKit, ageFactor: number) {
    super(kit);
    this.ageFactor = ageFactor;
  }

  override quote(symbol: string, maxAgeMs: number, consumer: string): Promise<{ bid: number; ask: number }> {
    return super.quote(symbol, maxAgeMs * this.ageFactor, consumer);
  }
}

/**
 * The bot of `examples/session` over `simulatedBroker` and a whole kit, under a `ManualClock`: the
 * recorded session, four strategies with some eight reads and an order a second, a pool of sessions
 * that the reads go over, and metrics of all of it each second. An hour takes a few seconds; the same
 * seed gives the same hour.
 *
 * @example An hour in which the venue becomes slow after twenty minutes:
 * await using session = await SimulatedSession.start({ seed: 7 });
 * await session.advance(1_200);
 * session.inject('latency step');
 * await session.advance(2_400);
 * const report = await session.kit.analytics.analyze({ from: session.from, to: session.clock.now() });
 *
 * @example The same, in one call: { store, from, to }
 * const given = await runSession({ seed: 7, faults: [{ kind: 'latency step', atS: 1_200 }] });
 */
export class SimulatedSession implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly venue: SimulatedVenue;
  readonly pool: ConnectionPool<object>;
  readonly kit: VenueKit;
  readonly store: MetricStore;
  readonly desk: AdjustableDesk;
  /** Epoch ms at which all of it runs. */
  readonly from: number;
  /** What the bot saw so far. */
  log: BotLog | undefined;
  readonly #stop: AbortController = new AbortController();
  readonly #bot: Promise<unknown>;

  private constructor(
    parts: Pick<SimulatedSession, 'clock' | 'venue' | 'pool' | 'kit' | 'store'>,
    { seed, seconds = 3_600, everyMs = 1_500 }: SessionOptions,
  ) {
    const { clock, venue, pool, kit, store } = parts;
    this.clock = clock;
    this.venue = venue;
    this.pool = pool;
    this.kit = kit;
    this.store = store;
    this.desk = new AdjustableDesk(kit, everyMs / MAIN_JOB_EVERY_MS);
    this.from = clock.now();
    this.#bot = runBot({
      desk: this.desk,
      symbols: ['BTC/USD', 'ETH/USD', 'LTC/USD'],
      random: seededRandom(seed),
      durationMs: seconds * 1_000,
      everyMs,
      signal: this.#stop.signal,
      now: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      onTick: (log) => {
        this.log = log;
      },
    }).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  static async start(options: SessionOptions): Promise<SimulatedSession> {
    const { seed, seconds = 3_600, mishaps: share = 0.005 } = options;
    const clock = new ManualClock();
    const random = seededRandom(seed + 1);
    const venue = new SimulatedVenue({ ...venueConditions(seed), clock, log: 'hash', archiveAfterMs: 600_000 });
    bars ??= loadSession(BARS.pathname);
    const lengthMs = bars.at(-1)!.t - bars[0]!.t;
    // The whole session in the hour: limit orders then find their price, and open orders do not pile up.
    venue.replay(sessionBars(bars), { speed: Math.max(1, lengthMs / (seconds * 1_000 + WARM_UP_MS)) });
    const broker = simulatedBroker(venue);
    const bus = new EventBus();
    const wiring = { bus, clock, random };
    const pool = new ConnectionPool<object>({ ...wiring, name: 'sessions', max: CONNECTIONS, create: async () => ({}) });
    const store = new VirtualTimeStore(options.store ?? new MemoryMetricStore());
    const marketData = pooled(broker, pool);
    const kit = await createVenueKit({ ...wiring, broker, marketData, policy: { timeoutMs: TIMEOUT_MS }, ...options.kit, store });
    await driven(clock, kit.start());
    for (const fault of mishaps(share)) venue.fault(fault);
    return new SimulatedSession({ clock, venue, pool, kit, store }, options);
  }

  /** Lets virtual time pass. */
  advance(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1_000);
  }

  /** Makes something go wrong until disposed; see {@link INJECTED_FAULTS}. */
  inject(kind: FaultKind): Disposable {
    return INJECTED_FAULTS[kind].inject(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the session is over'));
    await driven(this.clock, this.#bot);
    await driven(this.clock, this.kit.close());
    await driven(this.clock, this.pool.close({ drainMs: 0 }));
  }
}

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Seconds after the start. */
  readonly atS: number;
}

/** Runs a whole session with faults at planned times; what was recorded stays. */
export async function runSession(options: SessionOptions & { readonly faults?: readonly PlannedFault[] }): Promise<{
  readonly store: MetricStore;
  readonly from: number;
  readonly to: number;
}> {
  const { faults = [], seconds = 3_600 } = options;
  await using session = await SimulatedSession.start(options);
  for (const { kind, atS } of faults) {
    const { lastsS } = INJECTED_FAULTS[kind];
    session.clock.schedule(atS * 1_000, () => {
      const injected = session.inject(kind);
      if (lastsS !== undefined) session.clock.schedule(lastsS * 1_000, () => injected[Symbol.dispose]());
    });
  }
  await session.advance(seconds);
  return { store: session.store, from: session.from, to: session.clock.now() };
}

/** The reads of an adapter over sessions of a pool, each given up after the SDK's timeout. */
function pooled(adapter: MarketDataAdapter, pool: ConnectionPool<object>): MarketDataAdapter {
  return {
    venue: adapter.venue,
    batchLimit: (kind) => adapter.batchLimit(kind),
    fetch: (kind, requests, { number, signal: aborted }) =>
      pool.use((_session, signal) => adapter.fetch(kind, requests, { number, signal }), { signal: aborted, deadlineMs: TIMEOUT_MS }),
  };
}

/** Waits for what needs virtual time to pass. */
async function driven<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) await clock.advance(10);
  return over;
}
