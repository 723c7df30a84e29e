import { type RetentionPolicy, requireRetention } from '../shared/retention.js';
import type { PostgresDatabase } from './database.js';
import { HOUR_MS, SLOT_MS, TIER } from './metric-store-schema.js';

/** Tiers that are dropped together, the finest first, and how long a period of each is. */
const DROPS = [
  { tiers: [TIER.points], periodMs: SLOT_MS, mark: 'raw' },
  { tiers: [TIER.minutes, TIER.minuteSketches], periodMs: SLOT_MS, mark: 'minutes' },
  { tiers: [TIER.hours, TIER.hourSketches], periodMs: HOUR_MS, mark: undefined },
] as const;

/** Drops what is too old or too much. PostgreSQL uses the room again. */
export class MetricRetention {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #store: number;

  constructor(database: PostgresDatabase, schema: string, store: number) {
    this.#database = database;
    this.#schema = schema;
    this.#store = store;
  }

  async run(policy: RetentionPolicy): Promise<{ readonly freedBytes: number }> {
    const { rawMs, minuteMs, hourMs, maxBytes = Infinity } = requireRetention(policy);
    const before = (await this.stats()).bytes;
    const [row] = await this.#query(`SELECT last_t FROM ${this.#schema}.metric_store WHERE id = $1`);
    const now = Number(row?.last_t);
    for (const [i, keepMs] of [rawMs, minuteMs, hourMs].entries()) {
      const drop = DROPS[i] as (typeof DROPS)[number];
      await this.#drop(drop, Math.floor((now - keepMs) / drop.periodMs));
    }
    const oldest = Math.floor(now - Math.max(rawMs, minuteMs, hourMs));
    await this.#query(
      `DELETE FROM ${this.#schema}.metric_birth USING ${this.#schema}.metric_series AS known WHERE known.id = series AND known.store = $1 AND t < $2`,
      oldest,
    );
    await this.#query(`DELETE FROM ${this.#schema}.metric_series WHERE store = $1 AND last_seen < $2`, oldest);
    await this.#shrinkTo(maxBytes);
    return { freedBytes: Math.max(0, before - (await this.stats()).bytes) };
  }

  async stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }> {
    const [row] = await this.#query(`SELECT
      (SELECT count(*) FROM ${this.#schema}.metric_series WHERE store = $1) AS series,
      (SELECT coalesce(sum(points), 0) FROM ${this.#schema}.metric_period WHERE store = $1)
        + (SELECT coalesce(sum(octet_length(d) / 8), 0) FROM ${this.#schema}.metric_tick WHERE store = $1) AS points,
      (SELECT coalesce(sum(bytes), 0) FROM ${this.#schema}.metric_period WHERE store = $1)
        + (SELECT coalesce(sum(octet_length(d) + coalesce(octet_length(sketches), 0)), 0) FROM ${this.#schema}.metric_tick WHERE store = $1) AS bytes`);
    return { series: Number(row?.series), points: Number(row?.points), bytes: Number(row?.bytes) };
  }

  /** The finest tier first: it is the largest, and the coarser ones still tell what it was. */
  async #shrinkTo(maxBytes: number): Promise<void> {
    while ((await this.stats()).bytes > maxBytes) {
      const text = `SELECT tier, min(period) AS period FROM ${this.#schema}.metric_period WHERE store = $1 GROUP BY tier ORDER BY tier LIMIT 1`;
      const [oldest] = await this.#query(text);
      const drop = DROPS.find(({ tiers }) => (tiers as readonly number[]).includes(Number(oldest?.tier)));
      if (drop === undefined) return;
      await this.#drop(drop, Number(oldest?.period) + 1);
    }
  }

  async #drop({ tiers, periodMs, mark }: (typeof DROPS)[number], below: number): Promise<void> {
    if (!(below > 0)) return;
    await this.#database.transaction('drop old metrics', async (run) => {
      if (mark !== undefined)
        await run(`UPDATE ${this.#schema}.metric_store SET ${mark} = greatest(${mark}, $2) WHERE id = $1`, [this.#store, below * periodMs]);
      for (const table of ['metric_blob', 'metric_period'])
        await run(`DELETE FROM ${this.#schema}.${table} WHERE store = $1 AND tier = ANY($2) AND period < $3`, [this.#store, tiers, below]);
    });
  }

  #query(text: string, ...values: readonly unknown[]): ReturnType<PostgresDatabase['query']> {
    return this.#database.query('look after metrics', text, [this.#store, ...values]);
  }
}
