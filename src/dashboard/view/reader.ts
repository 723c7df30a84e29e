import { setMaxListeners } from 'node:events';
import type { Objectives } from '../../analytics/engine/objectives.js';
import { STANDARD_MEASURES } from '../../analytics/engine/standard-measures.js';
import type { AnalyticsEngine, AnalyticsReport } from '../../analytics/index.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import { abortReason } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import type { ChartData, ChartSource } from '../charts/chart.js';
import { type Grid, gridOf, gridSince } from '../charts/grid.js';
import { DEFAULT_SERIES, type Explanation, type SelectedSeries, selectSeries } from '../charts/selected-series.js';
import type { ReportData } from '../report/report-data.js';
import { type AlertEngineShape, openIn, openOf } from './alert-source.js';
import { type ExplainTask, explainTask } from './explain.js';
import { limitedBy, objectiveStates } from './objective-states.js';
import { alertHistoryOf, readCharts, readUptime } from './read-snapshot.js';
import { sharedReading } from './shared-reading.js';
import type { Assessment, OpenAlert, Snapshot, Strip } from './snapshot.js';

/** What a {@link DashboardReader} reads from. */
export interface ReaderOptions {
  readonly store: MetricStore;
  readonly alerts: AlertEngineShape | undefined;
  readonly analytics: Pick<AnalyticsEngine, 'analyze'>;
  readonly objectives: Objectives;
  readonly title: string;
  readonly explain: (task: ExplainTask, signal?: AbortSignal) => Promise<Explanation>;
}

export interface ReportOptions {
  readonly from: number;
  readonly to: number;
  /** Epoch ms. */
  readonly now: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const MOST_INSIGHTS = 3;
const OPEN_SINCE_MS = 24 * 3_600_000;

/** Reads from a store what pages and reports show. */
export class DashboardReader {
  readonly #options: ReaderOptions;
  readonly #history: ReturnType<typeof alertHistoryOf>;
  /** One analysis at a time: it has a thread for itself, and the store is not for it alone. */
  #analysis: Promise<unknown> = Promise.resolve();
  #known: readonly string[] = [];

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#history = alertHistoryOf(options.store);
  }

  /** Everything but the assessment and the explanation, which take longer. */
  async snapshot(range: { readonly from: number; readonly to: number }, selected: SelectedSeries, signal?: AbortSignal): Promise<Snapshot> {
    const grid = gridOf(range.from, range.to);
    return this.#read(grid, grid.from, range.to, selected, signal);
  }

  /** The columns since `since` of what has become of a snapshot by `to`, when its picture begins at `from`. */
  async tail(
    { grid }: Pick<Snapshot, 'grid'>,
    { since, from, to }: { readonly since: number; readonly from: number; readonly to: number },
    selected: SelectedSeries,
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    return this.#read(gridSince(gridOf(grid.from, to, grid.stepMs), since), from, to, selected, signal);
  }

  /** Open alerts as they are now; of an engine without asking the store. */
  async openAlerts(to: number): Promise<readonly OpenAlert[]> {
    const { alerts } = this.#options;
    return alerts === undefined ? openIn(await this.#history.alertEvents({ from: to - OPEN_SINCE_MS, to })) : openOf(alerts.instances());
  }

  get canSilence(): boolean {
    return this.#options.alerts !== undefined;
  }

  /** Grade, health and insights of a range. */
  async assess(range: { readonly from: number; readonly to: number }, signal?: AbortSignal): Promise<Assessment> {
    return assessmentOf(await this.#analyze(range, { ...(signal === undefined ? {} : { signal }) }));
  }

  /** Anomalies and forecast of the chart of the selected metric; undefined where it has no values. */
  async explain(chart: ChartData, signal?: AbortSignal): Promise<Explanation | undefined> {
    const task = explainTask(chart);
    return task === undefined ? undefined : this.#options.explain(task, signal);
  }

  /** All that a report tells. */
  async report({ from, to, now, signal, onProgress }: ReportOptions): Promise<ReportData> {
    let analysis: AnalyticsReport | undefined;
    let analysisError: string | undefined;
    try {
      analysis = await this.#analyze(
        { from, to },
        { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) },
      );
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      analysisError = asError(error).message;
    }
    const snapshot = await this.snapshot({ from, to }, selectSeries(mostTelling(analysis)), signal);
    const charts = await Promise.all(snapshot.charts.map(async (chart) => (chart.id === 'metric' ? this.#explained(chart, signal) : chart)));
    const { title } = this.#options;
    const objectives = objectiveStates(charts);
    if (analysis !== undefined) analysis = limitedBy(analysis, objectives);
    const strip = { ...snapshot.strip, ...(analysis === undefined ? { assessmentError: analysisError! } : { assessment: assessmentOf(analysis) }) };
    return {
      title,
      from,
      to,
      madeAt: now,
      snapshot: { ...snapshot, charts, strip },
      objectives,
      ...(analysis === undefined ? { analysisError: analysisError! } : { analysis }),
    };
  }

  /** Names of series for the picker: the standard measures first, then whatever the store lists. */
  async seriesNames(signal?: AbortSignal): Promise<readonly string[]> {
    const { series } = this.#options.store as { series?: (signal?: AbortSignal) => Promise<readonly { readonly name: string }[]> };
    const stored = typeof series === 'function' ? new Set((await series.call(this.#options.store, signal)).map(({ name }) => name)) : undefined;
    const standard = STANDARD_MEASURES.filter(
      ({ plan }) => stored === undefined || stored.has(plan.kind === 'share' ? plan.whole.metric : plan.metric),
    ).map(({ id }) => id);
    return [...new Set([...standard, ...this.#known, ...[...(stored ?? [])].sort()])];
  }

  async #explained(chart: ChartData, signal?: AbortSignal): Promise<ChartData> {
    try {
      const explanation = await this.explain(chart, signal);
      return explanation === undefined ? chart : { ...chart, explanation };
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      return { ...chart, missing: [`No anomalies and no forecast: ${asError(error).message}`] };
    }
  }

  async #read(grid: Grid, pictureFrom: number, at: number, selected: SelectedSeries, outer?: AbortSignal): Promise<Snapshot> {
    const { store, objectives } = this.#options;
    // More queries wait at once than a signal has listeners without a warning: one of our own stands for them.
    const own = new AbortController();
    const { signal } = own;
    setMaxListeners(0, signal);
    const onAbort = (): void => own.abort(outer?.reason);
    if (outer?.aborted) onAbort();
    outer?.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#readAll({ store: sharedReading(store), ...this.#history, objectives, selected, pictureFrom, signal }, grid, at);
    } finally {
      outer?.removeEventListener('abort', onAbort);
    }
  }

  async #readAll(source: ChartSource & { readonly signal: AbortSignal }, grid: Grid, at: number): Promise<Snapshot> {
    const { store, signal } = source;
    const [charts, alerts, uptime] = await Promise.all([
      readCharts(source, grid),
      this.openAlerts(at).catch(() => []),
      readUptime(store, grid.to, signal).catch(() => undefined),
    ]);
    const strip: Strip = { alerts, canSilence: this.canSilence, ...(uptime === undefined ? {} : { uptimeSeconds: uptime }) };
    return { at, grid, charts, strip };
  }

  #analyze(range: { readonly from: number; readonly to: number }, options: Parameters<AnalyticsEngine['analyze']>[1]): Promise<AnalyticsReport> {
    const run = this.#analysis.then(() => this.#options.analytics.analyze(range, options));
    this.#analysis = run.then(
      (report) => {
        this.#known = Object.keys(report.summaries);
      },
      () => {},
    );
    return run;
  }
}

function assessmentOf({ grade, health, insights, to }: AnalyticsReport): Assessment {
  return { grade, health, insights: insights.slice(-MOST_INSIGHTS).toReversed(), at: to };
}

// Of a report chart 6 shows what something happened to.
function mostTelling(analysis: AnalyticsReport | undefined): string {
  const latest = analysis?.insights.at(-1)?.metric;
  if (latest !== undefined) return latest;
  const odd = [...(analysis?.anomalies ?? [])].sort((a, b) => b.score - a.score)[0]?.metric;
  return odd ?? DEFAULT_SERIES;
}
