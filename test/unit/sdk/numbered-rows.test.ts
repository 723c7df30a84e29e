import { describe, expect, it } from 'vitest';
import { numberedRows } from '../../../src/sdk/shared/streams/numbered-rows.js';

describe('rows of a list that is read from a number on', () => {
  const all = Array.from({ length: 5_000 }, (_, n) => n + 1);
  const asked: (number | undefined)[] = [];
  const page = (from: number | undefined, limit: number): Promise<number[]> => {
    asked.push(from);
    return Promise.resolve(from === undefined ? all.slice(-limit) : all.slice(from - 1, from - 1 + limit));
  };
  const read = (from: number, most: number): Promise<readonly number[]> => {
    asked.length = 0;
    return numberedRows(page, (n) => n, from, most);
  };

  it('are read in one page where that has all of them', async () => {
    expect(await read(4_500, 10_000)).toEqual(all.slice(4_499));
    expect(asked).toEqual([undefined]);
  });

  it('are read from the front where more is missing', async () => {
    expect(await read(2_500, 10_000)).toEqual(all.slice(2_499));
    expect(asked).toEqual([undefined, 2_500, 3_500]);
  });

  it('are the newest where more is missing than may be read', async () => {
    expect(await read(1, 1_200)).toEqual(all.slice(-1_200));
    expect(asked).toEqual([undefined, 3_801]);
  });

  it('are none where nothing is there', async () => {
    expect(
      await numberedRows(
        () => Promise.resolve([] as number[]),
        (n) => n,
        7,
        10,
      ),
    ).toEqual([]);
  });
});
