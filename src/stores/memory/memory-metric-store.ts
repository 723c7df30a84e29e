import type { AlertEvent, AlertStateStore } from '../../contracts/alerts.js';
import type { MetricStore, MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { throwIfAborted } from '../../core/abort.js';
import { closedError } from '../../core/errors.js';
import { requireInteger, requireKnown } from '../../core/options.js';
import { RangeEvaluation, type SeriesFeed } from '../shared/range-evaluation.js';
import { requireRetention } from '../shared/retention.js';
import { requireTick, seriesId } from '../shared/series-key.js';

/** What a {@link MemoryMetricStore} may hold. */
export interface MemoryMetricStoreOptions {
  /** Values held, over all series; the oldest ticks go first. @defaultValue 5_000_000, which is 40 MB */
  readonly maxPoints?: number;
  /** Changes of alerts held; the oldest go first. @defaultValue 10_000 */
  readonly maxAlertEvents?: number;
}

/** Ticks that have the same series in the same order. */
interface Epoch {
  readonly series: readonly SeriesKey[];
  readonly columns: ReadonlyMap<string, number>;
  /** Of the tick before this epoch, when there was one: what is new here was born after it. */
  readonly follows: number | undefined;
  readonly t: number[];
  readonly rows: Float64Array[];
  readonly sketches: (ReadonlyMap<number, Uint8Array> | undefined)[];
}

// Dropping from the front of a long array is dear: dead ticks are kept until there are this many.
const DROP_TOGETHER = 256;
const BYTES_A_POINT = 8;

/**
 * Keeps metrics in this process, raw and bounded: for tests, short runs, and hosts without a disk.
 * Minutes and hours are computed from the raw points when asked for; nothing outlives those.
 */
export class MemoryMetricStore implements MetricStore, AlertStateStore {
  readonly #maxPoints: number;
  readonly #maxAlertEvents: number;
  readonly #epochs: Epoch[] = [];
  readonly #alerts: AlertEvent[] = [];
  #known: readonly SeriesKey[] | undefined;
  #dead = 0;
  #points = 0;
  #sketchBytes = 0;
  #last = -Infinity;
  #closed = false;

  /** @throws RangeError or TypeError when an option is out of range. */
  constructor(options: MemoryMetricStoreOptions = {}) {
    requireKnown('MemoryMetricStore', options, ['maxPoints', 'maxAlertEvents']);
    this.#maxPoints = requireInteger('maxPoints', options.maxPoints ?? 5_000_000, 1);
    this.#maxAlertEvents = requireInteger('maxAlertEvents', options.maxAlertEvents ?? 10_000, 1);
  }

  /** @throws VenueKitError TIME_BACKWARDS for a tick that is not after the last one. */
  async append(tick: MetricTick): Promise<void> {
    this.#requireOpen();
    requireTick(tick, this.#last);
    const epoch = this.#epochFor(tick.series);
    epoch.t.push(tick.t);
    epoch.rows.push(tick.values.slice());
    epoch.sketches.push(tick.sketches === undefined || tick.sketches.size === 0 ? undefined : new Map(tick.sketches));
    for (const bytes of tick.sketches?.values() ?? []) this.#sketchBytes += bytes.length;
    this.#last = tick.t;
    this.#points += tick.values.length;
    while (this.#points + this.#sketchBytes / BYTES_A_POINT > this.#maxPoints && this.#dropOldest());
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    const evaluation = new RangeEvaluation(query);
    const feeds = new Map<string, SeriesFeed>();
    for (const [index, epoch] of this.#epochs.entries()) {
      const start = index === 0 ? this.#dead : 0;
      const begin = lowerBound(epoch.t, evaluation.feedFrom, start);
      const end = lowerBound(epoch.t, query.to, begin, true);
      if (begin === end) continue;
      for (const [id, column] of epoch.columns) {
        const key = epoch.series[column] as SeriesKey;
        if (!evaluation.matches(key)) continue;
        let feed = feeds.get(id);
        if (feed === undefined) feeds.set(id, (feed = evaluation.series(key.labels)));
        const isNew = epoch.follows !== undefined && !(this.#epochs[index - 1]?.columns.has(id) ?? true);
        if (isNew && begin === start) feed.born(epoch.follows);
        feedColumn(feed, epoch, column, begin, end);
      }
    }
    for (const feed of feeds.values()) feed.done();
    return evaluation.results();
  }

  /** Drops raw points older than `rawMs` before the newest tick; there are no roll-ups to keep longer. */
  async retain(policy: { readonly rawMs: number; readonly minuteMs: number; readonly hourMs: number; readonly maxBytes?: number }): Promise<{
    readonly freedBytes: number;
  }> {
    this.#requireOpen();
    const { rawMs, maxBytes = Infinity } = requireRetention(policy);
    const before = this.#bytes();
    while ((this.#oldest() ?? Infinity) < this.#last - rawMs && this.#dropOldest());
    while (this.#bytes() > maxBytes && this.#dropOldest());
    return { freedBytes: before - this.#bytes() };
  }

  async stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }> {
    this.#requireOpen();
    const ids = new Set<string>();
    for (const { columns } of this.#epochs) for (const id of columns.keys()) ids.add(id);
    return { series: ids.size, points: this.#points, bytes: this.#bytes() };
  }

  async saveAlert(event: AlertEvent): Promise<void> {
    this.#requireOpen();
    this.#alerts.push(structuredClone(event));
    if (this.#alerts.length > this.#maxAlertEvents) this.#alerts.shift();
  }

  async alerts({ from, to }: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]> {
    this.#requireOpen();
    return this.#alerts.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#epochs.length = 0;
    this.#alerts.length = 0;
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError('MemoryMetricStore');
  }

  #epochFor(series: readonly SeriesKey[]): Epoch {
    const current = this.#epochs.at(-1);
    // A collector hands over the same list while nothing is new.
    if (current !== undefined && this.#known === series && current.series.length === series.length) return current;
    this.#known = series;
    const columns = new Map(series.map((key, column) => [seriesId(key), column]));
    if (columns.size !== series.length) throw new RangeError('series must differ in name or labels, got one twice');
    if (current !== undefined && sameColumns(current.columns, columns)) return current;
    const last = current?.t.at(-1);
    const epoch: Epoch = { series: [...series], columns, follows: last, t: [], rows: [], sketches: [] };
    this.#epochs.push(epoch);
    return epoch;
  }

  #oldest(): number | undefined {
    return this.#epochs[0]?.t[this.#dead];
  }

  /** False when there is nothing left to drop but the newest tick. */
  #dropOldest(): boolean {
    const epoch = this.#epochs[0];
    if (epoch === undefined || (this.#epochs.length === 1 && epoch.t.length - this.#dead <= 1)) return false;
    this.#points -= epoch.rows[this.#dead]?.length ?? 0;
    for (const bytes of epoch.sketches[this.#dead]?.values() ?? []) this.#sketchBytes -= bytes.length;
    epoch.rows[this.#dead] = NOTHING;
    epoch.sketches[this.#dead] = undefined;
    this.#dead++;
    if (this.#dead === epoch.t.length) {
      this.#epochs.shift();
      this.#dead = 0;
    } else if (this.#dead >= DROP_TOGETHER) {
      epoch.t.splice(0, this.#dead);
      epoch.rows.splice(0, this.#dead);
      epoch.sketches.splice(0, this.#dead);
      this.#dead = 0;
    }
    return true;
  }

  #bytes(): number {
    return this.#points * BYTES_A_POINT + this.#sketchBytes;
  }
}

const NOTHING = new Float64Array(0);

function feedColumn(feed: SeriesFeed, { t, rows, sketches }: Epoch, column: number, begin: number, end: number): void {
  for (let i = begin; i < end; i++) {
    const value = (rows[i] as Float64Array)[column] as number;
    const sketch = sketches[i]?.get(column);
    if (sketch === undefined) feed.point(t[i] as number, value);
    else feed.observations(t[i] as number, value, sketch);
  }
}

function sameColumns(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [id, column] of a) if (b.get(id) !== column) return false;
  return true;
}

/** The first index from `start` on whose time is at or after `t`; with `past`, after it. */
function lowerBound(times: readonly number[], t: number, start: number, past = false): number {
  let low = start;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const time = times[middle] as number;
    if (time < t || (past && time === t)) low = middle + 1;
    else high = middle;
  }
  return low;
}
