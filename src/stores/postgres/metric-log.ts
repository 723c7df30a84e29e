import type { MetricTick, SeriesKey } from '../../contracts/metric-store.js';
import { type LoggedTick, loggedTick, NO_SKETCHES, SketchPacker } from '../shared/logged-tick.js';
import { labelsJson } from '../shared/series-key.js';
import type { PostgresDatabase, Run } from './database.js';

/** What the series of ticks are, for as long as they stay the same. */
interface Layout {
  readonly id: number;
  readonly series: readonly SeriesKey[];
  readonly ids: Uint32Array;
  readonly histograms: Set<number>;
}

/** Ticks as they come, one row each. */
export class MetricLog {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #store: number;
  readonly #writer: string;
  readonly #layouts = new Map<number, Uint32Array>();
  readonly #packer = new SketchPacker();
  #layout: Layout | undefined;

  constructor(database: PostgresDatabase, schema: string, store: number, writer: string) {
    this.#database = database;
    this.#schema = schema;
    this.#store = store;
    this.#writer = writer;
  }

  /**
   * Writes a tick. It survives the end of this process, and of the server's; a crash of the server's
   * machine may take the last second.
   * @param last - time of the tick before
   * @returns false where this is not the store's writer, or a later tick is there
   */
  async append({ t, series, values, sketches = NO_SKETCHES }: MetricTick, last: number): Promise<boolean> {
    const layout = await this.#layoutFor(series, t, last);
    await this.#markHistograms(layout, sketches);
    const text = `WITH head AS (
        UPDATE ${this.#schema}.metric_store SET last_t = $2, writes_until = clock_timestamp() + interval '10 seconds'
        WHERE id = $1 AND last_t < $2 AND writer = $6 RETURNING 1)
      INSERT INTO ${this.#schema}.metric_tick SELECT $1, $2, $3, $4, $5 FROM head RETURNING set_config('synchronous_commit', 'off', true)`;
    const d = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const packed = this.#packer.pack(sketches);
    return (await this.#database.query('append metrics', text, [this.#store, t, layout.id, d, packed, this.#writer])).length === 1;
  }

  /** At most `limit` ticks of [from, to), in order. */
  async read(run: Run, from: number, to: number, limit: number): Promise<LoggedTick[]> {
    const text = `SELECT t, layout, d, sketches FROM ${this.#schema}.metric_tick WHERE store = $1 AND t >= $2 AND t < $3 ORDER BY t LIMIT $4`;
    const rows = await run(text, [this.#store, from, to, limit]);
    const ticks: LoggedTick[] = [];
    for (const row of rows) ticks.push(loggedTick(row, await this.#idsOf(run, Number(row.layout))));
    return ticks;
  }

  async #layoutFor(series: readonly SeriesKey[], t: number, last: number): Promise<Layout> {
    const current = this.#layout;
    if (current !== undefined && current.series === series && current.ids.length === series.length) return current;
    const { ids, histograms } = await this.#idsFor(series, t);
    if (current !== undefined && ids.length === current.ids.length && ids.every((id, column) => id === current.ids[column])) {
      this.#layout = { ...current, series };
      return this.#layout;
    }
    const text = `INSERT INTO ${this.#schema}.metric_layout (store, series) VALUES ($1, $2) RETURNING id`;
    const [row] = await this.#database.query('append metrics', text, [this.#store, Buffer.from(ids.buffer)]);
    if (current !== undefined) {
      const before = new Set(current.ids);
      const born = [...ids].filter((id) => !before.has(id));
      const births = `INSERT INTO ${this.#schema}.metric_birth SELECT unnest($1::integer[]), $2, $3 ON CONFLICT (series, t) DO UPDATE SET follows = excluded.follows`;
      if (born.length > 0) await this.#database.query('append metrics', births, [born, t, last]);
    }
    this.#layout = { id: Number(row?.id), series, ids, histograms };
    return this.#layout;
  }

  async #idsFor(series: readonly SeriesKey[], t: number): Promise<{ readonly ids: Uint32Array; readonly histograms: Set<number> }> {
    const names = series.map(({ name }) => name);
    const labels = series.map((key) => labelsJson(key.labels));
    if (new Set(names.map((name, i) => `${name}${labels[i]}`)).size !== series.length)
      throw new RangeError('series must differ in name or labels, got one twice');
    const table = `${this.#schema}.metric_series`;
    const add = `INSERT INTO ${table} (store, name, labels, last_seen) SELECT $1, name, labels, $4 FROM unnest($2::text[], $3::text[]) AS given (name, labels)
      ON CONFLICT (store, name, labels) DO NOTHING`;
    await this.#database.query('append metrics', add, [this.#store, names, labels, t]);
    const find = `SELECT id, is_histogram FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (name, labels, n)
      JOIN ${table} AS known ON known.store = $1 AND known.name = given.name AND known.labels = given.labels ORDER BY n`;
    const rows = await this.#database.query('append metrics', find, [this.#store, names, labels]);
    return {
      ids: Uint32Array.from(rows, ({ id }) => Number(id)),
      histograms: new Set(rows.filter((row) => row.is_histogram === true).map(({ id }) => Number(id))),
    };
  }

  async #markHistograms({ ids, histograms }: Layout, sketches: ReadonlyMap<number, Uint8Array>): Promise<void> {
    const fresh = [...sketches.keys()].map((column) => ids[column] as number).filter((id) => !histograms.has(id));
    if (fresh.length === 0) return;
    await this.#database.query('append metrics', `UPDATE ${this.#schema}.metric_series SET is_histogram = true WHERE id = ANY($1)`, [fresh]);
    for (const id of fresh) histograms.add(id);
  }

  async #idsOf(run: Run, layout: number): Promise<Uint32Array> {
    const known = this.#layouts.get(layout);
    if (known !== undefined) return known;
    const [row] = await run(`SELECT series FROM ${this.#schema}.metric_layout WHERE id = $1`, [layout]);
    const ids = new Uint32Array(Uint8Array.from(row?.series as Uint8Array).buffer);
    this.#layouts.set(layout, ids);
    return ids;
  }
}
