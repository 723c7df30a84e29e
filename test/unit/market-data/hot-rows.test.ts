import { describe, expect, it } from 'vitest';
import type { CacheEntry } from '../../../src/contracts/cache-store.js';
import { Cell, SymbolState } from '../../../src/market-data/cell.js';
import type { CoarseClock } from '../../../src/market-data/coarse-clock.js';
import { FastReads } from '../../../src/market-data/fast-reads.js';
import { HotRows } from '../../../src/market-data/hot-rows.js';

function givenACell(rows: HotRows, symbol: string): Cell {
  return new Cell(`v1|${symbol}`, 'quote', { symbol }, '', new SymbolState(symbol), rows);
}

function givenAnEntry(value: object): CacheEntry {
  return { value, sentAt: 0, receivedAt: 0, epoch: 0, source: 'rest', weight: 1 };
}

/** What a plain read at monotonic time `now` finds in a row. */
function readAt(rows: HotRows, row: number, now: number): { readonly value: unknown; readonly ageMs: number } | undefined {
  rows.name('asked', row);
  const read = rows.read({ symbol: 'asked' }, { read: () => now } as CoarseClock);
  return read === undefined ? undefined : { value: read.value, ageMs: read.ageMs };
}

describe('HotRows', () => {
  it('holds nothing in a new row, and in each row what its cell holds', () => {
    const rows = new HotRows(new FastReads(false));
    const cells = Array.from({ length: 100 }, (_, i) => givenACell(rows, `S${i}`));
    expect(new Set(cells.map(({ row }) => row)).size).toBe(100);
    expect(cells.every(({ row }) => readAt(rows, row as number, 0) === undefined)).toBe(true);
    cells.forEach((cell, i) => {
      cell.hold(givenAnEntry({ i }), 1_000 + i, i);
      cell.noticeFrom(5_000);
    });
    for (const [i, cell] of cells.entries()) expect(readAt(rows, cell.row as number, 999)).toEqual({ value: { i }, ageMs: 999 - i });
    expect(readAt(rows, cells[7]?.row as number, 1_006)).toBeDefined();
    expect(readAt(rows, cells[7]?.row as number, 1_007)).toBeUndefined();
  });

  it('sends a read the ordinary way from when it is to be noticed', () => {
    const rows = new HotRows(new FastReads(false));
    const cell = givenACell(rows, 'BTC');
    cell.hold(givenAnEntry({ bid: 1 }), 1_000, 0);
    cell.noticeFrom(100);
    expect(readAt(rows, cell.row as number, 99)).toBeDefined();
    expect(readAt(rows, cell.row as number, 100)).toBeUndefined();
  });

  it('answers a promise as it answers a read, counts both, and knows only requests that name nothing but a symbol', async () => {
    const counts = new FastReads(true);
    const rows = new HotRows(counts);
    const clock = { read: () => 400 } as CoarseClock;
    const cell = givenACell(rows, 'BTC');
    cell.hold(givenAnEntry({ bid: 1 }), 1_000, 100);
    cell.noticeFrom(5_000);
    expect(rows.read({ symbol: 'BTC' }, clock)).toBeUndefined();
    rows.name('BTC', cell.row as number);
    const read = rows.read({ symbol: 'BTC' }, clock);
    expect(read).toEqual({ value: { bid: 1 }, ageMs: 300, outcome: 'hit' });
    expect(await rows.promise({ symbol: 'BTC' }, clock)).toEqual(read);
    const deep = { symbol: 'BTC', depth: 5 };
    expect([rows.read(deep, clock), rows.promise(deep, clock)]).toEqual([undefined, undefined]);
    expect([counts.hits, counts.hitAges?.take()]).toEqual([2, [[301.5, 2]]]);
    rows.unname('BTC');
    expect([rows.read({ symbol: 'BTC' }, clock), rows.promise({ symbol: 'BTC' }, clock)]).toEqual([undefined, undefined]);
  });

  // Broken on purpose, the guard once left all tests green: a loader or a handle may hold a cell for longer than the index does.
  it.each<[string, (forgotten: Cell) => void]>([
    ['holds a value', (cell) => cell.hold(givenAnEntry({ of: 'the forgotten' }), 9_000, 0)],
    ['is renewed', (cell) => cell.renew(9_000, 0)],
    ['is noticed', (cell) => cell.noticeFrom(9_000)],
    ['is emptied', (cell) => cell.empty()],
    ['is marked as unread', (cell) => cell.markUnread(true)],
    ['leaves its row once more', (cell) => cell.leaveRow()],
  ])("lets no forgotten cell into a row that is another cell's now, when it %s", (_, touch) => {
    const rows = new HotRows(new FastReads(false));
    const forgotten = givenACell(rows, 'BTC');
    forgotten.hold(givenAnEntry({ of: 'BTC' }), 9_000, 0);
    forgotten.noticeFrom(9_000);
    const row = forgotten.row as number;
    forgotten.leaveRow();
    expect(readAt(rows, row, 0)).toBeUndefined();
    const heir = givenACell(rows, 'ETH');
    expect(heir.row).toBe(row);
    heir.hold(givenAnEntry({ of: 'ETH' }), 1_000, 500);
    heir.noticeFrom(1_000);
    touch(forgotten);
    expect(readAt(rows, row, 600)).toEqual({ value: { of: 'ETH' }, ageMs: 100 });
    expect(givenACell(rows, 'XRP').row).not.toBe(row);
  });
});
