import type { AlertActionRecord, AlertInstance, AlertStateStore } from '../../src/contracts/alerts.js';
import { EventBus } from '../../src/contracts/events.js';
import type { MetricStore } from '../../src/contracts/metric-store.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../src/core/random.js';
import { instrument, MemoryMetricStore, MetricsRegistry } from '../../src/metrics/index.js';

/** A metric store that keeps the changes of alerts, as those of a single machine do. */
export type DeskStore = MetricStore & AlertStateStore;

export interface Desk extends AsyncDisposable {
  readonly store: DeskStore;
  readonly bus: EventBus;
  /** Epoch ms of the first and the last second on record. */
  readonly from: number;
  now(): number;
  /** So many seconds of the bot's life more. */
  live(seconds: number): Promise<void>;
}

/**
 * A bot's plumbing as a store sees it, second by second from `from` on: calls of three operations,
 * slower and failing in the middle, a cache of two levels, a pool that fills, a fetcher, alerts.
 */
export async function givenDesk({
  seed = 1,
  seconds = 600,
  from = Date.UTC(2026, 10, 27, 12),
  operation = 'place',
  store = new MemoryMetricStore(),
  isCalm = false,
  venues = 1,
  positions = 0,
}: {
  readonly seed?: number;
  readonly seconds?: number;
  readonly from?: number;
  /** The label of the first operation: what a hostile venue may send. */
  readonly operation?: string;
  readonly store?: DeskStore;
  readonly isCalm?: boolean;
  /** Calls go to so many, in turn. */
  readonly venues?: number;
  /** So many gauges of the bot's own beside those of the kit, each changing every second. */
  readonly positions?: number;
} = {}): Promise<Desk> {
  const clock = new ManualClock(from);
  const bus = new EventBus();
  const registry = new MetricsRegistry({ clock });
  const stop = instrument(bus, registry, { clock });
  // A tick is kept before the next second begins, however long the store takes.
  let kept = Promise.resolve();
  const collecting = registry.collect({
    append: (tick) => {
      kept = store.append(tick);
      return kept;
    },
  } as MetricStore);
  const random = seededRandom(seed);
  const position = registry.gauge({ name: 'desk_position', help: 'What the bot holds.', labels: ['symbol'], maxSeries: Math.max(1, positions) });
  const held = Array.from({ length: positions }, (_, i) => position.with({ symbol: `S${i}` }));
  let second = 0;
  const live = async (more: number): Promise<void> => {
    for (let i = 0; i < more; i++, second++) {
      const isBad = !isCalm && second >= seconds * 0.4 && second < seconds * 0.6;
      const venue = venues === 1 ? 'sim' : `venue-${second % venues}`;
      emitSecond({ bus, random, now: clock.now(), isBad, filled: isCalm ? 2 : Math.floor((second / seconds) * 15), operation, venue });
      for (const one of held) one.add(Math.floor(9 * random()) - 4);
      await clock.advance(1_000);
      await kept;
    }
  };
  await live(seconds);
  return {
    store,
    bus,
    from,
    now: () => clock.now(),
    live,
    async [Symbol.asyncDispose]() {
      collecting[Symbol.dispose]();
      stop[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function emitSecond({
  bus,
  random,
  now,
  isBad,
  filled,
  operation,
  venue,
}: {
  readonly bus: EventBus;
  readonly random: Random;
  readonly now: number;
  readonly isBad: boolean;
  readonly filled: number;
  readonly operation: string;
  readonly venue: string;
}): void {
  const call = (name: string, median: number): number => {
    const ms = median * (0.6 + 0.9 * random() ** 2) * (isBad ? 2.5 : 1) * (random() < 0.01 ? 6 : 1);
    const outcome = random() < (isBad ? 0.2 : 0.002) ? 'unknown' : 'ok';
    bus.emit('venue.call', { venue, operation: name, attempt: 1, ms, outcome, hedge: false });
    return ms;
  };
  for (let i = 0; i < 3; i++) if (random() < 0.7) call(operation, 40);
  if (random() < 0.5) call('cancel', 25);
  for (let i = 0; i < 14; i++) {
    const roll = random();
    const level = roll < 0.72 ? 'memory' : roll < 0.9 ? 'shared' : 'none';
    bus.emit('cache.read', { kind: 'quote', key: 'BTC', outcome: level === 'none' ? 'miss' : 'hit', level, ageMs: 200 * random() });
    if (level === 'none') bus.emit('cache.load', { kind: 'quote', keys: 1, ms: call('quotes', 30), ok: true });
  }
  const inUse = Math.min(15, filled + Math.floor(3 * random()));
  bus.emit('pool.state', { pool: 'rest', max: 15, size: 15, inUse, waiting: inUse >= 15 ? 4 : 0 });
  bus.emit('fetch.state', { running: Math.floor(8 * random()), queued: Math.floor(6 * random()), concurrency: 12 });
  bus.emit('feed.update', { feed: 'quotes', symbol: 'BTC', at: now });
}

/** An alert, as an engine tells of it. */
export function givenAlert(alert: Partial<AlertInstance> = {}): AlertInstance {
  return {
    fingerprint: 'f1',
    rule: 'error-rate',
    severity: 'critical',
    labels: { operation: 'place' },
    state: 'firing',
    value: 0.2,
    suppressedBy: [],
    ...alert,
  };
}

/** Keeps the changes of an alert: `[seconds, state]`. */
export async function keepAlert(
  store: Desk['store'],
  from: number,
  alert: Partial<AlertInstance>,
  changes: readonly (readonly [number, AlertInstance['state']])[],
): Promise<void> {
  let before: AlertInstance['state'] = 'inactive';
  for (const [second, state] of changes) {
    await store.saveAlert({ at: from + second * 1_000, from: before, alert: givenAlert({ ...alert, state }) });
    before = state;
  }
}

/** Keeps what an alert had done `second` seconds after `from`. */
export function keepAction(store: Desk['store'], from: number, second: number, record: Partial<AlertActionRecord> = {}): Promise<void> {
  const at = from + second * 1_000;
  return store.saveAction!({
    at,
    fingerprint: 'f1',
    rule: 'error-rate',
    labels: { operation: 'place' },
    firedAt: at,
    action: 'trip-breaker',
    with: {},
    on: 'firing',
    mode: 'dry_run',
    outcome: 'done',
    ...record,
  });
}
