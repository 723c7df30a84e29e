import type { SqliteSchema } from './migrations.js';

/** The tables of an order journal. */
export const ORDER_JOURNAL_SCHEMA: SqliteSchema = {
  name: 'an order journal',
  applicationId: 'VKOJ',
  migrations: [
    `
    CREATE TABLE intent (
      id        INTEGER PRIMARY KEY,
      account   TEXT NOT NULL,
      intent_id TEXT NOT NULL,
      ended_at  REAL,                       -- our clock, when it became terminal; NULL while it is not
      compacted INTEGER NOT NULL DEFAULT 0, -- 1 when nothing but its final record is left
      UNIQUE (intent_id, account)
    ) STRICT;
    CREATE INDEX intent_unresolved ON intent (account, id) WHERE ended_at IS NULL;
    CREATE INDEX intent_ended ON intent (account, compacted, ended_at) WHERE ended_at IS NOT NULL;

    CREATE TABLE record (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, compaction or not
      intent   INTEGER NOT NULL REFERENCES intent (id),
      at       REAL NOT NULL,
      epoch    INTEGER NOT NULL,
      type     TEXT NOT NULL,
      body     TEXT NOT NULL                -- JSON
    ) STRICT;
    CREATE INDEX record_of_intent ON record (intent);

    CREATE TABLE lease (
      account    TEXT PRIMARY KEY,
      epoch      INTEGER NOT NULL,          -- rises with every holder, and stays when it leaves
      owner      TEXT NOT NULL,
      expires_at REAL NOT NULL,
      holder     TEXT                       -- JSON: which process; NULL when released
    ) STRICT;

    CREATE TABLE cursor (
      account  TEXT NOT NULL,
      name     TEXT NOT NULL,
      venue_ms REAL NOT NULL,
      PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};
