import type { AlertEngine, AlertRule, MarketCalendar, Notifier } from '../alerts/index.js';
import type { AnalyticsEngine } from '../analytics/index.js';
import type { BrokerAdapter } from '../contracts/broker.js';
import type { EventBus } from '../contracts/events.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { KitTuning } from '../contracts/kit-tuning.js';
import type { MarketDataAdapter } from '../contracts/market-data.js';
import type { MetricStore } from '../contracts/metric-store.js';
import type { TradingPolicy } from '../contracts/trading-policy.js';
import type { Wiring } from '../contracts/wiring.js';
import type { CachedMarketDataClient } from '../market-data/index.js';
import type { MetricsRegistry } from '../metrics/index.js';
import type { ParallelFetcher } from '../parallel/index.js';
import type { PostgresPool } from '../stores/postgres/index.js';
import type { RedisClient } from '../stores/redis/index.js';
import type { ResilientTradingClient } from '../trading/index.js';

/** What {@link createVenueKit} takes. Everything is optional: a kit has the parts that it was given a venue for. */
export interface VenueKitOptions extends Wiring {
  /** For orders; without it the kit has no `trading`. */
  readonly broker?: BrokerAdapter;
  /** For quotes, bars and books; without it the kit has no `marketData`. */
  readonly marketData?: MarketDataAdapter;
  /** Folder for the order journal (`orders.db`) and the metrics (`metrics.db`), which then survive a restart. */
  readonly dataDir?: string;
  /** Whose orders the journal has, and whose limits are counted. @defaultValue 'main' */
  readonly account?: string;
  /** @defaultValue on `postgres`; else SQLite in `dataDir`; in memory without either */
  readonly journal?: OrderJournal;
  /** @defaultValue on `postgres` with `owner`; else SQLite in `dataDir`; in memory without either */
  readonly store?: MetricStore;
  readonly policy?: TradingPolicy;
  /**
   * Of `alerts`. An alert for metrics with too many labels is always there.
   * @defaultValue the standard rules of the parts that the kit has
   */
  readonly rules?: readonly AlertRule[];
  /** Who is told of alerts. The bus always is. */
  readonly notifiers?: readonly Notifier[];
  /** Numbers to tune the parts by: what `policy` does not say. */
  readonly tuning?: KitTuning;
  /**
   * A JSON file of such numbers, as `venuekit plan --apply` writes it. It goes before what is given here, so that an applied plan
   * holds without a change of code.
   */
  readonly optionsFile?: string;
  /**
   * Records calls, keys, times and outcomes into a file, without secrets, for `venuekit plan` to replay.
   * @defaultValue nothing is recorded
   */
  readonly trace?: { readonly path: string; readonly maxBytes?: number };
  /**
   * A connected client of ioredis or node-redis: processes with the same Redis share the venue's limits and blocks, the state of its
   * breakers and the second level of the cache, and hear each other's halts and alerts. It is no journal. It stays the host's.
   */
  readonly redis?: RedisClient;
  /**
   * A pool of `pg`, for the order journal: several hosts, of which one at a time trades an account. With `owner` it also keeps the
   * metrics. It stays the host's.
   */
  readonly postgres?: PostgresPool;
  /**
   * The name of this process among those that share `postgres`, under which its metrics are kept there; the same after a restart.
   * A second kit with the name of one that runs is refused. @defaultValue none: metrics go to `store`, `dataDir` or memory
   */
  readonly owner?: string;
  /**
   * Where another process trades the account, `start()` waits until that one has ended, then takes over: a hot standby. Market data
   * and reads work meanwhile. @defaultValue false: `start()` is refused
   */
  readonly standby?: boolean;
  /**
   * How long the right to write for the account lasts unless it is renewed: a standby takes over so long after the last sign of a
   * writer. From 500 ms to an hour. @defaultValue 5_000
   */
  readonly leaseMs?: number;
  /** When markets are open, for alerts that mean nothing while they are not. */
  readonly calendar?: MarketCalendar;
}

/** The parts of a kit, wired to one bus, one clock and one metrics registry. */
export interface VenueKit extends AsyncDisposable {
  readonly bus: EventBus;
  readonly trading?: ResilientTradingClient;
  readonly marketData?: CachedMarketDataClient;
  readonly fetcher: ParallelFetcher;
  readonly metrics: MetricsRegistry;
  readonly store: MetricStore;
  /** What is in force of `tuning`, `optionsFile` and `policy`; `pools` is for the host's own ones. */
  readonly tuning: KitTuning;
  /** Over the store. */
  readonly analytics: AnalyticsEngine;
  /**
   * Over the store, ticking from `start()` to `close()`. Rules may do `trip_breaker`, `lower_concurrency`, `block_symbol`
   * and `halt` where there is `trading`, and `shed_prefetch` where there is `marketData`.
   */
  readonly alerts: AlertEngine;
  /** Takes the journal's lease, reconciles with the venue, and begins to collect metrics each second and to watch them. */
  start(): Promise<void>;
  /** Ends what the kit started, in reverse order. Stores and journals that were handed in stay open. */
  close(): Promise<void>;
}
