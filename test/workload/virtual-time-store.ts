import type { MetricStore, MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../src/contracts/metric-store.js';

/** Columns of a tick that are kept. */
interface Kept {
  readonly from: readonly SeriesKey[];
  readonly series: readonly SeriesKey[];
  readonly columns: readonly number[];
}

/**
 * A store that leaves out what Node says of its own process: under virtual time an hour of the bot
 * takes seconds of the process, whose memory, delays and collections then say nothing of the bot, and
 * are not the same twice.
 */
export class VirtualTimeStore implements MetricStore {
  readonly #store: MetricStore;
  #kept: Kept = { from: [], series: [], columns: [] };

  constructor(store: MetricStore) {
    this.#store = store;
  }

  append({ t, series, values, sketches }: MetricTick): Promise<void> {
    if (this.#kept.from !== series || this.#kept.from.length !== series.length) this.#kept = keep(series);
    const { columns } = this.#kept;
    const moved = new Map<number, Uint8Array>();
    for (const [to, column] of columns.entries()) {
      const sketch = sketches?.get(column);
      if (sketch !== undefined) moved.set(to, sketch);
    }
    return this.#store.append({ t, series: this.#kept.series, values: Float64Array.from(columns, (column) => values[column]!), sketches: moved });
  }

  query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    return this.#store.query(query, signal);
  }

  retain(policy: Parameters<MetricStore['retain']>[0]): ReturnType<MetricStore['retain']> {
    return this.#store.retain(policy);
  }

  stats(): ReturnType<MetricStore['stats']> {
    return this.#store.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

function keep(series: readonly SeriesKey[]): Kept {
  const columns = [...series.keys()].filter((column) => !series[column]!.name.startsWith('venuekit_process_'));
  return { from: series, series: columns.map((column) => series[column]!), columns };
}
