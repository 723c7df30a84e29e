import { randomUUID } from 'node:crypto';
import type { MetricStore, MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { abortable, throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, closedError, VenueKitError } from '../../core/errors.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { requireInteger, requireKnown, requirePositive } from '../../core/options.js';
import { identify, isCertainlyDead, type ProcessIdentity, procTable } from '../shared/process-identity.js';
import { feedFrom, requireRangeQuery } from '../shared/range-evaluation.js';
import { type RetentionPolicy, requireRetention } from '../shared/retention.js';
import { labelsOf, requireTick } from '../shared/series-key.js';
import { TickWindow } from '../shared/tick-window.js';
import { PostgresDatabase } from './database.js';
import { MetricCompactor } from './metric-compactor.js';
import { MetricLog } from './metric-log.js';
import { MetricReader } from './metric-reader.js';
import { MetricRetention } from './metric-retention.js';
import { METRIC_STORE_SCHEMA, SLOT_MS } from './metric-store-schema.js';
import { migrate, requireSchemaName } from './migrations.js';
import { PostgresError } from './postgres-error.js';
import type { PostgresPool } from './postgres-pool.js';
import { requireStorableText } from './storable-text.js';

/** How {@link postgresMetricStore} opens a store. */
export interface PostgresMetricStoreOptions {
  /** Each writing process has a name of its own; who reads gives the name of the one that he looks at. @defaultValue 'main' */
  readonly name?: string;
  /** For other processes, such as a dashboard. @defaultValue false */
  readonly readOnly?: boolean;
  /** Applied by itself, after each hour. @defaultValue none: the caller calls `retain` */
  readonly retention?: RetentionPolicy;
  /** Values of the newest ticks that the writer also keeps in memory, 8 bytes each; 0 for none. @defaultValue 1_000_000 */
  readonly recentPoints?: number;
  /** Where the tables are; made when absent. @defaultValue 'venuekit' */
  readonly schema?: string;
  /** How long one statement may take. @defaultValue 30_000 */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Hears of compactions that fail; they are tried again. */
  readonly logger?: Logger;
}

const OPTIONS = ['name', 'readOnly', 'retention', 'recentPoints', 'schema', 'timeoutMs', 'clock', 'logger'];
/** For so long is a writer that says nothing waited for, where it can't be known to be dead; a tick a second keeps it. */
const WRITER_MS = 10_000;
const LOOK_AGAIN_MS = 250;

/**
 * Opens a metric store in PostgreSQL, on the host's own pool: each tick is there when `append` resolves;
 * slots of ten minutes that are over are compressed, and rolled up to minutes and hours.
 *
 * @throws PostgresError when the server can't be reached, holds tables of a newer version, or another process writes under that name.
 * @example
 * await using store = await postgresMetricStore(pool, { name: 'bot-1', retention: DEFAULT_RETENTION });
 * registry.collect(store);
 */
export function postgresMetricStore(pool: PostgresPool, options: PostgresMetricStoreOptions = {}): Promise<PostgresMetricStore> {
  return PostgresMetricStore.open(pool, options);
}

/** See {@link postgresMetricStore}. */
export class PostgresMetricStore implements MetricStore {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #store: number;
  readonly #writer: string | undefined;
  readonly #log: MetricLog;
  readonly #reader: MetricReader;
  readonly #compactor: MetricCompactor;
  readonly #trimmer: MetricRetention;
  readonly #recent: TickWindow | undefined;
  readonly #retention: RetentionPolicy | undefined;
  readonly #logger: Logger;
  #last: number;
  #appending: Promise<unknown> = Promise.resolve();
  #maintenance: Promise<void> | undefined;
  #failure: Error | undefined;
  #nextSlotAt = 0;
  #closing: Promise<void> | undefined;

  private constructor(
    database: PostgresDatabase,
    schema: string,
    found: { readonly store: number; readonly last: number; readonly writer: string | undefined },
    { retention, recentPoints = 1_000_000, clock = systemClock, logger }: PostgresMetricStoreOptions,
  ) {
    const { store, last, writer } = found;
    this.#database = database;
    this.#schema = schema;
    this.#store = store;
    this.#writer = writer;
    this.#last = last;
    this.#log = new MetricLog(database, schema, store, writer ?? '');
    this.#reader = new MetricReader(database, schema, store, this.#log);
    this.#compactor = new MetricCompactor(database, schema, store, this.#log, clock);
    this.#trimmer = new MetricRetention(database, schema, store);
    this.#recent = writer !== undefined && recentPoints > 0 ? new TickWindow(recentPoints) : undefined;
    this.#retention = retention;
    this.#logger = redactingLogger(logger);
    if (writer !== undefined) this.#maintain();
  }

  /** @internal Use {@link postgresMetricStore}. */
  static async open(pool: PostgresPool, options: PostgresMetricStoreOptions): Promise<PostgresMetricStore> {
    requireKnown('postgresMetricStore', options, OPTIONS);
    const {
      name = 'main',
      readOnly = false,
      retention,
      recentPoints = 1_000_000,
      schema = 'venuekit',
      timeoutMs = 30_000,
      clock = systemClock,
    } = options;
    requireStorableText('name', name);
    requireSchemaName(schema);
    requireInteger('recentPoints', recentPoints);
    if (retention !== undefined) requireRetention(retention);
    const database = new PostgresDatabase(pool, clock, requirePositive('timeoutMs', timeoutMs));
    try {
      await migrate(database, schema, METRIC_STORE_SCHEMA);
      const found = readOnly ? await find(database, schema, name) : await claim(database, schema, name, clock);
      return new PostgresMetricStore(database, schema, found, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /**
   * Resolves when the tick survives the end of the process.
   * @throws VenueKitError TIME_BACKWARDS for a tick that is not after the last one; PostgresError `busy` where another process writes now.
   */
  append(tick: MetricTick): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('PostgresMetricStore'));
    // Now: the caller may change its array as soon as this has returned.
    const kept = tick.values instanceof Float64Array ? { ...tick, values: tick.values.slice() } : tick;
    const appended = this.#appending.then(() => this.#append(kept));
    this.#appending = appended.catch(() => {});
    return appended;
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    requireRangeQuery(query);
    if (this.#recent !== undefined && feedFrom(query) > (this.#recent.oldest ?? Infinity)) return this.#recent.query(query);
    return abortable(this.#reader.query(query), signal);
  }

  /** Drops what is older than the policy allows, counted from the newest tick; then, oldest and finest first, what is above `maxBytes`. */
  async retain(policy: RetentionPolicy): Promise<{ readonly freedBytes: number }> {
    this.#requireOpen();
    requireRetention(policy);
    // What is dropped must not be answered from memory.
    this.#recent?.clear();
    await this.#maintenance;
    return this.#trimmer.run(policy);
  }

  async series(signal?: AbortSignal): Promise<readonly SeriesKey[]> {
    this.#requireOpen();
    throwIfAborted(signal);
    const text = `SELECT name, labels FROM ${this.#schema}.metric_series WHERE store = $1`;
    const rows = await abortable(this.#database.query('list metrics', text, [this.#store]), signal);
    return rows.map(({ name, labels }) => ({ name: String(name), labels: labelsOf(String(labels)) }));
  }

  /** `points` counts raw points; `bytes` those of blobs and log, without what PostgreSQL adds to a row. */
  async stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }> {
    this.#requireOpen();
    return this.#trimmer.stats();
  }

  /** Epoch ms of the newest tick, whoever wrote it; undefined while there is none. */
  async newest(): Promise<number | undefined> {
    this.#requireOpen();
    const [row] = await this.#database.query('read metrics', `SELECT last_t FROM ${this.#schema}.metric_store WHERE id = $1`, [this.#store]);
    return row === undefined || Number(row.last_t) < 0 ? undefined : Number(row.last_t);
  }

  /** Resolves when all slots that are over have been compacted. @throws what stopped it. */
  async settled(): Promise<void> {
    while (this.#maintenance !== undefined) await this.#maintenance;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The pool stays open. Closing twice is fine. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #append(tick: MetricTick): Promise<void> {
    if (this.#writer === undefined) throw new PostgresError('forbidden', 'The metric store was opened for reading only.');
    requireTick(tick, this.#last);
    if (!(await this.#log.append(tick, this.#last))) throw await this.#refusal(tick.t);
    this.#last = tick.t;
    this.#recent?.add(tick);
    if (tick.t < this.#nextSlotAt) return;
    this.#nextSlotAt = (Math.floor(tick.t / SLOT_MS) + 1) * SLOT_MS;
    // Who appends faster than slots can be compacted waits; a bot's one tick a second never does.
    await this.#maintenance;
    this.#maintain();
  }

  async #refusal(t: number): Promise<Error> {
    const [row] = await this.#database.query('append metrics', `SELECT last_t, writer FROM ${this.#schema}.metric_store WHERE id = $1`, [
      this.#store,
    ]);
    if (row?.writer !== this.#writer)
      return new PostgresError(
        'busy',
        'Another process has begun to write metrics under this name, since this one said nothing for so long. Give each a name of its own.',
      );
    return new VenueKitError('TIME_BACKWARDS', `The tick of ${t} came after the one of ${Number(row?.last_t)}; ticks must move forward in time.`);
  }

  /** Compacts what is over, one run at a time. What fails is tried again with the next slot; the log keeps it. */
  #maintain(): void {
    if (this.#maintenance !== undefined || this.#closing !== undefined) return;
    const run = async (): Promise<void> => {
      const hasRolled = await this.#compactor.run();
      if (hasRolled && this.#retention !== undefined) await this.#trimmer.run(this.#retention);
      this.#failure = undefined;
    };
    this.#maintenance = run()
      .catch((error: unknown) => {
        this.#failure = asError(error);
        this.#logger.warn({ error }, 'metrics could not be compacted; it is tried again with the next slot');
      })
      .finally(() => {
        this.#maintenance = undefined;
      });
  }

  async #close(): Promise<void> {
    await this.#appending;
    await this.#maintenance;
    const text = `UPDATE ${this.#schema}.metric_store SET writer = NULL, holder = NULL, writes_until = '-infinity' WHERE id = $1 AND writer = $2`;
    // Where the server is away, its time runs out.
    if (this.#writer !== undefined) await this.#database.query('close the metric store', text, [this.#store, this.#writer]).catch(() => {});
    this.#database.close();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw closedError('PostgresMetricStore');
  }
}

interface Found {
  readonly store: number;
  readonly last: number;
  readonly writer: string | undefined;
}

async function find(database: PostgresDatabase, schema: string, name: string): Promise<Found> {
  const [row] = await database.query('open a metric store', `SELECT id, last_t FROM ${schema}.metric_store WHERE name = $1`, [name]);
  if (row === undefined)
    throw new PostgresError('other', `The schema ${schema} holds no metrics under the name ${JSON.stringify(name)}: nobody has written any.`);
  return { store: Number(row.id), last: Number(row.last_t), writer: undefined };
}

/** Makes this process the writer. One that was killed elsewhere is waited for. @throws PostgresError busy */
async function claim(database: PostgresDatabase, schema: string, name: string, clock: Clock): Promise<Found> {
  const action = 'open a metric store';
  const writer = randomUUID();
  const table = `${schema}.metric_store`;
  await database.query(action, `INSERT INTO ${table} (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, [name]);
  const take = `UPDATE ${table} SET writer = $2, holder = $3, writes_until = clock_timestamp() + interval '10 seconds'
    WHERE name = $1 AND (writer IS NULL OR writes_until <= clock_timestamp() OR writer = $4) RETURNING id, last_t`;
  let dead = '';
  for (const until = clock.monotonic() + WRITER_MS + LOOK_AGAIN_MS; ; ) {
    const [taken] = await database.query(action, take, [name, writer, JSON.stringify(identify(procTable)), dead]);
    if (taken !== undefined) return { store: Number(taken.id), last: Number(taken.last_t), writer };
    const [row] = await database.query(action, `SELECT writer, holder FROM ${table} WHERE name = $1`, [name]);
    const holder = typeof row?.holder === 'string' ? (JSON.parse(row.holder) as ProcessIdentity) : undefined;
    if (holder !== undefined && isCertainlyDead(holder, procTable)) dead = String(row?.writer);
    else if (clock.monotonic() >= until || holder === undefined || isAlive(holder))
      throw new PostgresError(
        'busy',
        `Metrics under the name ${JSON.stringify(name)} are being written by ${holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`}. Give each process a name of its own.`,
      );
    else await clock.sleep(LOOK_AGAIN_MS);
  }
}

/** Known to run, on this host: waiting for it is no use. */
function isAlive(holder: ProcessIdentity): boolean {
  const here = identify(procTable);
  return holder.host === here.host && holder.bootId !== undefined && holder.bootId === here.bootId && holder.pidNamespace === here.pidNamespace;
}
