import type { Bus } from '../../contracts/events.js';
import type { KitTuning } from '../../contracts/kit-tuning.js';
import type { OrderIntent } from '../../contracts/orders.js';
import { type Clock, systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requirePositive, requireText } from '../../core/options.js';
import { seededRandom } from '../../core/random.js';
import type { CachedMarketDataClient } from '../../market-data/index.js';
import { instrument, MemoryMetricStore, MetricsRegistry } from '../../metrics/index.js';
import type { ResilientTradingClient } from '../../trading/index.js';
import { DETECTORS } from '../detectors/detectors.js';
import type { Objectives } from '../measures/components.js';
import { LEAST_MS } from '../measures/recorded.js';
import { PerformanceAnalyzer, type PerformanceReport } from '../performance-analyzer.js';
import { TraceRecorder } from '../trace/trace-recorder.js';
import { type ProbeWork, runProbe } from './probe-work.js';

/** What of a kit is probed; a kit of `createVenueKit` is one. */
export interface ProbedKit {
  readonly bus: Bus;
  readonly marketData?: Pick<CachedMarketDataClient, 'get'>;
  readonly trading?: Pick<ResilientTradingClient, 'submit' | 'cancel'>;
  readonly tuning?: KitTuning;
}

/** {@link probeKit} */
export interface ProbeOptions {
  /** What is read: quotes, and bars of a minute every tenth time. @defaultValue ['BTC/USDT'] */
  readonly symbols?: readonly string[];
  /** How long it works, 31 s at least: of less nothing can be said. @defaultValue 60_000 */
  readonly durationMs?: number;
  /** How often each of four readers looks at each symbol; 50 at least. @defaultValue 250 */
  readonly everyMs?: number;
  /** How old a quote may be. @defaultValue everyMs */
  readonly maxAgeMs?: number;
  /** The most reads that are asked for; those beyond are left out. @defaultValue 10_000 */
  readonly maxReads?: number;
  /**
   * Sends orders as well: `intent(n)` of the n-th, from 0, `count` of them spread over the time, each cancelled after two seconds
   * where it rests. They reach the venue that the kit is connected to, whichever that is. @defaultValue none: nothing is ordered
   */
  readonly orders?: { readonly count: number; readonly intent: (n: number) => OrderIntent & { readonly intentId: string } };
  /** The kit's. @defaultValue systemClock */
  readonly clock?: Clock;
  readonly objectives?: Partial<Objectives>;
  /** Decides when each reader begins, and what is drawn in replays. @defaultValue 1 */
  readonly seed?: number;
  readonly logger?: Logger;
  /** Ends the work, and the analysis: what was found until then is given, with `partial`. */
  readonly signal?: AbortSignal;
  /** After each second of work and each detector. */
  readonly onProgress?: (done: number, total: number) => void;
}

const OPTIONS = [
  'symbols',
  'durationMs',
  'everyMs',
  'maxAgeMs',
  'maxReads',
  'orders',
  'clock',
  'objectives',
  'seed',
  'logger',
  'signal',
  'onProgress',
] as const satisfies readonly (keyof ProbeOptions)[];
const SHORTEST_MS = LEAST_MS + 1_000;
const LEAST_EVERY_MS = 50;

/**
 * Runs a short workload through a kit and says of it what {@link PerformanceAnalyzer} says of a recorded run: for a kit that has no
 * record yet. It reads; it orders only where it is told what, so that nothing is ever sent to a venue by mistake. What it measures it
 * keeps in memory, beside the kit's own metrics.
 *
 * @throws RangeError or TypeError naming the option, also for a kit in which there is nothing to probe. Reads and orders that fail are
 * part of the finding. It does not reject when the signal aborts: then the result is `partial`.
 * @example
 * const report = await probeKit(kit, { symbols: ['BTC/USDT'], signal: AbortSignal.timeout(90_000) });
 * for (const { finding, change } of report.opportunities) console.log(finding, change.option, change.to);
 */
export async function probeKit(kit: ProbedKit, options: ProbeOptions = {}): Promise<PerformanceReport> {
  const work = workOf(kit, options);
  const { clock, seed, signal, onProgress } = work;
  const { objectives, logger } = options;
  const { bus, tuning } = kit;
  const seconds = Math.ceil(work.durationMs / 1_000);
  const total = seconds + DETECTORS.length;

  const wiring = { bus, clock, ...(logger === undefined ? {} : { logger }) };
  const random = seededRandom(seed);
  const store = new MemoryMetricStore();
  const from = clock.now();
  // Beside the kit's own: a range of its own, whatever the kit has measured before.
  await using metrics = new MetricsRegistry(wiring);
  using _counting = instrument(bus, metrics, { clock });
  await using recorder = new TraceRecorder({ ...wiring, random, ...(tuning === undefined ? {} : { tuning }) });
  {
    using _collecting = metrics.collect(store);
    await runProbe(kit, { ...work, random, onSecond: (second) => onProgress?.(Math.min(second, seconds), total) });
  }
  const analyzer = new PerformanceAnalyzer({
    store,
    trace: recorder.trace(),
    seed,
    ...(logger === undefined ? {} : { logger }),
    ...(objectives === undefined ? {} : { objectives }),
  });
  return analyzer.analyze(
    { from, to: Math.max(clock.now(), from + 1) },
    { ...(signal === undefined ? {} : { signal }), onProgress: (done) => onProgress?.(seconds + done, total) },
  );
}

type Work = Omit<ProbeWork, 'random' | 'onSecond'> & Pick<ProbeOptions, 'onProgress'> & { readonly seed: number };

function workOf(kit: ProbedKit, options: ProbeOptions): Work {
  requireKnown('probeKit', requireObject('options', options), OPTIONS);
  requireMethods('kit.bus', requireObject('kit', kit).bus, ['on', 'emit']);
  const { symbols = ['BTC/USDT'], everyMs = 250, maxReads = 10_000, orders, clock = systemClock, seed = 1, signal, onProgress } = options;
  const { durationMs = 60_000, maxAgeMs = everyMs } = options;
  if (requirePositive('durationMs', durationMs) < SHORTEST_MS)
    throw new RangeError(`durationMs must be at least ${SHORTEST_MS}: of a shorter probe nothing can be said; got ${durationMs}`);
  if (requirePositive('everyMs', everyMs) < LEAST_EVERY_MS)
    throw new RangeError(`everyMs must be at least ${LEAST_EVERY_MS}: a probe is no load test; got ${everyMs}`);
  requirePositive('maxAgeMs', maxAgeMs);
  requireInteger('maxReads', maxReads, 1);
  requireInteger('seed', seed);
  if (!Array.isArray(symbols) || symbols.length === 0) throw new RangeError(`symbols must name at least one symbol, got ${JSON.stringify(symbols)}`);
  for (const symbol of symbols) requireText('symbols', symbol);
  requireMethods('clock', clock, ['now', 'monotonic', 'sleep', 'schedule']);
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  if (orders !== undefined) {
    requireKnown('orders', requireObject('orders', orders), ['count', 'intent']);
    requireInteger('orders.count', orders.count, 1);
    requireFunction('orders.intent', orders.intent);
    if (kit.trading === undefined) throw new RangeError('orders can not be sent: the kit has no trading');
  }
  if (kit.marketData === undefined && orders === undefined)
    throw new RangeError('kit must have market data, or orders must say what to order: there is nothing else to probe');
  return {
    symbols,
    durationMs,
    everyMs,
    maxAgeMs,
    maxReads,
    clock,
    seed,
    ...(orders === undefined ? {} : { orders }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}
