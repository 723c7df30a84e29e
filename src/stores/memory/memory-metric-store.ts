import type { AlertActionRecord, AlertEvent, AlertStateStore, AlertTick, Silence } from '../../contracts/alerts.js';
import type { MetricStore, MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { throwIfAborted } from '../../core/abort.js';
import { closedError } from '../../core/errors.js';
import { requireInteger, requireKnown } from '../../core/options.js';
import { requireRetention } from '../shared/retention.js';
import { requireTick } from '../shared/series-key.js';
import { TickWindow } from '../shared/tick-window.js';
import { MemoryAlertState } from './memory-alert-state.js';

/** What a {@link MemoryMetricStore} may hold. */
export interface MemoryMetricStoreOptions {
  /** Values held, over all series; the oldest ticks go first. @defaultValue 5_000_000, which is 40 MB */
  readonly maxPoints?: number;
  /** Changes of alerts held, and as many records of their actions; the oldest go first. @defaultValue 10_000 */
  readonly maxAlertEvents?: number;
}

/**
 * Keeps metrics in this process, raw and bounded: for tests, short runs, and hosts without a disk.
 * Minutes and hours are computed from the raw points when asked for; nothing outlives those.
 */
export class MemoryMetricStore implements MetricStore, AlertStateStore {
  readonly #window: TickWindow;
  readonly #alerts: MemoryAlertState;
  #last = -Infinity;
  #closed = false;

  /** @throws RangeError or TypeError when an option is out of range. */
  constructor(options: MemoryMetricStoreOptions = {}) {
    requireKnown('MemoryMetricStore', options, ['maxPoints', 'maxAlertEvents']);
    this.#window = new TickWindow(requireInteger('maxPoints', options.maxPoints ?? 5_000_000, 1));
    this.#alerts = new MemoryAlertState(requireInteger('maxAlertEvents', options.maxAlertEvents ?? 10_000, 1));
  }

  /** @throws VenueKitError TIME_BACKWARDS for a tick that is not after the last one. */
  async append(tick: MetricTick): Promise<void> {
    this.#requireOpen();
    requireTick(tick, this.#last);
    this.#window.add({ ...tick, values: tick.values.slice() });
    this.#last = tick.t;
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    return this.#window.query(query);
  }

  /** Drops raw points older than `rawMs` before the newest tick; there are no roll-ups to keep longer. */
  async retain(policy: { readonly rawMs: number; readonly minuteMs: number; readonly hourMs: number; readonly maxBytes?: number }): Promise<{
    readonly freedBytes: number;
  }> {
    this.#requireOpen();
    const { rawMs, maxBytes = Infinity } = requireRetention(policy);
    const window = this.#window;
    const before = window.bytes;
    while ((window.oldest ?? Infinity) < this.#last - rawMs && window.dropOldest());
    while (window.bytes > maxBytes && window.dropOldest());
    return { freedBytes: before - window.bytes };
  }

  async series(signal?: AbortSignal): Promise<readonly SeriesKey[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    return this.#window.series();
  }

  async stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }> {
    this.#requireOpen();
    return { series: this.#window.series().length, points: this.#window.points, bytes: this.#window.bytes };
  }

  async saveAlert(event: AlertEvent): Promise<void> {
    this.#requireOpen();
    return this.#alerts.saveAlert(event);
  }

  async alerts(range: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]> {
    this.#requireOpen();
    return this.#alerts.alerts(range);
  }

  async openAlerts(): Promise<readonly AlertEvent[]> {
    this.#requireOpen();
    return this.#alerts.openAlerts();
  }

  async saveAction(record: AlertActionRecord): Promise<void> {
    this.#requireOpen();
    return this.#alerts.saveAction(record);
  }

  async actions(range: { readonly from: number; readonly to: number }): Promise<readonly AlertActionRecord[]> {
    this.#requireOpen();
    return this.#alerts.actions(range);
  }

  async saveSilence(silence: Silence): Promise<void> {
    this.#requireOpen();
    return this.#alerts.saveSilence(silence);
  }

  async silences(after: number): Promise<readonly Silence[]> {
    this.#requireOpen();
    return this.#alerts.silences(after);
  }

  async saveAlertTick(tick: AlertTick): Promise<void> {
    this.#requireOpen();
    return this.#alerts.saveAlertTick(tick);
  }

  async alertTick(): Promise<AlertTick | undefined> {
    this.#requireOpen();
    return this.#alerts.alertTick();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#window.clear();
    this.#alerts.clear();
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError('MemoryMetricStore');
  }
}
