import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberText } from '../../../src/metrics/names.js';
import { encodeText, PageWriter } from '../../../src/metrics/page-writer.js';

const HEAD = encodeText('m ');

describe('PageWriter', () => {
  it('writes every number as it is spelled elsewhere, so that it is read back exactly', () => {
    const written = (value: number): string => {
      const page = new PageWriter();
      page.line(HEAD, value);
      return page.text();
    };
    const thousandths = fc.integer({ min: -1, max: 2 ** 31 + 10 }).chain((whole) => fc.integer({ min: 0, max: 9_999 }).map((f) => whole + f / 1_000));
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), thousandths, fc.float()), (value) => {
        expect(written(value)).toBe(`m ${numberText(value)}\n`);
      }),
      { numRuns: 5_000 },
    );
    const edges = [0, -0, 0.001, 0.01, 0.1, 0.999, 0.9999, 1.005, 9.95, 1e-7, 5e-324, 2 ** 31 - 0.001, 2 ** 31, 2 ** 53, 1e21, Number.MAX_VALUE];
    for (const value of [...edges, Number.NaN, Infinity, -Infinity, 1_704_067_200.123]) expect(written(value)).toBe(`m ${numberText(value)}\n`);
  });

  it('grows as far as a page needs, and begins anew without what was there', () => {
    const page = new PageWriter();
    for (let i = 0; i < 20_000; i++) page.line(HEAD, i);
    expect(page.text()).toBe(Array.from({ length: 20_000 }, (_, i) => `m ${i}\n`).join(''));
    page.begin();
    page.bytes(encodeText('\uFEFFünï☃😀\n'));
    expect(page.text()).toBe('\uFEFFünï☃😀\n');
    const handedOut = page.toBytes();
    page.begin();
    page.bytes(encodeText('what a later page says'));
    expect(Buffer.from(handedOut).toString()).toBe('\uFEFFünï☃😀\n');
  });
});
