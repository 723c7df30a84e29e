import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalRecord, OrderJournal } from '../../../src/contracts/journal.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';

const INTENTS = ['a', 'b', 'c', 'd'];
const ACCOUNTS = ['main', 'second'];

interface Draft {
  readonly account: string;
  readonly intentId: string;
  readonly at: number;
  readonly type: string;
  readonly body: unknown;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  account: fc.constantFrom(...ACCOUNTS),
  intentId: fc.constantFrom(...INTENTS),
  at: fc.nat(100),
  type: fc.constantFrom('prepared', 'sending', 'fill', 'settled'),
  // -0 is the one JSON value that does not come back as itself, from any store that keeps JSON.
  body: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
});

type Step =
  | { readonly kind: 'append'; readonly groups: readonly (readonly Draft[])[] }
  | { readonly kind: 'compact'; readonly account: string; readonly before: number }
  | { readonly kind: 'cursor'; readonly account: string; readonly venueMs: number }
  | { readonly kind: 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('append' as const), groups: fc.array(fc.array(draft, { maxLength: 5 }), { maxLength: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), account: fc.constantFrom(...ACCOUNTS), before: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cursor' as const), account: fc.constantFrom(...ACCOUNTS), venueMs: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

async function contentOf(journal: OrderJournal) {
  const strip = ({ sequence: _sequence, epoch: _epoch, ...rest }: JournalRecord) => rest;
  const intents: Record<string, unknown> = {};
  for (const id of INTENTS) {
    const records = await journal.byIntent(id);
    for (const account of ACCOUNTS) intents[`${account}/${id}`] = records.filter((record) => record.account === account).map(strip);
  }
  const unresolved: Record<string, unknown> = {};
  const cursors: Record<string, unknown> = {};
  for (const account of ACCOUNTS) {
    const found = new Map<string | undefined, unknown>();
    for await (const records of journal.unresolved(account)) found.set(records[0]?.intentId, records.map(strip));
    // Which intent comes first is each store's own affair.
    unresolved[account] = [...found].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    cursors[account] = await journal.cursor(account, 'fills');
  }
  return { intents, unresolved, cursors };
}

async function acquireAll(journal: OrderJournal): Promise<Readonly<Record<string, number>>> {
  const epochs: Record<string, number> = {};
  for (const account of ACCOUNTS) epochs[account] = (await journal.acquire(account, 'test', 600_000)).epoch;
  return epochs;
}

async function appendAll(journal: OrderJournal, groups: readonly (readonly Draft[])[], epochs: Readonly<Record<string, number>>): Promise<void> {
  await Promise.all(groups.map((group) => journal.append(group.map((entry) => ({ ...entry, epoch: epochs[entry.account] as number })))));
}

describe('SqliteOrderJournal', () => {
  it('holds at every moment what a journal in memory holds, through appends, compactions and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const directory = mkdtempSync(join(tmpdir(), 'venuekit-model-'));
        const path = join(directory, 'orders.db');
        const model = new MemoryOrderJournal();
        const modelEpochs = await acquireAll(model);
        let journal = await SqliteOrderJournal.open({ path });
        try {
          let epochs = await acquireAll(journal);
          for (const taken of steps) {
            if (taken.kind === 'append') {
              await Promise.all([appendAll(model, taken.groups, modelEpochs), appendAll(journal, taken.groups, epochs)]);
            } else if (taken.kind === 'compact') {
              const { account, before } = taken;
              expect(await journal.compact(account, before, epochs[account] as number)).toBe(
                await model.compact(account, before, modelEpochs[account] as number),
              );
            } else if (taken.kind === 'cursor') {
              await model.setCursor(taken.account, 'fills', taken.venueMs, modelEpochs[taken.account] as number);
              await journal.setCursor(taken.account, 'fills', taken.venueMs, epochs[taken.account] as number);
            } else {
              await journal.close();
              journal = await SqliteOrderJournal.open({ path });
              epochs = await acquireAll(journal);
            }
            expect(await contentOf(journal)).toEqual(await contentOf(model));
          }
          expect(await journal.integrity()).toEqual([]);
        } finally {
          await journal.close();
          rmSync(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: 30 },
    );
  });
});
