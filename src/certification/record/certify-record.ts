import type { TimeRange } from '../../analytics/index.js';
import { systemClock } from '../../core/clock.js';
import { asError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import { requireFunction, requireKnown, requireMethods, requireObject } from '../../core/options.js';
import {
  CERTIFICATION_SCHEMA,
  type CertificationCategory,
  type CertificationReport,
  type CheckResult,
  type LeftOut,
} from '../certification-report.js';
import type { Finding, NothingToSee } from '../check.js';
import { environment } from '../environment.js';
import { categoriesOf, readinessOf } from '../readiness.js';
import { signatureOf } from '../signature.js';
import type { RecordContext, RunRecord } from './record.js';
import { type RecordCheck, recordChecks } from './record-checks.js';

/** {@link certifyRecord} */
export interface CertifyRecordOptions {
  /** After each check; `id` is the one that has ended. */
  readonly onProgress?: (done: number, total: number, id: string) => void;
  /** Ends the run with what was found until then. */
  readonly signal?: AbortSignal;
}

const METHOD: readonly string[] = [
  'This is the record of a run: nothing was tried out. Every check that needs a live kit was left out, the critical ones among them, and so there is no level.',
];

/**
 * Judges a kit by what a run of it has left, in epoch ms from `from` to `to`. What only a live kit shows is left out by name, and the
 * report is therefore `partial` and never has a level: {@link certify} gives one.
 *
 * @throws RangeError on an empty range; AnalyzerError TOO_LITTLE_DATA, which says how much is needed, or FOREIGN_METRICS; what the store throws
 */
export async function certifyRecord(record: RunRecord, range: TimeRange, options: CertifyRecordOptions = {}): Promise<CertificationReport> {
  requireKnown('record', requireObject('record', record), ['store', 'journal']);
  requireMethods('store', record.store, ['query']);
  if (record.journal !== undefined) requireMethods('journal', record.journal, ['intents', 'integrity']);
  requireKnown('certifyRecord', requireObject('options', options), ['onProgress', 'signal']);
  const { onProgress, signal } = options;
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  // Only who judges a record needs the analyzer, and the checks whose names are told.
  const [{ PerformanceAnalyzer }, { checks }] = await Promise.all([import('../../analyzer/index.js'), import('../checks.js')]);
  const startedAt = systemClock.now();
  const began = systemClock.monotonic();
  const performance = await new PerformanceAnalyzer({ store: record.store }).analyze(range, signal === undefined ? {} : { signal });
  const context: RecordContext = { ...record, performance, signal };
  const results: (CheckResult & { readonly category: CertificationCategory })[] = [];
  const leftOut: LeftOut[] = [];
  for (const [i, check] of recordChecks.entries()) {
    if (signal?.aborted) break;
    const finding = await found(check, context);
    if (signal?.aborted) break;
    if ('leftOut' in finding) leftOut.push({ id: check.id, why: finding.leftOut });
    else results.push({ category: check.category, id: check.id, critical: check.critical, ...finding });
    onProgress?.(i + 1, recordChecks.length, check.id);
  }
  for (const { id } of checks) leftOut.push({ id, why: 'it needs a live kit: certify(kit), or venuekit certify --options' });
  const categories = categoriesOf(results);
  const report = {
    schema: CERTIFICATION_SCHEMA,
    partial: true,
    readiness: readinessOf(categories),
    ready: false,
    categories,
    leftOut,
    notMeasured: [],
    method: METHOD,
    seed: 0,
    durationMs: performance.to - performance.from,
    options: { record: { from: performance.from, to: performance.to } },
    environment: environment(),
    startedAt,
    tookMs: Math.round(systemClock.monotonic() - began),
  } as const;
  return { ...report, signature: signatureOf(report) };
}

async function found(check: RecordCheck, context: RecordContext): Promise<Finding | NothingToSee> {
  try {
    return await check.run(context);
  } catch (error) {
    const measured = `failed: ${redactText(asError(error).message)}`;
    return { passed: false, measured, required: 'to come to its end', why: 'The record could not be read.' };
  }
}
