import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { JournalRecord } from '../../../src/contracts/journal.js';
import { systemClock } from '../../../src/core/clock.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type PostgresOrderJournalOptions, postgresOrderJournal } from '../../../src/stores/postgres/index.js';
import { type JournalUnderTest, orderJournalContract } from '../../../src/testing/contracts/order-journal-contract.js';
import { CuttableLink } from '../../setup/cuttable-link.js';
import { HAS_POSTGRES, PostgresServer } from '../../setup/postgres-server.js';

let server: PostgresServer;
let pool: pg.Pool;
let schemas = 0;

const nextSchema = () => `test_${++schemas}`;

const draft = (intentId: string, epoch: number, over: Partial<JournalRecord> = {}) => ({
  account: 'main',
  intentId,
  at: 1_000,
  epoch,
  type: 'prepared',
  body: { intentId },
  ...over,
});

/** A journal in a schema of its own. */
async function givenAJournal(options: PostgresOrderJournalOptions = {}) {
  const schema = options.schema ?? nextSchema();
  return { schema, journal: await postgresOrderJournal(pool, { ...options, schema }) };
}

/** Lets time pass for the leases as the server has them. */
const age = (schema: string, ms: number) => pool.query(`UPDATE ${schema}.lease SET expires_at = expires_at - $1 * interval '1 millisecond'`, [ms]);

async function journalUnderTest(): Promise<JournalUnderTest> {
  const clock = new ManualClock(1_700_000_000_000);
  const { schema, journal } = await givenAJournal({ clock });
  const opened = [journal];
  return {
    journal,
    passTime: async (ms) => {
      await age(schema, ms);
      await clock.advance(ms);
      // The lease looks for a takeover by a query of its own.
      await systemClock.sleep(30);
    },
    reopen: async () => {
      await opened.at(-1)?.close();
      const next = await postgresOrderJournal(pool, { clock, schema });
      opened.push(next);
      return next;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of opened) await one.close();
    },
  };
}

describe.skipIf(!HAS_POSTGRES)('the order journal on PostgreSQL (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  beforeAll(async () => {
    server = await PostgresServer.start();
    pool = server.pool({ max: 6 });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  describe('keeps the contract', () => {
    for (const { name, run } of orderJournalContract({ open: journalUnderTest })) it(name, run);
  });

  it('lets several processes make the tables at once', async () => {
    const schema = nextSchema();
    const pools = Array.from({ length: 6 }, () => server.pool({ max: 2 }));
    const journals = await Promise.all(pools.map((one) => postgresOrderJournal(one, { schema })));
    const { epoch } = await journals[0]!.acquire('main', 'a', 5_000);
    await journals[0]!.append([draft('i', epoch)]);
    expect(await journals[5]!.byIntent('i')).toHaveLength(1);
    for (const journal of journals) await journal.close();
  });

  it('refuses tables of a newer version, and says so', async () => {
    const { schema, journal } = await givenAJournal();
    await journal.close();
    await pool.query(`UPDATE ${schema}.version SET version = 99`);
    await expect(postgresOrderJournal(pool, { schema })).rejects.toMatchObject({
      code: 'JOURNAL',
      retryable: false,
      message: expect.stringMatching(/version 99, and this venuekit knows versions up to 1: a newer one/),
    });
  });

  it('commits durably, and warns once, where the server does not wait for its disk', async () => {
    const relaxed = server.pool({ max: 2, options: '-c synchronous_commit=off' });
    const bus = new EventBus();
    const told: unknown[] = [];
    bus.on('journal.durability', ({ setting }) => told.push(setting));
    const schema = nextSchema();
    const journal = await postgresOrderJournal(relaxed, { schema, bus });
    const { epoch } = await journal.acquire('main', 'a', 5_000);
    // What the transaction commits with, as its own trigger sees it.
    await pool.query(`CREATE TABLE ${schema}.seen (setting text);
      CREATE FUNCTION ${schema}.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ${schema}.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER look AFTER INSERT ON ${schema}.record DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.look()`);
    await journal.append([draft('i', epoch)]);
    expect((await pool.query(`SELECT setting FROM ${schema}.seen`)).rows).toEqual([{ setting: 'on' }]);
    expect((await relaxed.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
    expect(told).toEqual(['synchronous_commit', 'fsync']);
    await journal.close();
  });

  it('gives an account whose holder is a dead process of this host away at once', async () => {
    const { schema, journal } = await givenAJournal();
    const { epoch } = await journal.acquire('main', 'a', 60_000);
    await expect(journal.acquire('main', 'a', 60_000)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await pool.query(`UPDATE ${schema}.lease SET holder = jsonb_set(holder::jsonb, '{startTime}', '"1"')::text`);
    expect((await journal.acquire('main', 'b', 60_000)).epoch).toBe(epoch + 1);
    await journal.close();
  });

  it('gives an account to one of many that ask for it at once', async () => {
    const { journal } = await givenAJournal();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => journal.acquire('main', `bot-${i}`, 60_000)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await journal.close();
  });

  it('refuses a commit that was given up and reaches the server after a later one', async () => {
    const link = await CuttableLink.to(server.port);
    // One connection, so that the statement that is held up is the first.
    const far = server.pool({ max: 1, port: link.port });
    const { schema, journal: near } = await givenAJournal();
    await near.close();
    const clock = new ManualClock();
    const journal = await postgresOrderJournal(far, { schema, timeoutMs: 300, clock });
    const { epoch } = await journal.acquire('main', 'a', 60_000);
    await journal.append([draft('first', epoch)]);
    link.cut();
    const late = expect(journal.append([draft('held up', epoch)])).rejects.toMatchObject({ code: 'JOURNAL', retryable: true });
    // On its way, as far as the link.
    await systemClock.sleep(100);
    await clock.advance(300);
    await late;
    const commits = await pool.query(`SELECT written FROM ${schema}.lease`);
    expect(commits.rows).toEqual([{ written: '1' }]);
    // A later commit came through, as over another connection.
    await pool.query(`UPDATE ${schema}.lease SET written = 3`);
    link.mend();
    await expect.poll(async () => (await pool.query('SELECT count(*) FROM pg_stat_activity WHERE state = $1', ['active'])).rows[0].count).toBe('1');
    expect(await journal.byIntent('held up')).toEqual([]);
    await journal.close();
    await link[Symbol.asyncDispose]();
  });

  it('refuses ids that would come back as others', async () => {
    const { journal } = await givenAJournal();
    const { epoch } = await journal.acquire('main', 'a', 60_000);
    for (const id of ['half \uD800', 'nul \0']) await expect(journal.append([draft(id, epoch)])).rejects.toThrow(/intentId must be well-formed text/);
    await journal.append([draft('whole 😀', epoch, { body: { text: 'half \uD800, nul \0' } })]);
    expect((await journal.byIntent('whole 😀'))[0]?.body).toEqual({ text: 'half \uD800, nul \0' });
    await journal.close();
  });

  it('reads thousands of unresolved intents whole, while others are added', async () => {
    const { journal } = await givenAJournal();
    const { epoch } = await journal.acquire('main', 'a', 60_000);
    const ids = Array.from({ length: 450 }, (_, i) => `i${i}`);
    await Promise.all(ids.map((id) => journal.append([draft(id, epoch), draft(id, epoch, { type: 'sending' })])));
    const found: string[] = [];
    for await (const records of journal.unresolved('main')) {
      expect(records).toHaveLength(2);
      found.push(records[0]!.intentId);
      if (found.length === 1) await journal.append([draft('late', epoch)]);
    }
    expect(new Set(found)).toEqual(new Set(ids));
    await journal.close();
  });

  it('fails an append with a clear error while the server is away, and goes on when it is back', async () => {
    const { journal } = await givenAJournal();
    const { epoch } = await journal.acquire('main', 'a', 60_000);
    await journal.append([draft('before', epoch)]);
    await server.kill();
    await expect(journal.append([draft('meanwhile', epoch)])).rejects.toMatchObject({ code: 'JOURNAL', sent: 'no', retryable: true });
    await server.restart();
    await expect
      .poll(
        () =>
          journal.append([draft('after', epoch)]).then(
            () => 'written',
            () => 'refused',
          ),
        { timeout: 10_000 },
      )
      .toBe('written');
    expect(await journal.byIntent('before')).toHaveLength(1);
    expect(await journal.byIntent('meanwhile')).toEqual([]);
    await journal.close();
  });

  it('refuses what is no pool, and options that can not be meant', async () => {
    await expect(postgresOrderJournal({} as never)).rejects.toThrow(/pool must be an object with a method connect/);
    await expect(postgresOrderJournal(pool, { schema: 'Robert"); DROP' })).rejects.toThrow(/schema must be a name of at most 63/);
    await expect(postgresOrderJournal(pool, { shema: 'x' } as never)).rejects.toThrow(/did you mean "schema"/);
  });
});
