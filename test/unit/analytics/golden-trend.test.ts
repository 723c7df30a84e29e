import { describe, expect, it } from 'vitest';
import { changePoints } from '../../../src/analytics/change-points.js';
import { mannKendall } from '../../../src/analytics/mann-kendall.js';
import { summarize } from '../../../src/analytics/summary.js';
import { readFixture } from './given.js';

interface Golden {
  readonly values: number[];
  readonly summary: {
    readonly mean: number;
    readonly variance_n1: number;
    readonly skew_biased: number | null;
    readonly kurt_excess_biased: number | null;
    readonly quantiles_type7: Record<string, number>;
  };
  readonly mk_original: Kendall;
  readonly mk_hamed_rao: Kendall;
  readonly theilslopes_scipy: { readonly slope: number; readonly lo: number; readonly hi: number };
  readonly pelt_l2?: { readonly penalty: number; readonly bkps: number[] };
}

interface Kendall {
  readonly trend: 'increasing' | 'decreasing' | 'no trend';
  readonly p: number;
  readonly z: number;
  readonly s: number;
  readonly var_s: number;
  readonly slope: number;
}

const golden = Object.entries(JSON.parse(readFixture('trend_golden.json')) as Record<string, Golden>);
const DIRECTION = { increasing: 'rising', decreasing: 'falling', 'no trend': 'none' } as const;

function expectRelative(actual: number, expected: number, tolerance = 1e-9): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.max(Math.abs(expected), 1e-12));
}

describe.each(golden)('golden values of %s', (_, { values, summary, mk_original, mk_hamed_rao, theilslopes_scipy, pelt_l2 }) => {
  it.each([
    ['original', mk_original],
    ['hamed_rao', mk_hamed_rao],
  ] as const)('Mann-Kendall, %s, as pyMannKendall', (method, expected) => {
    const found = mannKendall(values, { method });
    expect(found.s).toBe(expected.s);
    expectRelative(found.varianceOfS, expected.var_s);
    expectRelative(found.z, expected.z);
    expectRelative(found.slope, expected.slope);
    expect(Math.abs(found.pValue - expected.p)).toBeLessThanOrEqual(1e-8);
    expect(found.direction).toBe(DIRECTION[expected.trend]);
  });

  it('interval of the slope, as SciPy', () => {
    const { slope, slopeInterval } = mannKendall(values, { method: 'original' });
    expectRelative(slope, theilslopes_scipy.slope);
    expectRelative(slopeInterval[0], theilslopes_scipy.lo);
    expectRelative(slopeInterval[1], theilslopes_scipy.hi);
  });

  it('summary, as NumPy and SciPy', () => {
    const found = summarize(values);
    expectRelative(found.mean, summary.mean, 1e-9);
    expectRelative(found.sd ** 2, summary.variance_n1);
    expect(found.skewness).toBeCloseTo(summary.skew_biased ?? 0, 9);
    expect(found.kurtosis).toBeCloseTo(summary.kurt_excess_biased ?? 0, 9);
    for (const [name, p] of [
      ['p5', '0.05'],
      ['median', '0.5'],
      ['p95', '0.95'],
      ['p99', '0.99'],
    ] as const)
      expect(found[name]).toBeCloseTo(summary.quantiles_type7[p]!, 10);
  });

  it.skipIf(pelt_l2 === undefined)('change points at a given penalty, as ruptures', () => {
    expect(changePoints(values, { penalty: pelt_l2!.penalty })).toEqual(pelt_l2!.bkps.slice(0, -1));
  });
});
