import type { CategoryResult, CertificationCategory, CertificationLevel, CheckResult } from './certification-report.js';

const CRITICAL_WEIGHT = 3;
const CATEGORIES: readonly CertificationCategory[] = ['component', 'performance', 'integration', 'production'];

const weightOf = ({ critical }: CheckResult): number => (critical ? CRITICAL_WEIGHT : 1);

/** The checks by category, in the order of the categories; one without checks is left out. */
export function categoriesOf(results: readonly (CheckResult & { readonly category: CertificationCategory })[]): readonly CategoryResult[] {
  const categories: CategoryResult[] = [];
  for (const name of CATEGORIES) {
    const checks = results.filter(({ category }) => category === name).map(({ category: _, ...check }) => check);
    if (checks.length > 0) categories.push({ name, score: scoreOf(checks), checks });
  }
  return categories;
}

function scoreOf(checks: readonly CheckResult[]): number {
  const all = checks.reduce((sum, check) => sum + weightOf(check), 0);
  const passed = checks.reduce((sum, check) => sum + (check.passed ? weightOf(check) : 0), 0);
  return passed === all ? 100 : round((100 * passed) / all);
}

/** Percent; each category counts as much as the others. */
export function readinessOf(categories: readonly CategoryResult[]): number {
  if (categories.length === 0) return 0;
  return round(categories.reduce((sum, { score }) => sum + score, 0) / categories.length);
}

/**
 * GOLD from 95, SILVER from 90, BRONZE from 80. A failed critical check leaves BRONZE at best: nobody
 * is ready who loses orders, however good the rest is (docs/decisions/0012-certification-levels.md).
 */
export function levelOf(readiness: number, categories: readonly CategoryResult[]): CertificationLevel {
  const isSafe = categories.every(({ checks }) => checks.every(({ critical, passed }) => passed || !critical));
  if (readiness >= 95 && isSafe) return 'GOLD';
  if (readiness >= 90 && isSafe) return 'SILVER';
  return readiness >= 80 ? 'BRONZE' : 'DEVELOPMENT';
}

// Two places, downward: 94.999 is not 95.
const round = (percent: number): number => Math.floor(percent * 100) / 100;
