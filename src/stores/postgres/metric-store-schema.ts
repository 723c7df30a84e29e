import type { PostgresSchema } from './migrations.js';

/** Points of one series that become one chunk. */
export const SLOT_MS = 600_000;
export const HOUR_MS = 3_600_000;

/** What a blob is of: points and minutes by slot, hours by hour. */
export const TIER = { points: 0, minutes: 1, minuteSketches: 2, hours: 3, hourSketches: 4 } as const;

/**
 * `metric_tick` is the recovery log: one row of floats a second, laid out as its layout says. A slot of ten minutes that is over
 * becomes a blob a series of points, minutes and, hour by hour, hours; `metric_period` says what there is and how large.
 */
export const METRIC_STORE_SCHEMA: PostgresSchema = {
  part: 'metric_store',
  name: 'a metric store',
  migrations: [
    `
    CREATE TABLE $schema.metric_store (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE,
      last_t bigint NOT NULL DEFAULT -1, compacted bigint NOT NULL DEFAULT 0, hours bigint NOT NULL DEFAULT 0,
      raw bigint NOT NULL DEFAULT 0, minutes bigint NOT NULL DEFAULT 0,
      writer text, holder text, writes_until timestamptz NOT NULL DEFAULT '-infinity'
    ) WITH (fillfactor = 50);
    CREATE TABLE $schema.metric_series (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, store integer NOT NULL, name text NOT NULL, labels text NOT NULL,
      is_histogram boolean NOT NULL DEFAULT false, last_seen bigint NOT NULL, UNIQUE (store, name, labels)
    );
    CREATE TABLE $schema.metric_birth (series integer NOT NULL, t bigint NOT NULL, follows bigint NOT NULL, PRIMARY KEY (series, t));
    CREATE TABLE $schema.metric_layout (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, store integer NOT NULL, series bytea NOT NULL);
    CREATE TABLE $schema.metric_tick (
      store integer NOT NULL, t bigint NOT NULL, layout integer NOT NULL, d bytea NOT NULL, sketches bytea, PRIMARY KEY (store, t)
    );
    ALTER TABLE $schema.metric_tick ALTER d SET STORAGE EXTERNAL, ALTER sketches SET STORAGE EXTERNAL;
    CREATE TABLE $schema.metric_blob (
      store integer NOT NULL, tier smallint NOT NULL, period bigint NOT NULL, series integer NOT NULL, d bytea NOT NULL,
      PRIMARY KEY (store, tier, period, series)
    );
    ALTER TABLE $schema.metric_blob ALTER d SET STORAGE EXTERNAL;
    CREATE TABLE $schema.metric_period (
      store integer NOT NULL, tier smallint NOT NULL, period bigint NOT NULL, points bigint NOT NULL, bytes bigint NOT NULL,
      PRIMARY KEY (store, tier, period)
    );
    `,
  ],
};
