import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadBinding } from '../../../src/stores/sqlite/binding.js';
import { type OpenSqliteOptions, openSqlite } from '../../../src/stores/sqlite/driver.js';

const SCHEMA = { name: 'a ledger', applicationId: 'VKTT', migrations: ['CREATE TABLE entry (id INTEGER PRIMARY KEY, note TEXT) STRICT'] };
const NEWER = { ...SCHEMA, migrations: [...SCHEMA.migrations, "ALTER TABLE entry ADD COLUMN author TEXT NOT NULL DEFAULT 'unknown'"] };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-driver-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (name = 'ledger.db', options: Partial<OpenSqliteOptions> = {}) =>
  openSqlite({ path: join(directory, name), schema: SCHEMA, ...options });

describe('openSqlite', () => {
  it('makes a file in WAL mode that commits to the disk and carries its kind and version', async () => {
    using database = await open();
    expect(database.pragma('journal_mode')).toBe('wal');
    expect(database.pragma('synchronous')).toBe(2);
    expect(database.pragma('application_id')).toBe(0x564b5454);
    expect(database.pragma('user_version')).toBe(1);
  });

  it('finds again what a closed connection has written', async () => {
    {
      using database = await open();
      database.write(() => database.prepare('INSERT INTO entry (note) VALUES (?)').run('kept'));
    }
    using again = await open();
    expect(again.prepare('SELECT note FROM entry').all()).toEqual([expect.objectContaining({ note: 'kept' })]);
  });

  it('migrates an older file and keeps what is in it', async () => {
    {
      using database = await open();
      database.write(() => database.prepare('INSERT INTO entry (note) VALUES (?)').run('old'));
    }
    using migrated = await open('ledger.db', { schema: NEWER });
    expect({ ...migrated.prepare('SELECT note, author FROM entry').get() }).toEqual({ note: 'old', author: 'unknown' });
    expect(migrated.pragma('user_version')).toBe(2);
  });

  it('leaves a whole older version behind when a migration fails', async () => {
    (await open()).close();
    const broken = { ...SCHEMA, migrations: [...SCHEMA.migrations, 'CREATE TABLE half (id INTEGER); CREATE TABLE entry (id INTEGER)'] };
    await expect(open('ledger.db', { schema: broken })).rejects.toThrow(/already exists/);
    using database = await open();
    expect(database.pragma('user_version')).toBe(1);
    expect(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get()).toBeUndefined();
  });

  it('refuses a file of a newer version, naming both', async () => {
    (await open('ledger.db', { schema: NEWER })).close();
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE', failure: 'newer_schema', message: expect.stringMatching(/version 2.*up to 1/) });
  });

  it('refuses a file that is no database and leaves it as it was', async () => {
    writeFileSync(join(directory, 'notes.txt'), 'dear diary, '.repeat(1000));
    await expect(open('notes.txt')).rejects.toMatchObject({ failure: 'not_a_database' });
    expect(readFileSync(join(directory, 'notes.txt'), 'utf8')).toBe('dear diary, '.repeat(1000));
  });

  it('refuses the database of another application and leaves it byte for byte as it was', async () => {
    const path = join(directory, 'other.db');
    const Connection = await loadBinding();
    const other = new Connection(path, { readOnly: false, timeout: 0 });
    other.exec('CREATE TABLE theirs (id INTEGER)');
    other.close();
    const before = readFileSync(path);
    await expect(open('other.db')).rejects.toMatchObject({ failure: 'foreign' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('names a directory that does not exist', async () => {
    await expect(open('absent/ledger.db')).rejects.toMatchObject({ failure: 'cannot_open', message: expect.stringContaining('absent/ledger.db') });
  });

  it('refuses in-memory names, misspelt options and unknown durabilities', async () => {
    await expect(openSqlite({ path: ':memory:', schema: SCHEMA })).rejects.toThrow(/path must name a file.*:memory:/);
    await expect(open('x.db', { readonly: true } as never)).rejects.toThrow(/did you mean "readOnly"/);
    await expect(open('x.db', { synchronous: 'off' as never })).rejects.toThrow(/synchronous must be one of "full", "normal", got "off"/);
  });

  describe('read-only', () => {
    it('reads beside a writer and refuses to write', async () => {
      using writer = await open();
      using reader = await open('ledger.db', { readOnly: true });
      const insert = 'INSERT INTO entry (note) VALUES (1)';
      writer.write(() => writer.prepare(insert).run());
      expect(reader.prepare('SELECT count(*) AS n FROM entry').get()?.n).toBe(1);
      expect(() => reader.write(() => reader.prepare(insert).run())).toThrow(expect.objectContaining({ failure: 'read_only' }));
    });

    it('makes no file', async () => {
      await expect(open('ledger.db', { readOnly: true })).rejects.toMatchObject({ failure: 'cannot_open' });
    });

    it('refuses an older file, since it may not migrate it', async () => {
      (await open()).close();
      await expect(open('ledger.db', { readOnly: true, schema: NEWER })).rejects.toMatchObject({ failure: 'older_schema' });
    });
  });
});

describe('SqliteDatabase', () => {
  it('undoes the whole of a transaction that throws, and lets the error through', async () => {
    using database = await open();
    const insert = database.prepare('INSERT INTO entry (note) VALUES (?)');
    expect(() =>
      database.write(() => {
        insert.run('first');
        throw new RangeError('second thoughts');
      }),
    ).toThrow(RangeError);
    expect(database.prepare('SELECT * FROM entry').all()).toEqual([]);
  });

  it('says that the disk is full, keeps what was committed, and serves again once there is room', async () => {
    using database = await open();
    const insert = database.prepare('INSERT INTO entry (note) VALUES (?)');
    database.write(() => insert.run('before'));
    database.pragma('max_page_count = 3');
    const fill = () => database.write(() => insert.run('x'.repeat(20_000)));
    expect(fill).toThrow(expect.objectContaining({ code: 'STORAGE', failure: 'full', message: expect.stringMatching(/disk is full/) }));
    expect(database.prepare('SELECT note FROM entry').all()).toHaveLength(1);
    database.pragma('max_page_count = 1000000');
    fill();
    expect(database.prepare('SELECT note FROM entry').all()).toHaveLength(2);
  });

  it('says that another process is writing when the lock does not come free in time', async () => {
    using one = await open();
    using other = await open('ledger.db', { busyTimeoutMs: 0 });
    one.write(() => {
      expect(() => other.write(() => {})).toThrow(expect.objectContaining({ failure: 'busy' }));
    });
  });

  it('leaves everything in the one file when it is closed, prepared statements or not', async () => {
    const database = await open();
    const insert = database.prepare('INSERT INTO entry (note) VALUES (?)');
    for (let i = 0; i < 100; i++) database.write(() => insert.run('x'.repeat(100)));
    database.close();
    copyFileSync(join(directory, 'ledger.db'), join(directory, 'moved.db'));
    using moved = await open('moved.db');
    expect(moved.prepare('SELECT note FROM entry').all()).toHaveLength(100);
  });

  it('can be closed twice, and says so when it is used after', async () => {
    const database = await open();
    const count = database.prepare('SELECT count(*) FROM entry');
    database.close();
    database.close();
    expect(() => database.read(() => count.get())).toThrow(expect.objectContaining({ failure: 'closed' }));
  });
});
