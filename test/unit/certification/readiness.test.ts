import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CategoryResult, CertificationCategory, CertificationReport, CheckResult } from '../../../src/certification/certification-report.js';
import { checks } from '../../../src/certification/checks.js';
import { categoriesOf, levelOf, readinessOf } from '../../../src/certification/readiness.js';
import { isUntouched, signatureOf } from '../../../src/certification/signature.js';

const check = (passed: boolean, critical = false): CheckResult => ({ id: 'x', critical, passed, measured: 1, required: 1, why: '' });
const category = (score: number, results: readonly CheckResult[] = [check(true)]): CategoryResult => ({ name: 'component', score, checks: results });

describe('readiness', () => {
  it('is 100 exactly when all checks have passed, and the mean of the categories', () => {
    const all = (['component', 'performance', 'integration', 'production'] as const).map((name) => ({ category: name, ...check(true) }));
    expect(readinessOf(categoriesOf(all))).toBe(100);
    const one = [...all, { category: 'performance' as const, ...check(false) }];
    expect(categoriesOf(one).map(({ score }) => score)).toEqual([100, 50, 100, 100]);
    expect(readinessOf(categoriesOf(one))).toBe(87.5);
  });

  it('lets a critical check weigh three times as much', () => {
    const results = [check(true), check(false, true)].map((result) => ({ category: 'component' as const, ...result }));
    expect(categoriesOf(results)[0]?.score).toBe(25);
  });

  it.each([
    [100, 'GOLD'],
    [95, 'GOLD'],
    [94.99, 'SILVER'],
    [90, 'SILVER'],
    [89.99, 'BRONZE'],
    [80, 'BRONZE'],
    [79.99, 'DEVELOPMENT'],
    [0, 'DEVELOPMENT'],
  ])('of %d %% is %s', (percent, level) => {
    expect(levelOf(percent, [category(percent)])).toBe(level);
  });

  it('is BRONZE at best with a failed critical check', () => {
    expect(levelOf(99, [category(99, [check(false, true)])])).toBe('BRONZE');
    expect(levelOf(79, [category(79, [check(false, true)])])).toBe('DEVELOPMENT');
  });

  it('never exceeds 100, nor rises where a check fails', async () => {
    const names: readonly CertificationCategory[] = ['component', 'performance', 'integration', 'production'];
    const result = fc.record({ category: fc.constantFrom(...names), passed: fc.boolean(), critical: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(result, { minLength: 1, maxLength: 40 }), fc.nat(), async (results, at) => {
        const full = results.map((one) => ({ ...check(one.passed, one.critical), category: one.category }));
        const before = readinessOf(categoriesOf(full));
        expect(before).toBeGreaterThanOrEqual(0);
        expect(before).toBeLessThanOrEqual(100);
        const worse = full.map((one, i) => (i === at % full.length ? { ...one, passed: false } : one));
        expect(readinessOf(categoriesOf(worse))).toBeLessThanOrEqual(before);
      }),
    );
  });
});

describe('the catalogue of checks', () => {
  it('has unique ids that begin with their category, and critical ones in each category', () => {
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, category: name } of checks) expect(id.startsWith(`${name}.`)).toBe(true);
    for (const name of ['component', 'performance', 'integration', 'production'])
      expect(checks.some(({ category: of, critical }) => of === name && critical)).toBe(true);
  });
});

describe('the hashes of a report', () => {
  const unsigned: Omit<CertificationReport, 'signature'> = {
    schema: 'venuekit.certification/1',
    level: 'GOLD',
    readiness: 100,
    ready: true,
    categories: [category(100)],
    leftOut: [],
    notMeasured: [],
    method: [],
    seed: 1,
    durationMs: 120_000,
    options: { policy: { timeoutMs: 1_000 }, broker: { venue: 'x' } },
    environment: { venuekit: '0.1.0', runtime: 'Node.js 20', platform: 'linux x64', cpus: 2 },
    startedAt: 0,
    tookMs: 1,
  };
  const report: CertificationReport = { ...unsigned, signature: signatureOf(unsigned) };

  it('hold for what JSON makes of it, in any order of names', () => {
    expect(isUntouched(JSON.parse(JSON.stringify(report)) as CertificationReport)).toBe(true);
    expect(isUntouched(Object.fromEntries(Object.entries(report).reverse()) as unknown as CertificationReport)).toBe(true);
  });

  it('show every change: a level, a result, an input', () => {
    expect(isUntouched({ ...report, level: 'SILVER' })).toBe(false);
    expect(isUntouched({ ...report, categories: [category(100, [{ ...check(true), measured: 2 }])] })).toBe(false);
    expect(isUntouched({ ...report, seed: 2 })).toBe(false);
    expect(isUntouched({ ...report, options: { policy: { timeoutMs: 2_000 }, broker: { venue: 'x' } } })).toBe(false);
  });

  it.each([null, undefined, 7, 'GOLD', [], {}, { level: 'GOLD' }, { signature: null }])('are not there in %j', (given) => {
    expect(isUntouched(given as unknown as CertificationReport)).toBe(false);
  });

  it('of the inputs stay the same for the same inputs', () => {
    expect(signatureOf({ ...unsigned, readiness: 50 }).inputs).toBe(report.signature.inputs);
    expect(signatureOf({ ...unsigned, seed: 2 }).inputs).not.toBe(report.signature.inputs);
  });
});
