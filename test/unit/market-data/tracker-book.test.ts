import { describe, expect, it } from 'vitest';
import { Cell, SymbolState } from '../../../src/market-data/cell.js';
import { TrackerBook } from '../../../src/market-data/tracker-book.js';

const givenACell = (): Cell => new Cell('v1|BTC', 'quote', new SymbolState('BTC'), '', { symbol: 'BTC' });

function chainOf(cell: Cell): (string | undefined)[] {
  const consumers: (string | undefined)[] = [];
  for (let tracked = cell.tracked; tracked !== undefined; tracked = tracked.next) consumers.push(tracked.consumer);
  return consumers;
}

describe('TrackerBook', () => {
  it('keeps one tracker for each consumer of a key, the unnamed one included', () => {
    const book = new TrackerBook(100, () => {});
    const cell = givenACell();
    const made = [undefined, 'a', 'b'].map((consumer) => book.of(cell, consumer));
    expect(new Set(made).size).toBe(3);
    expect([undefined, 'a', 'b'].map((consumer) => book.of(cell, consumer))).toEqual(made);
    expect(book.size).toBe(3);
  });

  it('gives up the longest unread when there are too many, and says which cells may go', () => {
    const released: Cell[] = [];
    const book = new TrackerBook(10, (cell) => released.push(cell));
    const cells = Array.from({ length: 11 }, givenACell);
    for (const [i, cell] of cells.entries()) book.of(cell, 'a').record(i);
    expect(released).toEqual([cells[0]]);
    expect([chainOf(cells[0] as Cell), chainOf(cells[1] as Cell)]).toEqual([[], ['a']]);
  });

  it('takes any one out of the chain of a cell, and only that', () => {
    for (const leaving of [0, 30, 63]) {
      const book = new TrackerBook(100, () => {});
      const cell = givenACell();
      const names = Array.from({ length: 64 }, (_, i) => `c${i}`);
      names.forEach((name, i) => {
        book.of(cell, name).record(i === leaving ? 0 : 1 + i);
      });
      book.of(cell, 'one more').record(100);
      expect(new Set(chainOf(cell))).toEqual(new Set([...names.filter((_, i) => i !== leaving), 'one more']));
    }
  });

  it('does not grow slower and slower for a reader that takes another name each time', () => {
    const book = new TrackerBook(100_000, () => {});
    const cell = givenACell();
    for (let i = 0; i < 5_000; i++) book.of(cell, `order-${i}`).record(i);
    book.of(cell, 'order-4999').record(5_000);
    expect(chainOf(cell)).toHaveLength(64);
    expect(chainOf(cell)).toContain('order-4999');
  });
});
