import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { standardRules } from '../../src/alerts/index.js';
import type { BrokerAdapter, Verdict } from '../../src/contracts/broker.js';
import type { JournalRecord, OrderJournal, WriterLease } from '../../src/contracts/journal.js';
import type { MarketDataAdapter } from '../../src/contracts/market-data.js';
import type { MetricStore } from '../../src/contracts/metric-store.js';
import type { OrderIntent } from '../../src/contracts/orders.js';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { isVenueKitError } from '../../src/core/errors.js';
import { createDashboard, type Dashboard } from '../../src/dashboard/index.js';
import { createVenueKit } from '../../src/kit/create-venue-kit.js';
import type { VenueKit, VenueKitOptions } from '../../src/kit/venue-kit.js';
import { ConnectionPool } from '../../src/pool/index.js';
import { MemoryMetricStore } from '../../src/stores/memory/memory-metric-store.js';
import { MemoryOrderJournal } from '../../src/stores/memory/memory-order-journal.js';
import { SqliteMetricStore } from '../../src/stores/sqlite/index.js';

/**
 * Kits with one deliberate defect each, as a host may make them by mistake: they go through the
 * public seams of a kit, its options and what is put around it. Each is a function of the name that
 * `certify(kit, { create: { module, export } })` is told.
 */
type Create = (options: VenueKitOptions) => Promise<VenueKit>;
type Broker = BrokerAdapter & MarketDataAdapter;

/** `target` with some members of its own. Methods keep their object: kits and clients have private state. */
function over<T extends object>(target: T, members: { readonly [K in keyof T]?: unknown }): T {
  return new Proxy(target, {
    get: (of, name) => {
      if (Object.hasOwn(members, name)) return members[name as keyof T];
      const value: unknown = Reflect.get(of, name, of);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(of) : value;
    },
  });
}

const kitOver = (kit: VenueKit, members: { readonly [K in keyof VenueKit]?: unknown }): VenueKit =>
  Object.create(kit, Object.fromEntries(Object.entries(members).map(([name, value]) => [name, { value, enumerable: true }]))) as VenueKit;

const withOptions =
  (change: (options: VenueKitOptions) => Partial<VenueKitOptions>): Create =>
  (options) =>
    createVenueKit({ ...options, ...change(options) });

const withBroker = (change: (broker: Broker, options: VenueKitOptions) => { readonly [K in keyof Broker]?: unknown }): Create =>
  withOptions((options) => {
    // Bound, so that a defect can take the methods that it needs by name.
    const changed = <A extends object>(adapter: A): A => over(adapter, change(over(adapter, {}) as unknown as Broker, options) as never);
    return {
      ...(options.broker === undefined ? {} : { broker: changed(options.broker) }),
      ...(options.marketData === undefined ? {} : { marketData: changed(options.marketData) }),
    };
  });

const withJournal = (change: (journal: OrderJournal) => { readonly [K in keyof OrderJournal]?: unknown }): Create =>
  withOptions(({ journal }) => (journal === undefined ? {} : { journal: over(journal, change(journal)) }));

const withTrading =
  (change: (trading: NonNullable<VenueKit['trading']>) => { readonly [K in keyof NonNullable<VenueKit['trading']>]?: unknown }): Create =>
  async (options) => {
    const kit = await createVenueKit(options);
    return kit.trading === undefined ? kit : kitOver(kit, { trading: over(kit.trading, change(kit.trading)) });
  };

const withMarketData =
  (change: (marketData: NonNullable<VenueKit['marketData']>) => { readonly [K in keyof NonNullable<VenueKit['marketData']>]?: unknown }): Create =>
  async (options) => {
    const kit = await createVenueKit(options);
    return kit.marketData === undefined ? kit : kitOver(kit, { marketData: over(kit.marketData, change(kit.marketData)) });
  };

type Place = BrokerAdapter['place'];
type Fetch = MarketDataAdapter['fetch'];

// ── orders ──────────────────────────────────────────────────────────────────────────────────────

export const blindRetry: Create = withBroker(({ place }, { clock = systemClock }) => ({
  place: (async (intent, clientOrderId, attempt) => {
    const first = await attemptOf(() => place(intent, clientOrderId, attempt));
    if (first.kind !== 'unknown') return first;
    return place(intent, clientOrderId, { ...attempt, venueNow: clock.now() });
  }) satisfies Place,
}));

export const blindRetryUnderNewId: Create = withBroker(({ place }, { clock = systemClock }) => ({
  place: (async (intent, clientOrderId, attempt) => {
    const first = await attemptOf(() => place(intent, clientOrderId, attempt));
    if (first.kind !== 'unknown') return first;
    return place(intent, `${clientOrderId}r`, { ...attempt, venueNow: clock.now() });
  }) satisfies Place,
}));

export const lostCancelTakenForDone: Create = withBroker(({ cancel, find }) => ({
  cancel: async (...[ref, attempt]: Parameters<typeof cancel>): Promise<Verdict> => {
    const verdict = await attemptOf(() => cancel(ref, attempt));
    if (verdict.kind !== 'unknown') return verdict;
    const order = await find(ref, attempt);
    return order === 'not_found' ? verdict : { kind: 'accepted', order: { ...order, state: 'canceled' } };
  },
}));

async function attemptOf(send: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await send();
  } catch (cause) {
    return { kind: 'unknown', cause };
  }
}

export const conflictingPayloadTaken: Create = withTrading((trading) => ({
  submit: async (intent: OrderIntent, options: object) => {
    try {
      return await trading.submit(intent, options);
    } catch (error) {
      if (!isVenueKitError(error, 'IDEMPOTENCY_CONFLICT')) throw error;
      return await trading.submit({ ...intent, intentId: `${intent.intentId ?? ''}-2` }, options);
    }
  },
}));

export const haltIgnored: Create = withTrading(() => ({ halt: async () => {} }));

export const haltStopsCancels: Create = withTrading((trading) => ({
  cancel: async (...args: Parameters<typeof trading.cancel>) => {
    if (trading.mode() === 'halted') throw new Error('trading is halted');
    return trading.cancel(...args);
  },
}));

export const slowOrders: Create = withBroker(({ place }, { clock = systemClock }) => ({
  place: (async (...args) => {
    await clock.sleep(15);
    return place(...args);
  }) satisfies Place,
}));

export const strangersUnseen: Create = withBroker(({ openOrders, history }) => {
  const known = async function* (orders: AsyncIterable<{ readonly clientOrderId?: string }>) {
    for await (const order of orders) if (order.clientOrderId?.startsWith('web_') !== true) yield order;
  };
  return {
    openOrders: (...args: Parameters<typeof openOrders>) => known(openOrders(...args)),
    history: (...args: Parameters<typeof history>) => known(history(...args)),
  };
});

// ── the journal ─────────────────────────────────────────────────────────────────────────────────

type Records = readonly Omit<JournalRecord, 'sequence'>[];

export const noJournal: Create = withJournal(() => ({
  append: async () => {},
  byIntent: async () => [],
  unresolved: async function* () {},
}));

export const journalInMemory: Create = ({ dataDir: _, ...options }) => createVenueKit(options);

export const journalWrittenLater: Create = (options) =>
  withJournal((journal) => ({
    append: async (records: Records) => {
      (options.clock ?? systemClock).schedule(200, () => void journal.append(records).catch(() => {}));
    },
  }))(options);

export const sendingNotJournalled: Create = withJournal((journal) => ({
  append: (records: Records) => journal.append(records.filter(({ type }) => type !== 'sending')),
}));

export const journalGivenInMemory: Create = withOptions(() => ({ journal: new MemoryOrderJournal() }));

const epochs = new Map<string, number>();
export const journalWithoutLease: Create = withJournal((journal) => ({
  acquire: async (account: string, owner: string, ttlMs: number): Promise<WriterLease> => {
    try {
      const lease = await journal.acquire(account, owner, ttlMs);
      epochs.set(account, lease.epoch);
      return lease;
    } catch (error) {
      if (!isVenueKitError(error, 'JOURNAL_LOCKED')) throw error;
      const nothing = async (): Promise<void> => {};
      return {
        epoch: epochs.get(account) ?? 1,
        lost: new AbortController().signal,
        renew: nothing,
        release: nothing,
        [Symbol.asyncDispose]: nothing,
      };
    }
  },
}));

// ── policies and limits ─────────────────────────────────────────────────────────────────────────

export const breakerOff: Create = withOptions(({ policy }) => ({
  policy: { ...policy, breaker: { failureRate: 1, minCalls: 1_000_000, openMs: 1 } },
}));
export const nothingReserved: Create = withOptions(({ policy }) => ({ policy: { ...policy, reserve: 0 } }));
export const limitsUnknown: Create = withBroker(() => ({ limits: [], cost: () => [], fetchCost: () => [] }));
export const costsUnderstated: Create = withBroker(({ cost }) => ({
  cost: (operation: string) => cost(operation).map((one) => ({ ...one, units: one.units / 2 })),
}));

export const haltForGoodAtAnAlert: Create = async (options) => {
  const kit = await createVenueKit(options);
  kit.bus.on('alert', ({ alert }) => {
    if (alert.state === 'firing' && alert.rule === 'error-rate') void kit.trading?.halt('halted', 'an alert').catch(() => {});
  });
  return kit;
};

// ── market data ─────────────────────────────────────────────────────────────────────────────────

type Get = NonNullable<VenueKit['marketData']>['get'];
const got = (get: (...args: Parameters<Get>) => ReturnType<Get>) => ({ get });

export const cacheIgnoresMaxAge: Create = withMarketData((marketData) =>
  got((kind, request, { maxAgeMs: _, ...options } = {}) => marketData.get(kind, request, options) as ReturnType<Get>),
);

export const cacheOff: Create = withMarketData((marketData) =>
  got((kind, request, options = {}) => marketData.get(kind, request, { ...options, intent: 'order' }) as ReturnType<Get>),
);

export const readsNotRepeated: Create = withBroker(({ fetch }) => ({
  fetch: (async (kind, requests, attempt) => {
    try {
      return await fetch(kind, requests, attempt);
    } catch (error) {
      return requests.map(() => ({ status: 'rejected' as const, reason: error as Error }));
    }
  }) satisfies Fetch,
}));

export const readsSlowDown: Create = (options) => {
  let calls = 0;
  return withBroker(({ fetch }, { clock = systemClock }) => ({
    fetch: (async (...args) => {
      await clock.sleep(calls++ / 5);
      return fetch(...args);
    }) satisfies Fetch,
  }))(options);
};

export const readsCostCpu: Create = withMarketData((marketData) =>
  got(async (...args) => {
    const read = await marketData.get(...args);
    for (let i = 0; i < 400; i++) JSON.parse(JSON.stringify(read));
    return read;
  }),
);

export const readsKept: Create = async (options) => {
  const kept: unknown[] = [];
  return withMarketData((marketData) =>
    got(async (...args) => {
      const read = await marketData.get(...args);
      kept.push({ ...read, args: [...args] });
      return read;
    }),
  )(options);
};

export const connectionsNotReturned: Create = async (options) => {
  const { bus, clock = systemClock, marketData } = options;
  if (marketData === undefined) return createVenueKit(options);
  const pool = new ConnectionPool<object>({ ...(bus === undefined ? {} : { bus }), clock, name: 'sessions', max: 500, create: async () => ({}) });
  return createVenueKit({
    ...options,
    marketData: over(marketData, {
      fetch: (async (...args) => {
        const lease = await pool.acquire();
        // Given back where it went well, and forgotten where it did not.
        const answer = await marketData.fetch(...args);
        lease.release();
        return answer;
      }) satisfies Fetch,
    }),
  });
};

export const poolsImpossible: Create = withOptions(({ tuning }) => ({ tuning: { ...tuning, pools: { sessions: { min: 9, max: 3 } } } }));

// ── parts ───────────────────────────────────────────────────────────────────────────────────────

export const fetcherBroken: Create = async (options) => {
  const kit = await createVenueKit(options);
  return kitOver(kit, { fetcher: over(kit.fetcher, { run: async () => Promise.reject(new Error('no slot')) }) });
};

export const analyticsBroken: Create = async (options) => {
  const kit = await createVenueKit(options);
  return kitOver(kit, { analytics: over(kit.analytics, { analyze: async () => Promise.reject(new Error('no analysis')) }) });
};

export const timerLeftRunning: Create = async (options) => {
  const { clock = systemClock } = options;
  const again = (): void => void clock.schedule(1_000, again);
  if (options.clock !== undefined) again();
  return createVenueKit(options);
};

export const closedInNameOnly: Create = async (options) => {
  const kit = await createVenueKit(options);
  // Of a trial alone: the kit that is certified must be closed by whoever made it.
  return options.clock === undefined ? kit : kitOver(kit, { close: async () => {}, [Symbol.asyncDispose]: async () => {} });
};

export const readsNotTold: Create = withOptions(({ bus }) =>
  bus === undefined
    ? {}
    : {
        bus: over(bus, {
          emit: ((event: never, payload: never) => {
            if (event !== 'cache.read') bus.emit(event, payload);
          }) as typeof bus.emit,
        }),
      },
);

export const ticksDropped: Create = withOptions(({ store }) => {
  if (store === undefined) return {};
  let ticks = 0;
  return { store: over(store, { append: (async (tick) => (ticks++ % 2 === 0 ? store.append(tick) : undefined)) satisfies MetricStore['append'] }) };
});

// ── production ──────────────────────────────────────────────────────────────────────────────────

export const secretsLogged: Create = withBroker(({ fetch, place }, { logger }) => ({
  fetch: (async (...args) => {
    try {
      return await fetch(...args);
    } catch (error) {
      logger?.warn({ error }, 'a request failed');
      throw error;
    }
  }) satisfies Fetch,
  place,
}));

export const secretsInErrors: Create = withOptions(({ marketData }) =>
  marketData === undefined
    ? {}
    : {
        marketData: over(marketData, {
          fetch: (async (...args) => {
            try {
              return await marketData.fetch(...args);
            } catch (error) {
              // As a message without any name in front of the secret: nothing can tell it from other text.
              throw new Error(`failed with ${(error as Error).message.replace(/\w+=/g, '').replace(/[\w-]+: /g, '')}`);
            }
          }) satisfies Fetch,
        }),
      },
);

export const noNotifier: Create = withOptions(() => ({ notifiers: [] }));

export const notifierFails: Create = withOptions(({ notifiers = [] }) => ({
  notifiers: notifiers.map((notifier) => ({ ...notifier, notify: async () => Promise.reject(new Error('the channel is gone')) })),
}));

export const noRules: Create = withOptions(() => ({ rules: [] }));

const HOUR_MS = 3_600_000;
export const rulesTooPatient: Create = withOptions(() => ({
  rules: standardRules().map((rule) => ({ ...rule, forMs: HOUR_MS, ...('noDataForMs' in rule ? { noDataForMs: HOUR_MS } : {}) })),
}));

export const rulesAlwaysFire: Create = withOptions(() => ({
  rules: [{ id: 'always', severity: 'warning', type: 'threshold', summary: 'It runs.', expr: 'venuekit_process_uptime_seconds', op: '>', fire: 0 }],
}));

export const nothingDropped: Create = async (options) => {
  const { dataDir, store } = options;
  if (dataDir === undefined || store !== undefined) return createVenueKit(options);
  const { mkdirSync } = await import('node:fs');
  mkdirSync(dataDir, { recursive: true });
  const endless = await SqliteMetricStore.open({ path: `${dataDir}/metrics.db` });
  const kit = await createVenueKit({ ...options, store: endless });
  const close = async (): Promise<void> => {
    await kit.close();
    await endless[Symbol.asyncDispose]();
  };
  return kitOver(kit, { close, [Symbol.asyncDispose]: close });
};

export const storeGivenInMemory: Create = withOptions(() => ({ store: new MemoryMetricStore() }));

export const storeGivenEndless: Create = async (options) => {
  const { mkdirSync } = await import('node:fs');
  mkdirSync(options.dataDir!, { recursive: true });
  const store = await SqliteMetricStore.open({ path: `${options.dataDir}/given.db` });
  const kit = await createVenueKit({ ...options, store });
  const close = async (): Promise<void> => {
    await kit.close();
    await store[Symbol.asyncDispose]();
  };
  return kitOver(kit, { close, [Symbol.asyncDispose]: close });
};

const OFF_MS = 7_000;
export const clockOff: Create = withOptions(({ clock }) => {
  if (clock !== undefined) return {};
  const off: Clock = {
    now: () => systemClock.now() + OFF_MS,
    monotonic: () => systemClock.monotonic(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    schedule: (ms, task) => systemClock.schedule(ms, task),
  };
  return { clock: off };
});

/** One that lets everybody in: what a proxy in front of it does that adds the token. */
export function openDashboard(kit: VenueKit): Dashboard {
  const shown = createDashboard({ store: kit.store });
  const server = createServer((request, response) => {
    request.headers.authorization = `Bearer ${shown.token}`;
    shown.nodeHandler(request, response);
  });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await shown[Symbol.asyncDispose]();
  };
  return {
    ...shown,
    listen: async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=${shown.token}` };
    },
    [Symbol.asyncDispose]: close,
  };
}

/** One that the whole network can reach. */
export function exposedDashboard(kit: VenueKit): Dashboard {
  const shown = createDashboard({ store: kit.store });
  return { ...shown, listen: () => shown.listen({ host: '0.0.0.0' }) };
}

/** A defect, and exactly what it must fail: its own check first. */
export interface Mutant {
  /** Export of this module; absent where the kit itself is well. */
  readonly create?: string;
  readonly defect: string;
  readonly fails: readonly [string, ...string[]];
  /** What may fail as well, since it depends on the moment. */
  readonly mayFail?: readonly string[];
  /** Whether the certified kit is made the same way. @defaultValue true */
  readonly isHost?: boolean;
  /** Whether the certified kit alone is made so, and the trials are not told how. @defaultValue false */
  readonly isHostOnly?: boolean;
  readonly dashboard?: (kit: VenueKit) => Dashboard;
}

// Placements that an adapter makes by itself are told nowhere: where a fault met one, events and metrics miss it.
export const mutants: Readonly<Record<string, Mutant>> = {
  noJournal: { create: 'noJournal', defect: 'the journal keeps nothing', fails: ['production.durability'] },
  journalInMemory: { create: 'journalInMemory', defect: 'journal and metrics in memory', fails: ['production.durability', 'production.retention'] },
  journalWrittenLater: { create: 'journalWrittenLater', defect: 'an append resolves before it is written', fails: ['production.durability'] },
  sendingNotJournalled: { create: 'sendingNotJournalled', defect: 'orders are sent without their record', fails: ['production.durability'] },
  journalGivenInMemory: {
    create: 'journalGivenInMemory',
    defect: 'the journal that was handed in is in memory',
    fails: ['production.durability'],
    isHostOnly: true,
  },
  journalWithoutLease: { create: 'journalWithoutLease', defect: 'two clients may write one journal', fails: ['production.single-writer'] },
  blindRetry: {
    create: 'blindRetry',
    defect: 'an unknown order is sent again at once',
    fails: ['integration.order-safety'],
    mayFail: ['component.events', 'component.metrics'],
  },
  blindRetryUnderNewId: {
    create: 'blindRetryUnderNewId',
    defect: 'an unknown order is sent again under a new id',
    fails: ['integration.order-safety'],
    mayFail: ['component.events', 'component.metrics'],
  },
  lostCancelTakenForDone: {
    create: 'lostCancelTakenForDone',
    defect: 'a cancel without an answer is taken for done',
    fails: ['integration.order-safety'],
  },
  conflictingPayloadTaken: {
    create: 'conflictingPayloadTaken',
    defect: 'another payload under a used id makes another order',
    fails: ['integration.idempotence'],
  },
  haltIgnored: { create: 'haltIgnored', defect: 'a halt does nothing', fails: ['integration.halt'] },
  haltStopsCancels: { create: 'haltStopsCancels', defect: 'a halt stops cancels, too', fails: ['integration.halt'] },
  limitsUnknown: {
    create: 'limitsUnknown',
    defect: "the adapter knows none of the venue's limits",
    fails: ['integration.limits', 'production.limits-configured'],
  },
  costsUnderstated: {
    create: 'costsUnderstated',
    defect: 'every call is counted for half of what it costs',
    fails: ['integration.limits'],
  },
  nothingReserved: {
    create: 'nothingReserved',
    defect: 'no share of the limits is kept for cancels',
    fails: ['integration.urgent-cancels', 'production.limits-configured'],
  },
  breakerOff: { create: 'breakerOff', defect: 'the breaker never opens', fails: ['integration.breaker'] },
  haltForGoodAtAnAlert: { create: 'haltForGoodAtAnAlert', defect: 'an alert halts trading, and nothing resumes it', fails: ['integration.recovery'] },
  cacheIgnoresMaxAge: { create: 'cacheIgnoresMaxAge', defect: 'the cache ignores the age that a reader allows', fails: ['integration.freshness'] },
  cacheOff: {
    create: 'cacheOff',
    defect: 'every read goes past the cache',
    fails: ['performance.hit-rate', 'performance.requests'],
    mayFail: ['performance.read-latency', 'performance.read-overhead'],
  },
  readsNotRepeated: { create: 'readsNotRepeated', defect: 'a read that failed is not made again', fails: ['performance.errors'] },
  readsSlowDown: {
    create: 'readsSlowDown',
    defect: 'reads become slower with each',
    fails: ['integration.latency-drift'],
    mayFail: ['performance.read-latency'],
  },
  readsCostCpu: { create: 'readsCostCpu', defect: 'every read is copied hundreds of times', fails: ['performance.read-overhead'] },
  readsKept: { create: 'readsKept', defect: 'every read is kept for ever', fails: ['integration.memory-drift'] },
  slowOrders: { create: 'slowOrders', defect: 'every order waits 15 ms before it is sent', fails: ['performance.order-latency'] },
  connectionsNotReturned: {
    create: 'connectionsNotReturned',
    defect: 'the pool leaks a connection with every failure',
    fails: ['integration.pools'],
  },
  poolsImpossible: {
    create: 'poolsImpossible',
    defect: 'a pool is to keep more connections open than it may have',
    fails: ['integration.pools'],
  },
  strangersUnseen: { create: 'strangersUnseen', defect: 'orders of others on the account are not listed', fails: ['component.reconciliation'] },
  fetcherBroken: { create: 'fetcherBroken', defect: 'the fetcher refuses all work', fails: ['component.parts'] },
  analyticsBroken: { create: 'analyticsBroken', defect: 'nothing can be analyzed', fails: ['component.analytics'] },
  timerLeftRunning: { create: 'timerLeftRunning', defect: 'a timer runs on after the close', fails: ['component.closing'] },
  closedInNameOnly: {
    create: 'closedInNameOnly',
    defect: 'close() closes nothing',
    fails: ['component.closing', 'component.reconciliation'],
  },
  readsNotTold: { create: 'readsNotTold', defect: 'reads are not told on the bus', fails: ['component.events', 'component.metrics'] },
  ticksDropped: { create: 'ticksDropped', defect: 'every other tick of the metrics is lost', fails: ['component.metrics'] },
  secretsLogged: { create: 'secretsLogged', defect: "the adapter logs the SDK's errors as they are", fails: ['production.secrets'] },
  secretsInErrors: { create: 'secretsInErrors', defect: 'errors are put into words with the key in them', fails: ['production.secrets'] },
  noNotifier: { create: 'noNotifier', defect: 'nobody is told of alerts', fails: ['production.notifiers'] },
  notifierFails: { create: 'notifierFails', defect: 'the channel of the notifier is gone', fails: ['production.notifiers'] },
  noRules: { create: 'noRules', defect: 'there are no alert rules', fails: ['production.alert-rules', 'production.notifiers'] },
  rulesTooPatient: { create: 'rulesTooPatient', defect: 'alert rules wait for an hour', fails: ['production.alert-rules', 'production.notifiers'] },
  rulesAlwaysFire: {
    create: 'rulesAlwaysFire',
    defect: 'the one alert rule fires all the time',
    fails: ['production.alert-rules', 'production.notifiers'],
  },
  storeGivenInMemory: {
    create: 'storeGivenInMemory',
    defect: 'the metric store that was handed in is in memory',
    fails: ['production.retention'],
    isHostOnly: true,
  },
  storeGivenEndless: {
    create: 'storeGivenEndless',
    defect: 'the metric store that was handed in drops nothing',
    fails: ['production.retention'],
    isHostOnly: true,
  },
  nothingDropped: { create: 'nothingDropped', defect: 'metrics are kept for ever', fails: ['production.retention'], isHost: false },
  clockOff: { create: 'clockOff', defect: 'the clock is 7 s off', fails: ['production.clock-offset'] },
  openDashboard: { defect: 'the dashboard lets in without its token', fails: ['production.dashboard'], dashboard: openDashboard },
  exposedDashboard: { defect: 'the dashboard listens to the whole network', fails: ['production.dashboard'], dashboard: exposedDashboard },
};
