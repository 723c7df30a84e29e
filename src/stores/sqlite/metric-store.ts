import type { AlertActionRecord, AlertEvent, AlertStateStore, AlertTick, Silence } from '../../contracts/alerts.js';
import type { MetricStore, MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { abortable, throwIfAborted } from '../../core/abort.js';
import { closedError } from '../../core/errors.js';
import { requireInteger, requireKnown, requireText } from '../../core/options.js';
import { feedFrom, requireRangeQuery } from '../shared/range-evaluation.js';
import { type RetentionPolicy, requireRetention } from '../shared/retention.js';
import { TickWindow } from '../shared/tick-window.js';
import type { AlertStateCall } from './metric-store-alerts.js';
import type { TickMessage } from './metric-store-channel.js';
import { type EngineOptions, MetricEngine } from './metric-store-engine.js';
import { findWorker, StoreThread } from './metric-store-thread.js';

/** How a {@link SqliteMetricStore} is opened. */
export interface SqliteMetricStoreOptions {
  /** The file; made when absent, unless `readOnly`. */
  readonly path: string;
  /** For other processes, such as a dashboard beside the bot. @defaultValue false */
  readonly readOnly?: boolean;
  /** Applied by itself, after each hour. @defaultValue none: the caller calls `retain` */
  readonly retention?: RetentionPolicy;
  /**
   * The worker's file, for hosts that bundle; false: work on the calling thread, in turns of 4 ms.
   * @defaultValue found beside this module or in the installed package, else false
   */
  readonly worker?: string | URL | false;
  /**
   * Values of the newest ticks that the writer also keeps in memory, 8 bytes each, so that what asks
   * for the last minutes each second, as alarms do, need not ask the database; 0 for none.
   * @defaultValue 1_000_000: the last 16 minutes of 1,000 series
   */
  readonly recentPoints?: number;
}

const RECENT_POINTS = 1_000_000;

/** What answers: a thread, or an engine here where there is no file to start a thread from. */
type Back = { readonly thread: StoreThread } | { readonly engine: MetricEngine };

/**
 * Keeps metrics in one SQLite file: each tick is in the file when `append` resolves, so that a killed
 * process loses none; what is older than some minutes is compressed, and rolled up to minutes and
 * hours. One process writes, any number may read beside it.
 *
 * The database lives on a thread of its own: neither a slow disk nor compaction holds up the bot.
 *
 * @example
 * await using store = await SqliteMetricStore.open({ path: 'metrics.db', retention: DEFAULT_RETENTION });
 * registry.collect(store);
 */
export class SqliteMetricStore implements MetricStore, AlertStateStore {
  readonly path: string;
  readonly retention?: RetentionPolicy;
  readonly #back: Back;
  /** What has been acknowledged lately; absent where another process writes. */
  readonly #recent: TickWindow | undefined;
  #lastRecent = -Infinity;
  #series: readonly SeriesKey[] | undefined;
  #layout = 0;
  #closing: Promise<void> | undefined;

  private constructor(back: Back, recentPoints: number, { path, retention }: EngineOptions) {
    this.path = path;
    if (retention !== undefined) this.retention = retention;
    this.#back = back;
    this.#recent = recentPoints > 0 ? new TickWindow(recentPoints) : undefined;
  }

  /**
   * @throws SqliteError when the file is no metric store, was written by a newer venuekit, is being
   * written by another process (`busy`), or can't be opened; VenueKitError MISSING_PEER where there is no SQLite.
   */
  static async open(options: SqliteMetricStoreOptions): Promise<SqliteMetricStore> {
    requireKnown('SqliteMetricStore.open', options, ['path', 'readOnly', 'retention', 'worker', 'recentPoints']);
    const { path, readOnly = false, retention, worker } = options;
    const recentPoints = requireInteger('recentPoints', options.recentPoints ?? RECENT_POINTS);
    requireText('path', path);
    if (retention !== undefined) requireRetention(retention);
    const engineOptions: EngineOptions = { path, readOnly, retention };
    const file = findWorker(worker);
    if (file === undefined)
      return new SqliteMetricStore({ engine: await MetricEngine.open(engineOptions) }, readOnly ? 0 : recentPoints, engineOptions);
    const thread = new StoreThread(file);
    try {
      await thread.call('open', engineOptions);
    } catch (error) {
      await thread.call('close').catch(() => {});
      throw error;
    }
    return new SqliteMetricStore({ thread }, readOnly ? 0 : recentPoints, engineOptions);
  }

  /**
   * Resolves when the tick survives the end of the process.
   * @throws VenueKitError TIME_BACKWARDS for a tick that is not after the last one; SqliteError `full` where the disk is.
   */
  async append(tick: MetricTick): Promise<void> {
    const back = this.#open();
    const { t, series, values, sketches } = tick;
    if (!(values instanceof Float64Array)) throw new TypeError('values must be a Float64Array');
    // Both now: the caller may change its array as soon as this has returned.
    const kept = values.slice();
    if ('engine' in back) await back.engine.append(tick);
    else await this.#send(back.thread, tick);
    this.#remember({ t, series, values: kept, ...(sketches === undefined ? {} : { sketches }) });
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    const back = this.#open();
    throwIfAborted(signal);
    requireRangeQuery(query);
    if (this.#recent !== undefined && feedFrom(query) > (this.#recent.oldest ?? Infinity)) return this.#recent.query(query);
    return 'engine' in back ? back.engine.query(query, signal) : abortable(back.thread.call<readonly RangeResult[]>('query', query), signal);
  }

  /**
   * Drops what is older than the policy allows, counted from the newest tick; then, oldest and finest
   * first, what is above `maxBytes`. What is kept of alerts goes with the longest tier; the latest change
   * of an alert that is not over stays.
   */
  async retain(policy: RetentionPolicy): Promise<{ readonly freedBytes: number }> {
    const back = this.#open();
    requireRetention(policy);
    // What is dropped must not be answered from memory.
    this.#recent?.clear();
    return 'engine' in back ? back.engine.retain(policy) : back.thread.call('retain', policy);
  }

  async series(signal?: AbortSignal): Promise<readonly SeriesKey[]> {
    const back = this.#open();
    throwIfAborted(signal);
    return 'engine' in back ? back.engine.series() : abortable(back.thread.call<readonly SeriesKey[]>('series'), signal);
  }

  /** `points` counts raw points; `bytes` is the size of the file and its log. */
  async stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }> {
    const back = this.#open();
    return 'engine' in back ? back.engine.stats() : back.thread.call('stats');
  }

  /** Epoch ms of the newest tick, whoever wrote it; undefined while there is none. */
  async newest(): Promise<number | undefined> {
    const back = this.#open();
    return 'engine' in back ? back.engine.newest() : back.thread.call('newest');
  }

  async saveAlert(event: AlertEvent): Promise<void> {
    const back = this.#open();
    return 'engine' in back ? back.engine.saveAlert(event) : back.thread.call('saveAlert', event);
  }

  async alerts(range: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]> {
    const back = this.#open();
    return 'engine' in back ? back.engine.alerts(range) : back.thread.call('alerts', range);
  }

  openAlerts(): Promise<readonly AlertEvent[]> {
    return this.#alertState({ do: 'openAlerts' });
  }

  saveAction(record: AlertActionRecord): Promise<void> {
    return this.#alertState({ do: 'saveAction', record });
  }

  actions({ from, to }: { readonly from: number; readonly to: number }): Promise<readonly AlertActionRecord[]> {
    return this.#alertState({ do: 'actions', from, to });
  }

  saveSilence(silence: Silence): Promise<void> {
    return this.#alertState({ do: 'saveSilence', silence });
  }

  silences(after: number): Promise<readonly Silence[]> {
    return this.#alertState({ do: 'silences', after });
  }

  saveAlertTick(tick: AlertTick): Promise<void> {
    return this.#alertState({ do: 'saveTick', tick });
  }

  alertTick(): Promise<AlertTick | undefined> {
    return this.#alertState({ do: 'tick' });
  }

  /** Resolves when all slots that are over have been compacted. @throws what stopped it, such as a full disk. */
  async settled(): Promise<void> {
    const back = this.#open();
    return 'engine' in back ? back.engine.settled() : back.thread.call('settled');
  }

  /** Closing twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    const back = this.#back;
    this.#closing ??= 'engine' in back ? back.engine.close() : back.thread.call('close');
    return this.#closing;
  }

  #send(thread: StoreThread, { t, series, values, sketches }: MetricTick): Promise<void> {
    const isNew = series !== this.#series || series.length !== values.length;
    if (isNew) {
      this.#series = series;
      this.#layout++;
    }
    const copy = values.slice();
    const message: TickMessage = { t, layout: this.#layout, series: isNew ? series : undefined, values: copy, sketches };
    return thread.call('append', message, [copy.buffer]);
  }

  #remember(tick: MetricTick): void {
    const recent = this.#recent;
    if (recent === undefined) return;
    // Acknowledged out of order, as an append that waited for compaction is: begin anew rather than have a hole.
    if (tick.t < this.#lastRecent) recent.clear();
    else {
      this.#lastRecent = tick.t;
      recent.add(tick);
    }
  }

  async #alertState<T>(call: AlertStateCall): Promise<T> {
    const back = this.#open();
    return 'engine' in back ? (back.engine.alertState(call) as T) : back.thread.call<T>('alertState', call);
  }

  #open(): Back {
    if (this.#closing !== undefined) throw closedError('SqliteMetricStore');
    return this.#back;
  }
}
