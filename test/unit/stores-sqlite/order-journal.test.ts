import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JournalRecord, OrderJournal } from '../../../src/contracts/journal.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { openSqlite, type SqliteDatabase } from '../../../src/stores/sqlite/driver.js';
import { SqliteOrderJournal, type SqliteOrderJournalOptions } from '../../../src/stores/sqlite/order-journal.js';
import { ORDER_JOURNAL_SCHEMA } from '../../../src/stores/sqlite/order-journal-schema.js';

// Gives the tests the connection of the journal opened last, to set a size limit on it: the limit is a connection's own.
const opened = vi.hoisted(() => ({ last: undefined as SqliteDatabase | undefined }));
vi.mock('../../../src/stores/sqlite/driver.js', async (original) => {
  const driver = await original<typeof import('../../../src/stores/sqlite/driver.js')>();
  return { ...driver, openSqlite: async (options: Parameters<typeof openSqlite>[0]) => (opened.last = await driver.openSqlite(options)) };
});

const DAY_MS = 86_400_000;
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-journal-'));
  path = join(directory, 'orders.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (options: Partial<SqliteOrderJournalOptions> = {}) => SqliteOrderJournal.open({ path, ...options });

const record = (intentId: string, type: string, more: Partial<JournalRecord> = {}) => ({
  account: 'main',
  intentId,
  at: 1_000,
  epoch: 1,
  type,
  body: { note: `${intentId} ${type}` },
  ...more,
});

const settled = (intentId: string, more: Partial<JournalRecord> = {}) =>
  record(intentId, 'settled', { body: { state: 'filled', payloadHash: `hash of ${intentId}`, view: { state: 'filled' } }, ...more });

async function givenAHeldJournal(options: Partial<SqliteOrderJournalOptions> = {}) {
  const journal = await open(options);
  const lease = await journal.acquire('main', 'bot-a', 5_000);
  return { journal, lease };
}

async function typesOf(journal: OrderJournal, intentId: string): Promise<string[]> {
  return (await journal.byIntent(intentId)).map(({ type }) => type);
}

async function unresolvedIds(journal: OrderJournal, account = 'main'): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for await (const records of journal.unresolved(account)) ids.push(records[0]?.intentId);
  return ids;
}

describe('SqliteOrderJournal', () => {
  it('gives back what was appended, in order and unchanged, to whoever opens the file next', async () => {
    const body = { qty: '0.00000001', nested: [{ a: null }], text: 'ünïcode " \n' };
    {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('a', 'prepared', { at: 1_700_000_000_000.25, body }), record('a', 'sending')]);
      await journal.append([record('a', 'verdict')]);
    }
    await using again = await open();
    const records = await again.byIntent('a');
    expect(records.map(({ type }) => type)).toEqual(['prepared', 'sending', 'verdict']);
    expect(records[0]).toEqual({ sequence: 1, account: 'main', intentId: 'a', at: 1_700_000_000_000.25, epoch: 1, type: 'prepared', body });
  });

  it('numbers concurrent appends in the order in which they were called', async () => {
    await using journal = (await givenAHeldJournal()).journal;
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => journal.append([record(`i${i}`, 'prepared')])));
    const sequences = await Promise.all(Array.from({ length: 1_200 }, async (_, i) => (await journal.byIntent(`i${i}`))[0]?.sequence));
    expect(sequences).toEqual(Array.from({ length: 1_200 }, (_, i) => i + 1));
  });

  it('lets concurrent appends share commits', async () => {
    await using journal = (await givenAHeldJournal()).journal;
    const writes = vi.spyOn(opened.last as SqliteDatabase, 'write');
    await Promise.all(Array.from({ length: 100 }, (_, i) => journal.append([record(`i${i}`, 'prepared'), record(`i${i}`, 'sending')])));
    expect(writes.mock.calls.length).toBeLessThanOrEqual(2);
    expect(await unresolvedIds(journal)).toHaveLength(100);
  });

  it('refuses one append of a shared commit without failing the others', async () => {
    await using journal = (await givenAHeldJournal()).journal;
    const outcomes = await Promise.allSettled([
      journal.append([record('a', 'prepared')]),
      journal.append([record('b', 'prepared'), record('b', 'sending', { epoch: 7 })]),
      journal.append([record('c', 'prepared')]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await typesOf(journal, 'b')).toEqual([]);
    expect(await unresolvedIds(journal)).toEqual(['a', 'c']);
  });

  it('refuses what can not be JSON, naming the record, and writes nothing of that append', async () => {
    await using journal = (await givenAHeldJournal()).journal;
    await expect(journal.append([record('a', 'prepared'), record('a', 'sending', { body: 10n })])).rejects.toThrow(/sending of intent a.*JSON/);
    await expect(journal.append([record('a', 'sending', { body: undefined })])).rejects.toThrow(/JSON, got undefined/);
    await expect(journal.append([record('a', 'sending', { at: Number.NaN })])).rejects.toThrow(/at must be a finite number.*NaN/);
    await expect(journal.append([record('', 'sending')])).rejects.toThrow(/intentId must be a non-empty string/);
    expect(await typesOf(journal, 'a')).toEqual([]);
  });

  it('keeps the same intent id of two accounts apart', async () => {
    await using journal = (await givenAHeldJournal()).journal;
    await journal.acquire('second', 'bot-a', 5_000);
    await journal.append([record('a', 'prepared'), record('a', 'prepared', { account: 'second' }), settled('a')]);
    expect((await journal.byIntent('a')).map(({ account }) => account)).toEqual(['main', 'second', 'main']);
    expect(await unresolvedIds(journal, 'main')).toEqual([]);
    expect(await unresolvedIds(journal, 'second')).toEqual(['a']);
  });

  describe('unresolved', () => {
    it('leaves out what has ended and brings it back when a late fill comes', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('a', 'prepared'), record('b', 'prepared'), settled('a')]);
      expect(await unresolvedIds(journal)).toEqual(['b']);
      await journal.append([record('a', 'fill')]);
      expect(await unresolvedIds(journal)).toEqual(['a', 'b']);
    });

    it('allows appends while it is read, and ends although they keep coming', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('a', 'prepared'), record('b', 'prepared')]);
      const seen: (string | undefined)[] = [];
      for await (const records of journal.unresolved('main')) {
        seen.push(records[0]?.intentId);
        await journal.append([record(`new ${seen.length}`, 'prepared'), settled('b')]);
      }
      expect(seen).toEqual(['a']);
    });
  });

  describe('cursors', () => {
    it('keeps the newest position of each name and account', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      expect(await journal.cursor('main', 'fills')).toBeUndefined();
      await journal.setCursor('main', 'fills', 100, 1);
      await journal.setCursor('main', 'fills', 250.5, 1);
      await journal.setCursor('main', 'orders', 7, 1);
      expect(await journal.cursor('main', 'fills')).toBe(250.5);
      expect(await journal.cursor('main', 'orders')).toBe(7);
      expect(await journal.cursor('second', 'fills')).toBeUndefined();
    });

    it('refuses a stale epoch', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await expect(journal.setCursor('main', 'fills', 100, 0)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      expect(await journal.cursor('main', 'fills')).toBeUndefined();
    });
  });

  describe('compact', () => {
    it('shrinks what ended before that time to its settled record, and nothing else', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('old', 'prepared'), record('old', 'fill'), settled('old', { at: 2_000 })]);
      await journal.append([record('late', 'prepared'), settled('late', { at: 3_000 })]);
      await journal.append([record('open', 'prepared')]);
      expect(await journal.compact('main', 3_000, 1)).toBe(1);
      expect(await journal.byIntent('old')).toMatchObject([{ type: 'settled', body: { payloadHash: 'hash of old' } }]);
      expect(await typesOf(journal, 'late')).toEqual(['prepared', 'settled']);
      expect(await unresolvedIds(journal)).toEqual(['open']);
    });

    it('counts an intent once, and again only after something was added to it', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('a', 'prepared'), settled('a')]);
      expect(await journal.compact('main', 5_000, 1)).toBe(1);
      expect(await journal.compact('main', 5_000, 1)).toBe(0);
      await journal.append([record('a', 'fill'), settled('a')]);
      expect(await journal.compact('main', 5_000, 1)).toBe(1);
      expect(await typesOf(journal, 'a')).toEqual(['settled']);
    });

    it('gets through more than one step, with appends in between', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await Promise.all(Array.from({ length: 450 }, (_, i) => journal.append([record(`i${i}`, 'prepared'), settled(`i${i}`)])));
      const [count] = await Promise.all([journal.compact('main', 5_000, 1), journal.append([record('meanwhile', 'prepared')])]);
      expect(count).toBe(450);
      expect(await typesOf(journal, 'meanwhile')).toEqual(['prepared']);
    });

    it('never gives the sequence of a record that it dropped to another', async () => {
      await using journal = (await givenAHeldJournal({ retentionMs: 1 })).journal;
      await journal.append([record('a', 'prepared'), settled('a')]);
      await journal.compact('main', 50_000, 1);
      await journal.append([record('b', 'prepared')]);
      expect((await journal.byIntent('b'))[0]?.sequence).toBe(3);
    });

    it('forgets an ended intent after the retention, ninety days unless told otherwise', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('a', 'prepared'), settled('a', { at: 1_000 })]);
      await journal.compact('main', 90 * DAY_MS + 1_000, 1);
      expect(await typesOf(journal, 'a')).toEqual(['settled']);
      await journal.compact('main', 90 * DAY_MS + 1_001, 1);
      expect(await typesOf(journal, 'a')).toEqual([]);
    });

    it('refuses a stale epoch', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await expect(journal.compact('main', 1, 9)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    });
  });

  describe('the writer lease', () => {
    it('refuses a second client of the same process, naming the holder and when its lease ends', async () => {
      const clock = new ManualClock(Date.UTC(2026, 0, 1, 12));
      const { journal } = await givenAHeldJournal({ clock });
      await using second = await open({ clock });
      await expect(second.acquire('main', 'bot-b', 5_000)).rejects.toMatchObject({
        code: 'JOURNAL_LOCKED',
        retryable: true,
        retryAfterMs: 5_000,
        message: expect.stringMatching(new RegExp(`bot-a \\(process ${process.pid} on .*2026-01-01 12:00:05 UTC`)),
      });
      await expect(journal.acquire('main', 'bot-a', 5_000)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      expect((await second.acquire('other account', 'bot-b', 5_000)).epoch).toBe(1);
      await journal.close();
    });

    it('lets the next client in at once after release, with a higher epoch', async () => {
      const { journal, lease } = await givenAHeldJournal();
      await lease.release();
      await lease.release();
      expect(lease.lost.aborted).toBe(false);
      await expect(journal.append([record('a', 'prepared')])).rejects.toMatchObject({
        code: 'JOURNAL_LOCKED',
        message: expect.stringContaining('released'),
      });
      await expect(lease.renew()).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      await using second = await open();
      expect((await second.acquire('main', 'bot-b', 5_000)).epoch).toBe(2);
      await journal.close();
    });

    it('ends with the journal', async () => {
      const { journal, lease } = await givenAHeldJournal();
      await journal.close();
      expect(lease.lost.reason).toMatchObject({ code: 'CLOSED' });
      await using second = await open();
      expect((await second.acquire('main', 'bot-b', 5_000)).epoch).toBe(2);
    });

    it('is held for as long as it is renewed', async () => {
      const clock = new ManualClock();
      const { journal, lease } = await givenAHeldJournal({ clock });
      await using second = await open({ clock });
      for (let i = 0; i < 5; i++) {
        await clock.advance(4_000);
        await lease.renew();
      }
      await clock.advance(4_999);
      await expect(second.acquire('main', 'bot-b', 5_000)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED', retryAfterMs: 1 });
      expect(lease.lost.aborted).toBe(false);
      await journal.close();
    });

    it('can be taken over when it was not renewed in time; what the old holder writes then is refused and the new one goes on', async () => {
      const clock = new ManualClock();
      const { journal, lease } = await givenAHeldJournal({ clock });
      await using second = await open({ clock });
      await clock.advance(5_000);
      expect((await second.acquire('main', 'bot-b', 5_000)).epoch).toBe(2);
      await expect(journal.append([record('a', 'prepared')])).rejects.toMatchObject({
        code: 'JOURNAL_LOCKED',
        message: expect.stringContaining('bot-b'),
      });
      await expect(lease.renew()).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      await second.append([record('b', 'prepared', { epoch: 2 })]);
      await journal.close();
      await second.append([record('b', 'sending', { epoch: 2 })]);
      expect(await unresolvedIds(second)).toEqual(['b']);
    });

    it('tells its holder of a takeover, though it writes nothing', async () => {
      const clock = new ManualClock();
      const { journal, lease } = await givenAHeldJournal({ clock });
      await using second = await open({ clock });
      await clock.advance(5_000);
      await second.acquire('main', 'bot-b', 5_000);
      await clock.advance(5_000);
      expect(lease.lost.reason).toMatchObject({ code: 'JOURNAL_LOCKED', message: expect.stringContaining('taken') });
      await journal.close();
    });

    it('can still be renewed after its time by a holder that was held up, when nobody wanted it', async () => {
      const clock = new ManualClock();
      const { journal, lease } = await givenAHeldJournal({ clock });
      await using second = await open({ clock });
      await clock.advance(60_000);
      expect(lease.lost.aborted).toBe(false);
      await lease.renew();
      await expect(second.acquire('main', 'bot-b', 5_000)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      await journal.append([record('a', 'prepared')]);
      await journal.close();
    });

    it('is seen to be lost at the first write after a takeover, even where no timer has run', async () => {
      const frozen = new ManualClock(1_000_000);
      const { journal, lease } = await givenAHeldJournal({ clock: frozen });
      await using second = await open({ clock: new ManualClock(2_000_000) });
      await second.acquire('main', 'bot-b', 5_000);
      expect(lease.lost.aborted).toBe(false);
      await expect(journal.append([record('a', 'prepared')])).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      expect(lease.lost.aborted).toBe(true);
      await journal.close();
      await second.append([record('b', 'prepared', { epoch: 2 })]);
    });

    it('refuses what makes no sense', async () => {
      await using journal = await open();
      await expect(journal.acquire('', 'bot', 5_000)).rejects.toThrow(/account must be a non-empty string/);
      await expect(journal.acquire('main', 'bot', 0)).rejects.toThrow(/ttlMs must be a finite number above 0, got 0/);
    });
  });

  describe('the file', () => {
    it('is refused when it is no journal, with a JOURNAL error that says so', async () => {
      writeFileSync(path, 'x'.repeat(10_000));
      await expect(open()).rejects.toMatchObject({ code: 'JOURNAL', message: expect.stringContaining('no SQLite database') });
      rmSync(path);
      (await openSqlite({ path, schema: { name: 'metrics', applicationId: 'VKMS', migrations: ['CREATE TABLE x (a)'] } })).close();
      await expect(open()).rejects.toMatchObject({ code: 'JOURNAL', message: expect.stringContaining('not an order journal') });
    });

    it('is refused when a newer venuekit wrote it', async () => {
      const migrations = [...ORDER_JOURNAL_SCHEMA.migrations, 'CREATE TABLE future (a)'];
      (await openSqlite({ path, schema: { ...ORDER_JOURNAL_SCHEMA, migrations } })).close();
      await expect(open()).rejects.toMatchObject({ code: 'JOURNAL', message: expect.stringMatching(/version 2.*newer one/) });
    });

    it('rejects every append of a commit when the disk is full, keeps what was acknowledged, and goes on once there is room', async () => {
      await using journal = (await givenAHeldJournal()).journal;
      await journal.append([record('before', 'prepared')]);
      const limit = (pages: number) => opened.last?.pragma(`max_page_count = ${pages}`);
      limit(1);
      const big = { body: 'x'.repeat(50_000) };
      const outcomes = await Promise.allSettled([journal.append([record('a', 'prepared', big)]), journal.append([record('b', 'prepared', big)])]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: { code: 'JOURNAL', sent: 'no', retryable: true, message: expect.stringMatching(/disk is full/) },
        });
      }
      expect(await unresolvedIds(journal)).toEqual(['before']);
      limit(1_000_000);
      await journal.append([record('after', 'prepared', big)]);
      expect(await unresolvedIds(journal)).toEqual(['before', 'after']);
    });

    it('acknowledges nothing once the disk has failed to confirm a write', async () => {
      await using journal = await open();
      // What fdatasync gives for a device that can't be synced stands for a disk that fails.
      renameSync(`${path}-wal`, `${path}-moved`);
      symlinkSync('/dev/null', `${path}-wal`);
      const refused = { code: 'JOURNAL', message: expect.stringMatching(/did not confirm.*Reopen/) };
      await expect(journal.acquire('main', 'bot-a', 5_000)).rejects.toMatchObject(refused);
      rmSync(`${path}-wal`);
      renameSync(`${path}-moved`, `${path}-wal`);
      await expect(journal.acquire('main', 'bot-a', 5_000)).rejects.toMatchObject(refused);
      await journal.close();
      const again = await givenAHeldJournal();
      await again.journal.append([record('a', 'prepared', { epoch: again.lease.epoch })]);
      await again.journal.close();
    });

    it('survives a torn write-ahead log: what was cut off is gone, what came before is whole', async () => {
      const { journal } = await givenAHeldJournal();
      for (const id of ['a', 'b', 'c']) await journal.append([record(id, 'prepared')]);
      // A copy taken while it is open is what a power loss leaves behind: the log not yet moved into the file.
      const copy = join(directory, 'copy.db');
      copyFileSync(path, copy);
      const log = readFileSync(`${path}-wal`);
      await journal.close();
      // The last commit's final frame is cut in the middle.
      writeFileSync(`${copy}-wal`, log.subarray(0, lengthOfLog(log) - 2_000));
      await using recovered = await open({ path: copy });
      expect(await unresolvedIds(recovered)).toEqual(['a', 'b']);
      expect(await recovered.integrity()).toEqual([]);
    });

    it('says that it is damaged rather than giving half of what it held', async () => {
      const { journal } = await givenAHeldJournal();
      await Promise.all(Array.from({ length: 300 }, (_, i) => journal.append([record(`i${i}`, 'prepared')])));
      await journal.close();
      const bytes = readFileSync(path);
      bytes.fill(0xff, 4096 * 3, bytes.length - 4096);
      writeFileSync(path, bytes);
      const read = async () => {
        await using damaged = await open();
        const problems = await damaged.integrity();
        expect(problems.length).toBeGreaterThan(0);
        return await unresolvedIds(damaged);
      };
      await expect(read()).rejects.toMatchObject({ code: 'JOURNAL', message: expect.stringContaining('damaged') });
    });

    it('finds the log of a journal that is opened through a symbolic link', async () => {
      (await open()).close();
      const link = join(directory, 'link.db');
      symlinkSync(path, link);
      await using journal = (await givenAHeldJournal({ path: link })).journal;
      await journal.append([record('a', 'prepared')]);
      expect(await typesOf(journal, 'a')).toEqual(['prepared']);
    });

    it('can be read while another client writes it, and not written', async () => {
      const { journal } = await givenAHeldJournal();
      await journal.append([record('a', 'prepared'), settled('b')]);
      await using reader = await open({ readOnly: true });
      const ids: (string | undefined)[] = [];
      for await (const records of reader.intents()) ids.push(records[0]?.intentId);
      expect(ids).toEqual(['a', 'b']);
      expect(await reader.leases()).toMatchObject([{ account: 'main', epoch: 1, owner: 'bot-a', holder: { pid: process.pid } }]);
      await expect(reader.acquire('other', 'viewer', 1_000)).rejects.toMatchObject({
        code: 'JOURNAL',
        message: expect.stringContaining('only be read'),
      });
      await journal.close();
    });
  });

  it('finishes what is being written when it is closed, and refuses what comes after', async () => {
    const { journal } = await givenAHeldJournal();
    const appending = journal.append([record('a', 'prepared')]);
    const closing = journal.close();
    await expect(journal.append([record('b', 'prepared')])).rejects.toMatchObject({ code: 'CLOSED' });
    await appending;
    await closing;
    await journal.close();
    await expect(journal.byIntent('a')).rejects.toMatchObject({ code: 'CLOSED' });
    await using again = await open();
    expect(await unresolvedIds(again)).toEqual(['a']);
  });

  it('refuses options that do not exist or make no sense', async () => {
    await expect(open({ sync: 'full' } as never)).rejects.toThrow(/no option "sync"/);
    await expect(open({ synchronous: 'off' as never })).rejects.toThrow(/synchronous must be one of/);
    await expect(open({ retentionMs: -1 })).rejects.toThrow(/retentionMs must be/);
    await expect(open({ path: ':memory:' })).rejects.toThrow(/path must name a file/);
  });
});

/** Bytes of the frames of the newest generation: a log that was begun anew keeps the tail of the older one. */
function lengthOfLog(log: Buffer): number {
  const frame = 24 + log.readUInt32BE(8);
  let end = 32;
  while (end + frame <= log.length && log.readUInt32BE(end + 8) === log.readUInt32BE(16) && log.readUInt32BE(end + 12) === log.readUInt32BE(20))
    end += frame;
  return end;
}
