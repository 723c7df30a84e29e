import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessTable } from '../../../src/stores/shared/process-identity.js';
import { openSqlite, type SqliteDatabase } from '../../../src/stores/sqlite/driver.js';
import { LeaseTable } from '../../../src/stores/sqlite/lease-table.js';
import { ORDER_JOURNAL_SCHEMA } from '../../../src/stores/sqlite/order-journal-schema.js';

let directory: string;
let database: SqliteDatabase;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-lease-'));
  database = await openSqlite({ path: join(directory, 'orders.db'), schema: ORDER_JOURNAL_SCHEMA });
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A process of this host; those whose pid is in `running` are alive. */
function givenAProcess(pid: number, running: ReadonlySet<number>): LeaseTable {
  const processes: ProcessTable = {
    host: 'box',
    pid,
    bootId: () => 'boot 1',
    pidNamespace: () => 'pid:[1]',
    process: (other) => (running.has(other) ? { state: 'S', startTime: String(other) } : undefined),
  };
  return new LeaseTable(database, processes);
}

describe('LeaseTable', () => {
  it('gives the account of a dead process to the next one at once, with a higher epoch', () => {
    const running = new Set([1, 2]);
    const [first, second] = [givenAProcess(1, running), givenAProcess(2, running)];
    expect(database.write(() => first.take('main', 'bot-a', 60_000, 1_000))).toBe(1);
    expect(() => database.write(() => second.take('main', 'bot-b', 60_000, 1_001))).toThrow(expect.objectContaining({ code: 'JOURNAL_LOCKED' }));
    running.delete(1);
    expect(database.write(() => second.take('main', 'bot-b', 60_000, 1_002))).toBe(2);
    expect(database.write(() => first.renew('main', 1, 99_000))).toBe(false);
  });

  it('leaves a live process its account until its time is up, to the millisecond', () => {
    const running = new Set([1, 2]);
    const [first, second] = [givenAProcess(1, running), givenAProcess(2, running)];
    database.write(() => first.take('main', 'bot-a', 5_000, 1_000));
    expect(() => database.write(() => second.take('main', 'bot-b', 5_000, 5_999))).toThrow(/bot-a \(process 1 on box\)/);
    expect(database.write(() => second.take('main', 'bot-b', 5_000, 6_000))).toBe(2);
  });

  it('does not let a stale release end the lease of the next holder', () => {
    const leases = givenAProcess(1, new Set([1]));
    database.write(() => leases.take('main', 'bot-a', 5_000, 1_000));
    database.write(() => leases.take('main', 'bot-b', 5_000, 6_000));
    database.write(() => leases.release('main', 1));
    expect(leases.find('main')).toMatchObject({ owner: 'bot-b', epoch: 2, expiresAt: 11_000, holder: { pid: 1 } });
  });
});
