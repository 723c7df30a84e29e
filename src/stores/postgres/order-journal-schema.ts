import type { PostgresSchema } from './migrations.js';

/** The tables of an order journal. */
export const ORDER_JOURNAL_SCHEMA: PostgresSchema = {
  part: 'order_journal',
  name: 'an order journal',
  migrations: [
    `
    CREATE TABLE $schema.intent (
      id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account   text NOT NULL,
      intent_id text NOT NULL,
      ended_at  double precision,               -- our clock, when it became terminal; NULL while it is not
      compacted boolean NOT NULL DEFAULT false, -- true when nothing but its final record is left
      UNIQUE (intent_id, account)
    );
    CREATE INDEX intent_unresolved ON $schema.intent (account, id) WHERE ended_at IS NULL;
    CREATE INDEX intent_ended ON $schema.intent (account, compacted, ended_at) WHERE ended_at IS NOT NULL;

    CREATE TABLE $schema.record (
      sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      intent   bigint NOT NULL REFERENCES $schema.intent (id) ON DELETE CASCADE,
      at       double precision NOT NULL,
      epoch    bigint NOT NULL,
      type     text NOT NULL,
      body     text NOT NULL                    -- JSON
    );
    CREATE INDEX record_of_intent ON $schema.record (intent, sequence);

    CREATE TABLE $schema.lease (
      account    text PRIMARY KEY,
      epoch      bigint NOT NULL,               -- rises with every holder, and stays when it leaves
      owner      text NOT NULL,
      expires_at timestamptz NOT NULL,          -- by the server's clock, which all hosts share
      holder     text,                          -- JSON: which process; NULL when released
      written    bigint NOT NULL DEFAULT 0      -- number of the holder's newest commit: one that was given up and comes late is refused
    ) WITH (fillfactor = 50);                   -- room for each commit's update in the same page

    CREATE TABLE $schema.cursor (
      account  text NOT NULL,
      name     text NOT NULL,
      venue_ms double precision NOT NULL,
      PRIMARY KEY (account, name)
    );
    `,
  ],
};
