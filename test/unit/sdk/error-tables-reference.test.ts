import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorTablesReference } from '../../../scripts/error-tables-reference.js';

describe('docs/reference/error-tables.md', () => {
  it('says what the code says (npx tsx scripts/error-tables-reference.ts)', () => {
    expect(readFileSync('docs/reference/error-tables.md', 'utf8')).toBe(errorTablesReference());
  });

  it('has a line for every SDK of the matrix', () => {
    const matrix = readFileSync('docs/reference/sdk-matrix.md', 'utf8');
    const sdks = [...errorTablesReference().matchAll(/^\| (ccxt [^|]+?|Alpaca \d|@?binance[^|]*?) \|/gm)].map(([, name]) => name);
    expect(sdks).toHaveLength(9);
    for (const sdk of sdks) expect(matrix.includes(sdk!), sdk).toBe(true);
  });
});
