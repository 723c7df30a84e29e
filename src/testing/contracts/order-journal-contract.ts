import assert from 'node:assert/strict';
import type { JournalRecord, OrderJournal } from '../../contracts/journal.js';
import { SETTLED } from '../../contracts/journal-records.js';
import { assertCode, type ContractCase, casesOf, collect } from './contract-case.js';

/** A journal on storage of its own, empty at first. */
export interface JournalUnderTest extends AsyncDisposable {
  readonly journal: OrderJournal;
  /** Lets that much time pass, so that leases run out. */
  passTime(ms: number): void | Promise<void>;
  /** Closes the journal and opens the same storage again, as a restart does. Absent: nothing survives, and durability is not asked for. */
  reopen?(): Promise<OrderJournal>;
}

const TTL_MS = 1_000;
const ACCOUNT = 'main';

type Draft = Omit<JournalRecord, 'sequence'>;

/** What every order journal must keep to; run it on your own. */
export function orderJournalContract(options: { readonly open: () => JournalUnderTest | Promise<JournalUnderTest> }): readonly ContractCase[] {
  return casesOf(options.open, { ...recordRules, ...leaseRules, ...compactionRules, ...durabilityRules });
}

function draft(intentId: string, epoch: number, over: Partial<Draft> = {}): Draft {
  return { account: ACCOUNT, intentId, at: 1_000, epoch, type: 'prepared', body: { intentId }, ...over };
}

function settled(intentId: string, epoch: number, over: Partial<Draft> = {}): Draft {
  return draft(intentId, epoch, {
    type: SETTLED,
    body: { state: 'filled', payloadHash: `hash of ${intentId}`, view: { intentId, filledQty: '1.50' } },
    ...over,
  });
}

async function unresolvedIds(journal: OrderJournal, account = ACCOUNT): Promise<string[]> {
  return (await collect(journal.unresolved(account))).map((records) => records[0]?.intentId ?? '').sort();
}

const recordRules: Readonly<Record<string, (subject: JournalUnderTest) => Promise<void>>> = {
  'gives back the records of an intent as they were appended, in order': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    const body = { text: 'ä "quoted" \n', list: [1, '0.10', null, { deep: true }], none: null };
    await journal.append([draft('i1', epoch), draft('i2', epoch)]);
    await journal.append([draft('i1', epoch, { type: 'sending', at: 2_000, body })]);
    const records = await journal.byIntent('i1');
    assert.deepEqual(
      records,
      [draft('i1', epoch), draft('i1', epoch, { type: 'sending', at: 2_000, body })].map((one, i) => ({ ...one, sequence: records[i]!.sequence })),
    );
    assert.ok(records[0]!.sequence < records[1]!.sequence, 'sequence must ascend');
    assert.deepEqual(await journal.byIntent('never seen'), []);
  },
  'keeps every one of many concurrent appends': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    const ids = Array.from({ length: 50 }, (_, i) => `i${i}`);
    await Promise.all(ids.map((id) => journal.append([draft(id, epoch), draft(id, epoch, { type: 'sending' })])));
    const sequences = new Set<number>();
    for (const id of ids) {
      const records = await journal.byIntent(id);
      assert.deepEqual(
        records.map(({ type }) => type),
        ['prepared', 'sending'],
      );
      for (const { sequence } of records) sequences.add(sequence);
    }
    assert.equal(sequences.size, 100, 'no sequence may be given twice');
  },
  'takes an empty append': async ({ journal }) => {
    await journal.append([]);
  },
  'appends all of a group or, where one record may not be written, none': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    await assertCode(() => journal.append([draft('good', epoch), draft('stale', epoch - 1)]), 'JOURNAL_LOCKED', 'an append with a stale epoch');
    assert.deepEqual(await journal.byIntent('good'), []);
    await journal.append([draft('good', epoch)]);
    assert.equal((await journal.byIntent('good')).length, 1);
  },
  'gives as unresolved the intents that have not ended, each with all its records': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    await journal.append([draft('open', epoch), draft('over', epoch), draft('again', epoch)]);
    await journal.append([draft('open', epoch, { type: 'sending' }), settled('over', epoch), settled('again', epoch)]);
    await journal.append([draft('again', epoch, { type: 'fill' })]);
    const found = await collect(journal.unresolved(ACCOUNT));
    assert.deepEqual(
      Object.fromEntries(found.map((records) => [records[0]!.intentId, records.map(({ type }) => type)])),
      { open: ['prepared', 'sending'], again: ['prepared', SETTLED, 'fill'] },
      'a late fill opens an intent again',
    );
  },
  'keeps the newest value of each cursor': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    assert.equal(await journal.cursor(ACCOUNT, 'fills'), undefined);
    await journal.setCursor(ACCOUNT, 'fills', 1_700_000_000_123, epoch);
    await journal.setCursor(ACCOUNT, 'fills', 1_700_000_000_456, epoch);
    await journal.setCursor(ACCOUNT, 'orders', 5, epoch);
    assert.equal(await journal.cursor(ACCOUNT, 'fills'), 1_700_000_000_456);
    assert.equal(await journal.cursor(ACCOUNT, 'orders'), 5);
    assert.equal(await journal.cursor('other', 'fills'), undefined);
  },
  'keeps accounts apart': async ({ journal }) => {
    const main = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    const other = await journal.acquire('other', 'b', TTL_MS);
    await journal.append([draft('mine', main.epoch), draft('theirs', other.epoch, { account: 'other' })]);
    assert.deepEqual(await unresolvedIds(journal), ['mine']);
    assert.deepEqual(await unresolvedIds(journal, 'other'), ['theirs']);
  },
  'closes twice, and refuses everything after': async ({ journal }) => {
    const lease = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    await journal[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
    assert.ok(lease.lost.aborted, 'closing the journal ends its leases');
    await assertCode(() => journal.append([draft('late', lease.epoch)]), 'CLOSED', 'an append after closing');
    await assertCode(() => journal.byIntent('late'), 'CLOSED', 'a read after closing');
  },
};

const leaseRules: Readonly<Record<string, (subject: JournalUnderTest) => Promise<void>>> = {
  'lets one writer have an account': async ({ journal }) => {
    const lease = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    await assertCode(() => journal.acquire(ACCOUNT, 'second', TTL_MS), 'JOURNAL_LOCKED', 'a second writer');
    await lease.release();
    const next = await journal.acquire(ACCOUNT, 'second', TTL_MS);
    assert.ok(next.epoch > lease.epoch, `a later lease needs a higher epoch, got ${next.epoch} after ${lease.epoch}`);
  },
  'ends a lease when it is disposed, also twice': async ({ journal }) => {
    const lease = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    await lease[Symbol.asyncDispose]();
    await lease[Symbol.asyncDispose]();
    await journal.acquire(ACCOUNT, 'second', TTL_MS);
  },
  'never ends another’s lease with a late release of an old one': async (subject) => {
    const { journal } = subject;
    const old = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    await subject.passTime(TTL_MS + 1);
    const current = await journal.acquire(ACCOUNT, 'second', TTL_MS);
    await old.release();
    await journal.append([draft('i', current.epoch)]);
    await assertCode(() => journal.acquire(ACCOUNT, 'third', TTL_MS), 'JOURNAL_LOCKED', 'a third writer');
  },
  'lets a lease go on for as long as it is renewed': async (subject) => {
    const { journal } = subject;
    const lease = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    for (let i = 0; i < 3; i++) {
      await subject.passTime(TTL_MS * 0.6);
      await lease.renew();
    }
    await assertCode(() => journal.acquire(ACCOUNT, 'second', TTL_MS), 'JOURNAL_LOCKED', 'a second writer');
    assert.equal(lease.lost.aborted, false);
  },
  'refuses everything from an epoch that another has followed': async (subject) => {
    const { journal } = subject;
    const old = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    await journal.append([draft('i', old.epoch)]);
    await subject.passTime(TTL_MS + 1);
    const current = await journal.acquire(ACCOUNT, 'second', TTL_MS);
    assert.ok(current.epoch > old.epoch);
    await assertCode(() => journal.append([draft('i', old.epoch, { type: 'sending' })]), 'JOURNAL_LOCKED', 'an append of the old epoch');
    await assertCode(() => journal.setCursor(ACCOUNT, 'fills', 1, old.epoch), 'JOURNAL_LOCKED', 'a cursor of the old epoch');
    await assertCode(() => journal.compact(ACCOUNT, 1, old.epoch), 'JOURNAL_LOCKED', 'a compaction of the old epoch');
    await assertCode(() => old.renew(), 'JOURNAL_LOCKED', 'a renewal of the old lease');
    assert.ok(old.lost.aborted, 'a lease that could not be renewed is lost');
    await journal.append([draft('i', current.epoch, { type: 'sending' })]);
    assert.deepEqual(
      (await journal.byIntent('i')).map(({ epoch }) => epoch),
      [old.epoch, current.epoch],
    );
  },
  'refuses an epoch that was never given': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'first', TTL_MS);
    await assertCode(() => journal.append([draft('i', epoch + 1)]), 'JOURNAL_LOCKED', 'an append of a made-up epoch');
  },
};

const compactionRules: Readonly<Record<string, (subject: JournalUnderTest) => Promise<void>>> = {
  'shrinks what ended before the given time to its end, and leaves the rest alone': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    for (const id of ['old', 'recent', 'open']) await journal.append([draft(id, epoch), draft(id, epoch, { type: 'sending' })]);
    await journal.append([settled('old', epoch, { at: 5_000 }), settled('recent', epoch, { at: 6_000 })]);
    assert.equal(await journal.compact(ACCOUNT, 6_000, epoch), 1);
    const [end, ...others] = await journal.byIntent('old');
    assert.equal(others.length, 0);
    assert.deepEqual({ type: end?.type, body: end?.body }, { type: SETTLED, body: settled('old', epoch).body }, 'payload hash and final view stay');
    assert.equal((await journal.byIntent('recent')).length, 3);
    assert.equal((await journal.byIntent('open')).length, 2);
    assert.equal(await journal.compact(ACCOUNT, 6_000, epoch), 0, 'what is shrunk is not counted again');
  },
  'opens a compacted intent again when a late record comes': async ({ journal }) => {
    const { epoch } = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    await journal.append([draft('i', epoch), settled('i', epoch)]);
    await journal.compact(ACCOUNT, 2_000, epoch);
    assert.deepEqual(await unresolvedIds(journal), []);
    await journal.append([draft('i', epoch, { type: 'fill', at: 3_000 })]);
    const [records] = await collect(journal.unresolved(ACCOUNT));
    assert.deepEqual(
      records?.map(({ type }) => type),
      [SETTLED, 'fill'],
    );
  },
  'compacts one account only': async ({ journal }) => {
    const main = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    const other = await journal.acquire('other', 'a', TTL_MS);
    await journal.append([draft('m', main.epoch), settled('m', main.epoch)]);
    await journal.append([draft('o', other.epoch, { account: 'other' }), settled('o', other.epoch, { account: 'other' })]);
    assert.equal(await journal.compact(ACCOUNT, 2_000, main.epoch), 1);
    assert.equal((await journal.byIntent('o')).length, 2);
  },
  'keeps the order of the records of two accounts with one intent id': async ({ journal }) => {
    const main = await journal.acquire(ACCOUNT, 'a', TTL_MS);
    const other = await journal.acquire('other', 'a', TTL_MS);
    await journal.append([draft('i', main.epoch), settled('i', main.epoch)]);
    await journal.append([draft('i', other.epoch, { account: 'other' }), settled('i', other.epoch, { account: 'other' })]);
    assert.equal(await journal.compact(ACCOUNT, 2_000, main.epoch), 1);
    const records = await journal.byIntent('i');
    assert.deepEqual(
      records.map(({ account }) => account),
      [ACCOUNT, 'other', 'other'],
    );
    assert.ok(
      records.every(({ sequence }, i) => i === 0 || sequence > (records[i - 1]?.sequence ?? 0)),
      'byIntent gives the oldest first',
    );
  },
};

const durabilityRules: Readonly<Record<string, (subject: JournalUnderTest) => Promise<void>>> = {
  'forgets nothing over a restart: records, ends, cursors, and epochs already given': async (subject) => {
    if (subject.reopen === undefined) return;
    const lease = await subject.journal.acquire(ACCOUNT, 'a', TTL_MS);
    const { epoch } = lease;
    await subject.journal.append([draft('open', epoch), draft('over', epoch)]);
    await subject.journal.append([settled('over', epoch)]);
    await subject.journal.setCursor(ACCOUNT, 'fills', 42, epoch);
    const before = await subject.journal.byIntent('open');
    const journal = await subject.reopen();
    assert.deepEqual(await journal.byIntent('open'), before);
    assert.deepEqual(await unresolvedIds(journal), ['open']);
    assert.equal(await journal.cursor(ACCOUNT, 'fills'), 42);
    const next = await journal.acquire(ACCOUNT, 'b', TTL_MS);
    assert.ok(next.epoch > epoch, `an epoch must never be given again, got ${next.epoch} after ${epoch}`);
    await journal.append([draft('open', next.epoch, { type: 'sending' })]);
    const after = await journal.byIntent('open');
    assert.ok(after.at(-1)!.sequence > before.at(-1)!.sequence, 'sequences go on');
  },
};
