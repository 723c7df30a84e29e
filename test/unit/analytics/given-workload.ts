import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type Random, seededRandom } from '../../../src/core/random.js';
import { instrument, MemoryMetricStore, MetricsRegistry } from '../../../src/metrics/index.js';

export type FaultKind = 'latency step' | 'error burst' | 'hit-rate drop' | 'slow leak';

export interface InjectedFault {
  readonly kind: FaultKind;
  /** Seconds after the start. */
  readonly atS: number;
}

/** What each fault should be found in. */
export const COMPONENT_OF: Readonly<Record<FaultKind, string>> = {
  'latency step': 'venue',
  'error burst': 'venue',
  'hit-rate drop': 'cache',
  'slow leak': 'pool',
};

/**
 * An hour of a bot's events on the bus, second by second, through `instrument` and a registry into a
 * store: calls with log-normal latency, a cache, a pool and a fetcher that hang together as in the
 * real kit (a slow venue makes slow loads and slow acknowledgements).
 */
export async function givenWorkload({
  seed,
  seconds = 3_600,
  faults = [],
}: {
  readonly seed: number;
  readonly seconds?: number;
  readonly faults?: readonly InjectedFault[];
}) {
  const clock = new ManualClock();
  const bus = new EventBus();
  const registry = new MetricsRegistry({ clock });
  const stop = instrument(bus, registry, { clock });
  const store = new MemoryMetricStore();
  const collecting = registry.collect(store);
  const random = seededRandom(seed);
  const from = clock.now();
  let leaked = 0;
  for (let second = 0; second < seconds; second++) {
    const active = (kind: FaultKind, forS = Infinity): boolean =>
      faults.some((fault) => fault.kind === kind && second >= fault.atS && second < fault.atS + forS);
    for (const { kind, atS } of faults) if (kind === 'slow leak' && second >= atS && (second - atS) % 20 === 0) leaked++;
    emitSecond(bus, random, clock.now(), { slow: active('latency step'), failing: active('error burst', 45), cold: active('hit-rate drop'), leaked });
    await clock.advance(1_000);
  }
  collecting[Symbol.dispose]();
  stop[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
  return { store, from, to: clock.now() };
}

function emitSecond(
  bus: EventBus,
  random: Random,
  now: number,
  { slow, failing, cold, leaked }: { readonly slow: boolean; readonly failing: boolean; readonly cold: boolean; readonly leaked: number },
): void {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const latency = (median: number): number => median * Math.exp(0.4 * normal()) * (slow ? 2.5 : 1);
  const call = (operation: string, median: number): number => {
    const ms = latency(median);
    const failed = random() < (failing ? 0.4 : 0.004);
    bus.emit('venue.call', { venue: 'sim', operation, attempt: 1, ms, outcome: failed ? 'unknown' : 'ok', hedge: false });
    return ms;
  };
  for (let order = 0; order < 2; order++) if (random() < 0.8) call('place', 30);
  if (random() < 0.5) call('find', 20);
  const reads = 15 + Math.floor(random() * 10);
  for (let read = 0; read < reads; read++) {
    const hit = random() < (cold ? 0.5 : 0.92);
    bus.emit('cache.read', { kind: 'quote', key: 'BTC', outcome: hit ? 'hit' : 'miss', level: hit ? 'memory' : 'none', ageMs: 200 * random() });
    if (hit) continue;
    const ms = call('fetch', 25);
    bus.emit('cache.load', { kind: 'quote', keys: 1, ms: ms + 1, ok: true });
    bus.emit('fetch.task', { group: 'market', waitMs: 0.5 * random(), runMs: ms, ok: true });
  }
  const inUse = Math.min(30, leaked + Math.floor(4 * random()));
  bus.emit('pool.state', { pool: 'rest', max: 30, size: 30, inUse, waiting: 0 });
  bus.emit('pool.acquired', { pool: 'rest', waitedMs: inUse >= 30 ? 500 : 0.2 * random(), reused: true });
  bus.emit('fetch.state', { running: Math.floor(6 * random()), queued: Math.floor(3 * random()), concurrency: 12 });
  bus.emit('feed.update', { feed: 'quotes', symbol: 'BTC', at: now });
  bus.emit('journal.append', { records: 1, ms: 0.2 + 0.1 * random() });
}
