import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { OrderJournal } from '../../../src/contracts/journal.js';
import { silentLogger } from '../../../src/core/logger.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { JournalWriter } from '../../../src/trading/journal-writer.js';
import { entry } from '../../../src/trading/order-entry.js';

/** A journal whose commits the test ends, one by one. */
function givenAWriter() {
  const commits: { readonly types: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const journal = {
    append: (records: Parameters<OrderJournal['append']>[0]) =>
      new Promise<void>((resolve, reject) => {
        commits.push({
          types: records.map(({ intentId, type }) => `${intentId} ${type}`),
          end: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
  } as unknown as OrderJournal;
  const clock = new ManualClock();
  return { clock, commits, writer: new JournalWriter({ journal, account: 'main', clock, bus: new EventBus(), logger: silentLogger }) };
}

const absent = entry('absent', 0, { upTo: 1, venueTime: 0, provenPast: 0, misses: 2 });
const sending = entry('sending', 0, { attempt: 1, venueNow: 0 });
const FULL = new Error('ENOSPC: no space left on device');

describe('JournalWriter', () => {
  it('holds a flush until a proof that another write has taken along is durable (simulation seed 500049)', async () => {
    const { clock, commits, writer } = givenAWriter();
    writer.note('a', absent);
    const first = writer.append('b', [sending]);
    let isFlushed = false;
    const flushed = writer.flush('a').then(() => {
      isFlushed = true;
    });
    // The write that carries the proof fails, and the next one takes it along before the flush can.
    const failed = first.catch(() => writer.append('c', [sending]));
    commits[0]!.end(FULL);
    await clock.advance(0);
    expect(commits.map(({ types }) => types)).toEqual([
      ['a absent', 'b sending'],
      ['a absent', 'c sending'],
    ]);
    expect(isFlushed).toBe(false);
    commits[1]!.end();
    await failed;
    await flushed;
    expect(commits).toHaveLength(2);
  });

  it('tells whether what was noted so far is durable, and does not wait for what is noted meanwhile', async () => {
    const { clock, commits, writer } = givenAWriter();
    expect(await writer.flushNoted()).toBe(true);
    writer.note('a', absent);
    const first = writer.flushNoted();
    writer.note('b', absent);
    commits[0]!.end();
    expect(await first).toBe(true);
    expect(commits.map(({ types }) => types)).toEqual([['a absent']]);
    const second = writer.flushNoted();
    commits[1]!.end(FULL);
    expect(await second).toBe(false);
    // Nothing new, but it is still owed.
    const third = writer.flushNoted();
    await clock.advance(0);
    commits[2]!.end();
    expect(await third).toBe(true);
  });

  it('writes what is still owed with a flush of its own, and says so when that fails', async () => {
    const { clock, commits, writer } = givenAWriter();
    writer.note('a', absent);
    const first = writer.append('b', [sending]);
    commits[0]!.end(FULL);
    await expect(first).rejects.toMatchObject({ code: 'JOURNAL' });
    expect(writer.owed).toBe(1);
    const flushed = writer.flush();
    await clock.advance(0);
    expect(commits[1]?.types).toEqual(['a absent']);
    commits[1]!.end(FULL);
    await expect(flushed).rejects.toMatchObject({ code: 'JOURNAL' });
    const again = writer.flush('a');
    await clock.advance(0);
    commits[2]!.end();
    await again;
    expect(writer.owed).toBe(0);
  });

  it('does not wait for the evidence of other orders', async () => {
    const { clock, commits, writer } = givenAWriter();
    writer.note('b', absent);
    await writer.flush('a');
    expect(commits).toHaveLength(0);
    const all = writer.flush();
    await clock.advance(0);
    commits[0]!.end();
    await all;
  });
});
