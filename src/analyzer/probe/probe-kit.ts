import { systemClock } from '../../core/clock.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requirePositive, requireText } from '../../core/options.js';
import { seededRandom } from '../../core/random.js';
import { instrument, MemoryMetricStore, MetricsRegistry } from '../../metrics/index.js';
import { DETECTORS } from '../detectors/detectors.js';
import { LEAST_MS } from '../measures/recorded.js';
import { PerformanceAnalyzer, type PerformanceReport } from '../performance-analyzer.js';
import { TraceRecorder } from '../trace/trace-recorder.js';
import type { ProbedKit, ProbeOptions } from './probe-options.js';
import { type ProbeWork, runProbe } from './probe-work.js';

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
  using _ = instrument(bus, metrics, { clock });
  await using recorder = new TraceRecorder({ ...wiring, random, ...(tuning === undefined ? {} : { tuning }) });
  {
    using __ = metrics.collect(store);
    await runProbe(kit, { ...work, random, onSecond: (second) => onProgress?.(Math.min(second, seconds), total) });
  }
  const analyzer = new PerformanceAnalyzer({
    store,
    trace: recorder.trace(),
    seed,
    ...(logger === undefined ? {} : { logger }),
    ...(objectives === undefined ? {} : { objectives }),
  });
  return await analyzer.analyze(
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
  requireSymbols(symbols);
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

function requireSymbols(given: unknown): void {
  if (!Array.isArray(given) || given.length === 0) throw new RangeError(`symbols must name at least one symbol, got ${JSON.stringify(given)}`);
  for (const symbol of given as readonly string[]) requireText('symbols', symbol);
}
