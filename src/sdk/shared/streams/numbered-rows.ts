/** Rows of a page, at most of Binance. */
const PAGE = 1_000;

/**
 * The newest rows at or behind a number, of a list that is read from a number on: the newest page first, and where more is missing,
 * from the front. @param page - from a number on, or the newest; oldest first
 */
export async function numberedRows<R>(
  page: (fromId: number | undefined, limit: number) => Promise<readonly R[]>,
  numberOf: (row: R) => number,
  from: number,
  most: number,
): Promise<readonly R[]> {
  const newest = await page(undefined, PAGE);
  const [first] = newest;
  const last = newest.at(-1);
  if (first === undefined || last === undefined || numberOf(first) <= from) return newest.filter((row) => numberOf(row) >= from);
  const rows: R[] = [];
  for (let next = Math.max(from, numberOf(last) - most + 1); next < numberOf(first); ) {
    const more = (await page(next, PAGE)).filter((row) => numberOf(row) >= next && numberOf(row) < numberOf(first));
    const end = more.at(-1);
    if (end === undefined) break;
    for (const row of more) rows.push(row);
    next = numberOf(end) + 1;
  }
  return [...rows, ...newest];
}
