import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';
import { type JournalUnderTest, orderJournalContract } from '../../../src/testing/index.js';

const inMemory = (make = (clock: ManualClock) => new MemoryOrderJournal({ clock })): JournalUnderTest => {
  const clock = new ManualClock();
  const subject = make(clock);
  return { journal: subject, passTime: (ms) => clock.advance(ms), [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() };
};

const onDisk = async (): Promise<JournalUnderTest> => {
  const clock = new ManualClock();
  const folder = await mkdtemp(join(tmpdir(), 'venuekit-journal-'));
  const open = () => SqliteOrderJournal.open({ path: join(folder, 'orders.db'), clock });
  let journal = await open();
  return {
    journal,
    passTime: (ms) => clock.advance(ms),
    reopen: async () => {
      await journal.close();
      journal = await open();
      return journal;
    },
    [Symbol.asyncDispose]: async () => {
      await journal.close();
      await rm(folder, { recursive: true });
    },
  };
};

describe('orderJournalContract on MemoryOrderJournal', () => {
  for (const { name, run } of orderJournalContract({ open: () => inMemory() })) it(name, run);
});

describe('orderJournalContract on SqliteOrderJournal', () => {
  for (const { name, run } of orderJournalContract({ open: onDisk })) it(name, run);
});

describe('orderJournalContract', () => {
  const brokenRules = async (make: (clock: ManualClock) => MemoryOrderJournal): Promise<string[]> => {
    const broken: string[] = [];
    for (const { name, run } of orderJournalContract({ open: () => inMemory(make) })) await run().catch(() => broken.push(name));
    return broken;
  };

  it('fails for a journal that takes appends of any epoch, at the rules that forbid it and no other', async () => {
    class Careless extends MemoryOrderJournal {
      #newest = 0;
      override async acquire(...args: Parameters<MemoryOrderJournal['acquire']>) {
        const lease = await super.acquire(...args);
        this.#newest = lease.epoch;
        return lease;
      }
      override append(records: Parameters<MemoryOrderJournal['append']>[0]): Promise<void> {
        return super.append(records.map((record) => ({ ...record, epoch: this.#newest })));
      }
    }
    expect(await brokenRules((clock) => new Careless({ clock }))).toEqual([
      'appends all of a group or, where one record may not be written, none',
      'refuses everything from an epoch that another has followed',
      'refuses an epoch that was never given',
    ]);
  });

  it('fails for a journal that loses what was appended over a restart', async () => {
    const forgetful = (): JournalUnderTest => {
      const subject = inMemory();
      return {
        ...subject,
        reopen: async () => new MemoryOrderJournal({ clock: new ManualClock() }),
        [Symbol.asyncDispose]: subject[Symbol.asyncDispose],
      };
    };
    const rule = orderJournalContract({ open: forgetful }).find(({ name }) => name.includes('restart'));
    await expect(rule?.run()).rejects.toThrow();
  });
});
