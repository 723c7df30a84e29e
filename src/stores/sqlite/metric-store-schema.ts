import type { SqliteSchema } from './driver.js';

/** Points of one series that become one chunk. */
export const SLOT_MS = 600_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** Roll-up rows that share a blob: 2 hours of minutes, 5 days of hours. */
export const ROWS_A_BLOB = 120;
/** Series that the ids of chunks leave room for. */
export const MOST_SERIES: number = 2 ** 20;

/** Chunks and roll-ups have ids that grow with time, so that keeping and dropping are range operations at the ends of the file. */
export function blobId(period: number, series: number): number {
  return period * MOST_SERIES + series;
}

/**
 * `tick` is the recovery log: one row of floats a second, laid out by its epoch. A slot that is over
 * becomes one `chunk` a series, and rows of minutes (`r60`, `sk60`) and hours (`r3600`, `sk3600`).
 */
export const METRIC_STORE_SCHEMA: SqliteSchema = {
  name: 'a metric store',
  applicationId: 'vkms',
  migrations: [
    `
    CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels_json TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT,
      created INTEGER NOT NULL, last_seen INTEGER NOT NULL, UNIQUE (name, labels_json)) STRICT;
    CREATE TABLE birth (series INTEGER NOT NULL, t INTEGER NOT NULL, follows INTEGER NOT NULL, PRIMARY KEY (series, t)) STRICT, WITHOUT ROWID;
    CREATE TABLE epoch (id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, series_ids BLOB NOT NULL) STRICT;
    CREATE TABLE tick (t INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, d BLOB NOT NULL, sketches BLOB) STRICT;
    CREATE TABLE slot (id INTEGER PRIMARY KEY, ticks INTEGER NOT NULL, points INTEGER NOT NULL) STRICT;
    CREATE TABLE chunk (id INTEGER PRIMARY KEY, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, codec INTEGER NOT NULL, d BLOB NOT NULL) STRICT;
    CREATE TABLE r60 (id INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
    CREATE TABLE r3600 (id INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
    CREATE TABLE sk60 (id INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
    CREATE TABLE sk3600 (id INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
    CREATE TABLE alert_event (id INTEGER PRIMARY KEY, t INTEGER NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL, from_state TEXT NOT NULL,
      to_state TEXT NOT NULL, value REAL, labels_json TEXT NOT NULL, action_json TEXT NOT NULL) STRICT;
    CREATE INDEX alert_event_by_time ON alert_event (t);
    CREATE TABLE mark (name TEXT PRIMARY KEY, t INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO mark VALUES ('compacted', 0), ('hours', 0), ('raw', 0), ('minutes', 0);
    `,
    `
    CREATE INDEX alert_event_by_alert ON alert_event (fingerprint, id);
    CREATE TABLE alert_action (id INTEGER PRIMARY KEY, t INTEGER NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL, action TEXT NOT NULL,
      outcome TEXT NOT NULL, record_json TEXT NOT NULL) STRICT;
    CREATE INDEX alert_action_by_time ON alert_action (t);
    CREATE TABLE alert_silence (id TEXT PRIMARY KEY, until INTEGER NOT NULL, silence_json TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO mark VALUES ('alert_tick', 0), ('alert_step', 0);
    `,
  ],
};
