import type { AlertRule } from '../alerts/index.js';
import type { BrokerAdapter } from '../contracts/broker.js';
import { EventBus } from '../contracts/events.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { MarketDataAdapter } from '../contracts/market-data.js';
import type { MetricStore } from '../contracts/metric-store.js';
import { Cleanup } from '../core/cleanup.js';
import { systemClock } from '../core/clock.js';
import { closedError } from '../core/errors.js';
import { requireKnown, requireMethods, requireText } from '../core/options.js';
import { systemRandom } from '../core/random.js';
import type { CachedMarketDataOptions } from '../market-data/index.js';
import type { ParallelFetcherOptions } from '../parallel/index.js';
import type { ResilientTradingClient } from '../trading/index.js';
import { setOrigin } from './origin.js';
import { journalOn, metricsOn, requireDurableJournal, sharedByRedis } from './processes.js';
import { traceOptions } from './trace-options.js';
import { tuningOf } from './tuning.js';
import type { VenueKit, VenueKitOptions } from './venue-kit.js';

const OPTIONS = [
  'bus',
  'clock',
  'random',
  'logger',
  'broker',
  'marketData',
  'dataDir',
  'account',
  'journal',
  'store',
  'policy',
  'rules',
  'notifiers',
  'calendar',
  'tuning',
  'optionsFile',
  'trace',
  'redis',
  'postgres',
  'owner',
  'standby',
  'leaseMs',
] as const satisfies readonly (keyof VenueKitOptions)[];

// Reads are safe to repeat; a reader's own deadline ends it earlier.
const READ_RETRY = { max: 5, baseMs: 100, capMs: 2_000 };

/**
 * Everything wired: one bus, one clock, one registry, and the parts that the given adapters call for.
 * Parts are loaded when they are needed, so that a kit for market data never loads the order path.
 *
 * @throws TypeError that names the option, when one does not exist or has the wrong shape.
 * @throws VenueKitError MISSING_PEER when `dataDir` is given and this runtime has no SQLite.
 * @example
 * const adapter = toAdapter(new ccxt.binance({ apiKey, secret }));
 * await using kit = await createVenueKit({ broker: adapter, marketData: adapter, dataDir: './data' });
 * await kit.start();
 * const order = await kit.trading!.submit({ intentId: 'open-1', symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.01' });
 */
export async function createVenueKit(options: VenueKitOptions = {}): Promise<VenueKit> {
  requireKnown('createVenueKit', options, OPTIONS);
  const { clock = systemClock, random = systemRandom, logger, broker, marketData, dataDir } = options;
  // A kit hands its bus on, so it must be a whole one.
  const bus = requireMethods('bus', (options.bus ?? new EventBus()) as EventBus, ['on', 'once', 'emit', 'has', 'events']);
  if (broker !== undefined) requireMethods('broker', broker, ['cost', 'place', 'cancel', 'find', 'openOrders', 'history', 'fills']);
  if (marketData !== undefined) requireMethods('marketData', marketData, ['batchLimit', 'fetch']);
  if (dataDir !== undefined) requireText('dataDir', dataDir);
  const { redis, postgres, owner, standby = false, leaseMs } = options;
  if (owner !== undefined) requireText('owner', owner);
  const account = requireText('account', options.account ?? 'main');
  if (broker !== undefined) requireDurableJournal({ journal: options.journal, redis, hasOther: postgres !== undefined || dataDir !== undefined });
  const wiring = { bus, clock, random, ...(logger === undefined ? {} : { logger }) };

  const tuning = await tuningOf(options, { fetcher: { retry: READ_RETRY } });

  // What the kit made itself, to be closed in reverse; a construction that fails half-way closes it too.
  const made = new Cleanup();
  try {
    const { MetricsRegistry, MemoryMetricStore, instrument } = await import('../metrics/index.js');
    const metrics = made.use(new MetricsRegistry(wiring));
    made.use(instrument(bus, metrics, { clock }));
    if (options.trace !== undefined) {
      const { TraceRecorder } = await import('../analyzer/index.js');
      made.use(new TraceRecorder({ ...wiring, ...traceOptions(options.trace, { broker, marketData, tuning }) }));
    }
    const store =
      options.store ??
      made.use(
        postgres !== undefined && owner !== undefined
          ? await metricsOn(postgres, owner, wiring)
          : await openStore(dataDir, () => new MemoryMetricStore()),
      );

    const { AnalyticsEngine, StreamingDetector } = await import('../analytics/index.js');
    const analytics = new AnalyticsEngine({ ...wiring, store });

    const shared = redis === undefined ? undefined : await sharedByRedis(redis, { wiring, account, broker, made });

    const parts: { trading?: NonNullable<VenueKit['trading']>; marketData?: NonNullable<VenueKit['marketData']> } = {};
    if (broker !== undefined) {
      const { ResilientTradingClient, MemoryOrderJournal } = await import('../trading/index.js');
      const journal =
        options.journal ??
        made.use(postgres === undefined ? await openJournal(dataDir, () => new MemoryOrderJournal({ clock })) : await journalOn(postgres, wiring));
      parts.trading = made.use(
        new ResilientTradingClient({
          ...wiring,
          adapter: broker,
          journal,
          account,
          ...(tuning.policy === undefined ? {} : { policy: tuning.policy }),
          ...(leaseMs === undefined ? {} : { leaseMs }),
          ...(shared?.limits === undefined ? {} : { limits: shared.limits }),
        }),
      );
      shared?.join(parts.trading);
    }

    const { ParallelFetcher } = await import('../parallel/index.js');
    const sharing = sharedLimits(broker, marketData, parts.trading);
    const fetcher = made.use(new ParallelFetcher({ ...wiring, ...tuning.fetcher, ...sharing.fetcher }));

    if (marketData !== undefined) {
      const { CachedMarketDataClient } = await import('../market-data/index.js');
      parts.marketData = made.use(
        new CachedMarketDataClient({
          ...wiring,
          adapter: marketData,
          fetcher,
          ...tuning.marketData,
          ...sharing.marketData,
          ...(shared === undefined ? {} : { shared: shared.cache }),
        }),
      );
    }

    const { AlertEngine, labelOverflowRule } = await import('../alerts/index.js');
    const { alertActions } = await import('./alert-actions.js');
    const { notifiers = [], calendar } = options;
    // The last to be made, so that it is closed before what its actions work on.
    const alerts = made.use(
      new AlertEngine({
        ...wiring,
        store,
        notifiers,
        ...(calendar === undefined ? {} : { calendar }),
        actions: alertActions(parts),
        detector: () => new StreamingDetector(),
        rules: withOverflow(options.rules ?? (await rulesFor(parts)), labelOverflowRule()),
      }),
    );

    let started: Promise<void> | undefined;
    let isStarted = false;
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= made[Symbol.asyncDispose]());
    const kit: VenueKit = {
      ...parts,
      bus,
      fetcher,
      metrics,
      store,
      tuning,
      analytics,
      alerts,
      start: () => {
        if (closed !== undefined) return Promise.reject(closedError('The kit'));
        started ??= (async () => {
          // Before the order path, so that its first seconds are on record.
          made.use(metrics.collect(store));
          alerts.start();
          await parts.trading?.start({ standby });
          isStarted = true;
        })();
        return started;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
    return setOrigin(kit, { options, state: () => (closed !== undefined ? 'closed' : isStarted ? 'started' : 'made') });
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Where orders and market data talk to one venue, its limits are kept once: the fetcher's group of that name spends from the trading
 * client's limiter, as reads and prefetches, which never touch its reserve.
 */
function sharedLimits(
  broker: BrokerAdapter | undefined,
  marketData: MarketDataAdapter | undefined,
  trading: ResilientTradingClient | undefined,
): { readonly fetcher?: Pick<ParallelFetcherOptions, 'groups'>; readonly marketData?: Pick<CachedMarketDataOptions, 'fetchGroup' | 'limitsKept'> } {
  const limits = broker?.limits.filter(({ scope }) => scope === 'ip').map(({ id }) => id) ?? [];
  if (trading === undefined || marketData?.fetchCost === undefined || broker?.venue !== marketData.venue || limits.length === 0) return {};
  const { venue } = marketData;
  return {
    fetcher: { groups: { [venue]: { shared: { limiter: trading.limiter, limits } } } },
    marketData: { fetchGroup: venue, limitsKept: true },
  };
}

function withOverflow(rules: readonly AlertRule[], overflow: AlertRule): readonly AlertRule[] {
  return rules.some(({ id }) => id === overflow.id) ? rules : [...rules, overflow];
}

/** The standard rules, but for those of parts that the kit has not: no market data is no stale market data. */
async function rulesFor(parts: Pick<VenueKit, 'marketData'>): Promise<readonly AlertRule[]> {
  const { standardRules } = await import('../alerts/index.js');
  return standardRules().filter(({ id }) => parts.marketData !== undefined || (id !== 'data-staleness' && id !== 'cache-hit-rate'));
}

async function openStore(dataDir: string | undefined, inMemory: () => MetricStore): Promise<MetricStore> {
  if (dataDir === undefined) return inMemory();
  const { SqliteMetricStore, DEFAULT_RETENTION } = await import('../stores/sqlite/index.js');
  return SqliteMetricStore.open({ path: await fileIn(dataDir, 'metrics.db'), retention: DEFAULT_RETENTION });
}

async function openJournal(dataDir: string | undefined, inMemory: () => OrderJournal): Promise<OrderJournal> {
  if (dataDir === undefined) return inMemory();
  const { SqliteOrderJournal } = await import('../stores/sqlite/index.js');
  return SqliteOrderJournal.open({ path: await fileIn(dataDir, 'orders.db') });
}

async function fileIn(dataDir: string, name: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises');
  const { join } = await import('node:path');
  await mkdir(dataDir, { recursive: true });
  return join(dataDir, name);
}
