import type { MetricStore, MetricTick, SeriesKey } from '../../contracts/metric-store.js';
import { requireMethods } from '../../core/options.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';
import { type CompiledQuery, compileQuery } from '../compiled-query.js';
import { nearNames, type UnknownMetric } from '../near-names.js';
import { readInto } from '../store/read-into.js';
import { MetricWindow, type WindowNeed, type WindowSeries } from './metric-window.js';
import { type Parts, Planner, type SelectorNeed } from './plan.js';
import { PreparedQuery } from './prepared-query.js';
import { SubquerySource } from './subquery-source.js';
import type { Revision } from './vector-node.js';

const SWEEP_EVERY = 256; // ticks

interface Use {
  readonly parts: ReadonlySet<string>;
  readonly needs: readonly SelectorNeed[];
}

/**
 * The samples that queries look back on, in memory and shared by all of them, so that queries are
 * evaluated synchronously at each tick. Fed with ticks as they come, or from a store.
 *
 * @example
 * const windows = new SampleWindows();
 * const failures = windows.prepare('sum by (operation) (rate(venuekit_venue_call_failures_total[1m]))');
 * await windows.fill(store, now); // what was before
 * windows.append(tick); // and each tick from then on
 * const { slots, present, values } = failures.evaluate(tick.t);
 */
export class SampleWindows {
  readonly #windows = new Map<string, MetricWindow>();
  readonly #parts: Parts = new Map();
  readonly #uses = new Map<PreparedQuery, Use>();
  readonly #revision: Revision = { n: 0 };
  readonly #names = new Set<string>();
  #subqueries: readonly SubquerySource[] = [];
  #layout: readonly SeriesKey[] | undefined;
  // By what is read of a tick: its column, and the series with its window.
  #columns: readonly { readonly column: number; readonly window: MetricWindow; readonly series: WindowSeries }[] = [];
  #last = -Infinity;
  #ticks = 0;
  #aheadFrom = -Infinity;
  #filling: Promise<void> = Promise.resolve();

  /**
   * Registers a query. What it looks back on comes with the next {@link fill}, or with time.
   * @throws QuerySyntaxError
   */
  prepare(query: string | CompiledQuery): PreparedQuery {
    const compiled = typeof query === 'string' ? compileQuery(query) : query;
    const planner = new Planner(this.#revision, this.#parts, (metric) => this.#windowOf(metric));
    const node = planner.node(compiled.expr);
    const prepared = new PreparedQuery(compiled, node, () => this.#release(prepared));
    this.#uses.set(prepared, { parts: planner.used, needs: planner.needs });
    this.#settle();
    return prepared;
  }

  /**
   * Takes one tick, as a store does. What no query reads is passed over.
   * @throws RangeError for a tick that is not after the last one.
   */
  append(tick: MetricTick): void {
    const { t, values, sketches } = tick;
    if (!(t > this.#last)) throw new RangeError(`t must be after the last tick, ${this.#last}, got ${t}`);
    // Steps that are over need samples that this tick may push out.
    for (const subquery of this.#subqueries) subquery.advance(t - 1);
    if (tick.series !== this.#layout) this.#layOut(tick.series);
    for (const { column, window, series } of this.#columns) {
      if (window.readsSamples && t > series.samples.lastT) series.samples.push(t, values[column] as number);
      const bytes = window.readsSketches ? sketches?.get(column) : undefined;
      if (bytes !== undefined && t > series.sketches.lastT) series.sketches.push(t, QuantileSketch.fromBytes(bytes));
      window.trim(series, t);
    }
    for (const window of this.#windows.values()) window.coveredTo = Math.max(window.coveredTo, t);
    this.#last = t;
    this.#revision.n++;
    if (++this.#ticks % SWEEP_EVERY === 0) for (const window of this.#windows.values()) window.sweep(t);
  }

  /**
   * Reads from a store, up to and including `to`, what queries look back on and is not there yet:
   * all of it for new queries, and what is new for the others.
   */
  fill(store: MetricStore, to: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    requireMethods('store', store, ['query']);
    const run = this.#filling.then(async () => {
      const isNew = [...this.#windows.values()].some(({ isFilled }) => !isFilled);
      await this.#read(store, to, (window) => to - window.lookbackMs, options.signal);
      for (const subquery of this.#subqueries) {
        if (isNew && !subquery.isWarm) subquery.reset();
        subquery.advance(to);
        subquery.isWarm = true;
      }
      for (const window of this.#windows.values()) window.sweep(to);
      if (isNew) await this.learnNames(store, options.signal);
    });
    this.#filling = run.catch(() => {});
    return run;
  }

  /**
   * For evaluations at instants of the past, one after another: reads what those from `from` on up to
   * `to` look at, and drops what those from the call before on do not.
   */
  async readAhead(store: MetricStore, from: number, to: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    // Not what `from` itself does not need: subqueries still have steps before it to make up for.
    for (const window of this.#windows.values()) window.sweep(this.#aheadFrom);
    this.#aheadFrom = from;
    await this.#read(store, to, (window) => from - window.lookbackMs, options.signal);
  }

  /** Asks a store for the names of its metrics where one of those that are read is unknown. */
  async learnNames(store: MetricStore, signal?: AbortSignal): Promise<void> {
    if (this.unknownMetrics().length === 0) return;
    for (const { name } of (await store.series?.(signal)) ?? []) this.#names.add(name);
  }

  async #read(store: MetricStore, to: number, fromFor: (window: MetricWindow) => number, signal: AbortSignal | undefined): Promise<void> {
    for (const window of this.#windows.values()) {
      await readInto(window, store, { from: fromFor(window), to, signal });
      this.#revision.n++;
    }
  }

  /** Metrics that are read and were in no tick and no store, with names like them that were. */
  unknownMetrics(): readonly UnknownMetric[] {
    const unknown = [...this.#windows.values()].filter(({ metric, series }) => series.size === 0 && !this.#names.has(metric));
    return unknown.map(({ metric }) => ({ metric, near: nearNames(metric, this.#names) }));
  }

  /** What is in memory. */

  stats(): { readonly series: number; readonly samples: number } {
    let [series, samples] = [0, 0];
    for (const window of this.#windows.values()) {
      series += window.series.size;
      for (const one of window.series.values()) samples += one.samples.size + one.sketches.size;
    }
    return { series, samples };
  }

  #windowOf(metric: string): MetricWindow {
    let window = this.#windows.get(metric);
    if (window === undefined) this.#windows.set(metric, (window = new MetricWindow(metric)));
    return window;
  }

  #release(prepared: PreparedQuery): void {
    if (!this.#uses.delete(prepared)) return;
    const used = new Set<string>();
    for (const { parts } of this.#uses.values()) for (const key of parts) used.add(key);
    for (const key of this.#parts.keys()) if (!used.has(key)) this.#parts.delete(key);
    this.#settle();
  }

  /** Brings windows and subqueries in line with the queries that there are. */
  #settle(): void {
    const needs = new Map<string, WindowNeed[]>();
    for (const use of this.#uses.values()) {
      for (const need of use.needs) {
        const those = needs.get(need.metric);
        if (those === undefined) needs.set(need.metric, [need]);
        else those.push(need);
      }
    }
    for (const [metric, window] of this.#windows) {
      const those = needs.get(metric);
      if (those === undefined) this.#windows.delete(metric);
      else window.setNeeds(those);
    }
    this.#subqueries = [...this.#parts.values()].filter((part) => part instanceof SubquerySource);
    this.#layout = undefined;
    this.#revision.n++;
  }

  #layOut(keys: readonly SeriesKey[]): void {
    const columns: { column: number; window: MetricWindow; series: WindowSeries }[] = [];
    for (const { series } of this.#columns) series.isLive = false;
    for (const [column, { name, labels }] of keys.entries()) {
      this.#names.add(name);
      const window = this.#windows.get(name);
      const series = window?.seriesOf(labels);
      if (window === undefined || series === undefined) continue;
      series.isLive = true;
      columns.push({ column, window, series });
    }
    this.#columns = columns;
    this.#layout = keys;
  }
}
