import type { MetricStore } from '../contracts/metric-store.js';
import type { Wiring } from '../contracts/wiring.js';
import { throwIfAborted } from '../core/abort.js';
import { VenueKitError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { requireFunction, requireKnown, requireMethods, requireObject } from '../core/options.js';
import { seededRandom } from '../core/random.js';
import type { SeriesAnalysis } from './engine/analyze-series.js';
import { collect, type MeasuredSeries, type TimeRange } from './engine/collect.js';
import { gradeOf } from './engine/grade.js';
import { insightsOf } from './engine/insights.js';
import { healthOf } from './engine/letters.js';
import type { Measure } from './engine/measure.js';
import { type Objectives, requireObjectives } from './engine/objectives.js';
import { type AnalyticsReport, REPORT_SCHEMA } from './engine/report.js';
import { SeriesRunner } from './engine/series-runner.js';
import { STANDARD_MEASURES } from './engine/standard-measures.js';
import type { Series } from './series.js';
import { checkSeries } from './series.js';
import { type Anomaly, type AnomalyOptions, seriesAnomalies } from './series-anomalies.js';
import { type Forecast, type SeriesForecastOptions, seriesForecast } from './series-forecast.js';
import { seriesTrend, type Trend, type TrendOptions } from './series-trend.js';
import { finish } from './steps.js';
import { type Summary, summarize } from './summary.js';

/** {@link AnalyticsEngine} */
export interface AnalyticsEngineOptions extends Wiring {
  /** What {@link AnalyticsEngine.analyze} reads; the methods on one series need none. */
  readonly store?: MetricStore;
  /** Of all that is drawn at random: the same data with the same seed give the same report. @defaultValue 1 */
  readonly seed?: number;
  /** What a grade is given by. @defaultValue 0.1 % of calls failed, p99 within 500 ms, 80 % of reads from the cache */
  readonly objectives?: Partial<Objectives>;
  /** The worker's file, for a host that was bundled. @defaultValue beside this module, else in the installed package, else none */
  readonly workerEntry?: string | URL;
}

/** {@link AnalyticsEngine.analyze} */
export interface AnalyzeOptions {
  readonly signal?: AbortSignal;
  /** Called after each series. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Says of metrics what they are, where they are heading, what is odd about them and what to expect;
 * and of a whole range of a store how good it was, what changed for the worse, since when, why, and
 * what to do.
 *
 * @example
 * const engine = new AnalyticsEngine({ store });
 * const report = await engine.analyze({ from: now - 3_600_000, to: now });
 * console.log(reportToText(report));
 */
export class AnalyticsEngine {
  readonly #store: MetricStore | undefined;
  readonly #seed: number;
  readonly #objectives: Objectives;
  readonly #workerEntry: string | URL | undefined;
  readonly #logger: Logger | undefined;

  /** @throws RangeError or TypeError naming the option that can't be meant. */
  constructor(options: AnalyticsEngineOptions = {}) {
    requireKnown('AnalyticsEngine', requireObject('options', options), [
      'bus',
      'clock',
      'random',
      'logger',
      'store',
      'seed',
      'objectives',
      'workerEntry',
    ]);
    if (options.store !== undefined) requireMethods('store', options.store, ['query']);
    this.#seed = options.seed ?? 1;
    seededRandom(this.#seed); // refuses a seed that is no number
    this.#store = options.store;
    this.#objectives = requireObjectives(options.objectives);
    this.#workerEntry = options.workerEntry;
    this.#logger = options.logger;
  }

  /** Describes the values of a series. @throws RangeError on NaN, Infinity, unsorted or repeated t, naming the index */
  summarize(series: Series): Summary {
    return summarize(checkSeries(series).v);
  }

  /** The trend of a series and its changes of level. @throws RangeError on a series or an option that can't be meant */
  trend(series: Series, options: TrendOptions = {}): Trend {
    requireKnown('trend', options, ['alpha', 'method']);
    return seriesTrend(series, options);
  }

  /** The points that do not fit what came before them. @throws RangeError on a series or an option that can't be meant */
  anomalies(series: Series, options: AnomalyOptions = {}): readonly Anomaly[] {
    return finish(seriesAnomalies(series, options));
  }

  /** Where a series is expected to go. @throws RangeError on a series or an option that can't be meant */
  forecast(series: Series, options: Omit<SeriesForecastOptions, 'seed'> = {}): Forecast {
    requireKnown('forecast', options, ['horizonMs', 'stepMs', 'levels', 'season']);
    return finish(seriesForecast(series, { ...options, seed: this.#seed }));
  }

  /**
   * Analyzes what the store holds of a range, `from` and `to` in epoch ms, inclusive. The work is
   * done on a worker thread, or here in slices of a few milliseconds where there is none.
   *
   * @throws VenueKitError `NO_STORE` without a store; RangeError on an empty range; the signal's reason when aborted
   */
  async analyze(range: TimeRange, options: AnalyzeOptions = {}): Promise<AnalyticsReport> {
    requireKnown('analyze', options, ['signal', 'onProgress']);
    const { from, to } = checkRange(range);
    const { signal, onProgress } = options;
    if (onProgress !== undefined) requireFunction('onProgress', onProgress);
    throwIfAborted(signal);
    const store = this.#store;
    if (store === undefined)
      throw new VenueKitError('NO_STORE', 'AnalyticsEngine has no store to analyze; give it one: new AnalyticsEngine({ store })');
    const series: MeasuredSeries[] = [];
    for (const measure of STANDARD_MEASURES) series.push(...(await collect(store, measure, { from, to }, signal)));
    const grade = await gradeOf(store, { from, to }, this.#objectives, signal);
    const analyses = await this.#analyzeAll(series, signal, onProgress);
    const each = series.map((one, i) => ({ ...one, ...analyses[i]! }));
    return {
      schema: REPORT_SCHEMA,
      from,
      to,
      grade,
      health: healthOf(grade),
      summaries: Object.fromEntries(each.map(({ id, summary, measure }) => [id, { ...summary, unit: measure.unit, component: measure.component }])),
      trends: each.map(({ id, trend }) => ({ metric: id, ...trend })),
      anomalies: each.flatMap(({ id, anomalies }) => anomalies.map((anomaly) => ({ metric: id, ...anomaly }))),
      forecasts: each.map(({ id, forecast }) => ({ metric: id, ...forecast })),
      insights: insightsOf(each.flatMap(({ id, measure, findings }) => findings.map((finding) => ({ ...finding, id, measure })))),
    };
  }

  async #analyzeAll(
    series: readonly MeasuredSeries[],
    signal: AbortSignal | undefined,
    onProgress: AnalyzeOptions['onProgress'],
  ): Promise<readonly SeriesAnalysis[]> {
    await using runner = await SeriesRunner.start(this.#workerEntry, this.#logger);
    const analyses: SeriesAnalysis[] = [];
    for (const { measure, t, v, weights } of series) {
      const { worse, least, leaks } = measure;
      const watched = leaks === undefined ? { worse, least } : { worse, least, leaks };
      const task = { t, v, watched, bounds: boundsOf(measure), seed: this.#seed };
      analyses.push(await runner.run(weights === undefined ? task : { ...task, weights }, signal));
      onProgress?.(analyses.length, series.length);
    }
    return analyses;
  }
}

function checkRange(range: TimeRange): TimeRange {
  const { from, to } = requireObject('range', range);
  if (!Number.isFinite(from)) throw new RangeError(`range.from must be epoch milliseconds, got ${String(from)}`);
  if (!(Number.isFinite(to) && to > from)) throw new RangeError(`range.to must be epoch milliseconds after range.from, got ${String(to)}`);
  return { from, to };
}

// None of the standard measures can be negative, and a share is at most 1.
function boundsOf({ unit }: Measure): readonly [number, number] {
  return [0, unit === 'ratio' ? 1 : Infinity];
}
