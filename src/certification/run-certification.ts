import { onAbort } from '../core/abort.js';
import { systemClock } from '../core/clock.js';
import { asError, VenueKitError } from '../core/errors.js';
import { redactText } from '../core/logger.js';
import {
  CERTIFICATION_SCHEMA,
  type CertificationCategory,
  type CertificationReport,
  type CheckResult,
  type LeftOut,
} from './certification-report.js';
import type { CertifySettings } from './certify-options.js';
import type { Check, CheckOutcome } from './check.js';
import { checks } from './checks.js';
import { type CertificationContext, contextOf } from './context.js';
import { environment } from './environment.js';
import { describeOptions, type Host } from './host.js';
import { loadCreateKit } from './kit-module.js';
import { categoriesOf, levelOf, readinessOf } from './readiness.js';
import { signatureOf } from './signature.js';

const METHOD: readonly string[] = [
  "The host's own kit was only read: its parts were asked, its venue's time and a quote; its notifiers were handed a drill.",
  "Orders were placed by kits with the same options over a simulated venue that guarantees what the adapter says that the real one does, in virtual time; none reached the host's venue.",
  'Processes that were killed had folders and venues of their own.',
];

/**
 * Makes all checks, or those that were asked for, one after the other.
 * @throws RangeError for a check that there is not; VenueKitError KIT_MODULE
 */
export async function runCertification(host: Host, settings: CertifySettings): Promise<CertificationReport> {
  const { durationMs, seed, onProgress, signal, only, withinMs } = settings;
  for (const id of only ?? [])
    if (!checks.some((check) => check.id === id))
      throw new RangeError(`only must name checks, got ${JSON.stringify(id)}; there are ${checks.map((check) => check.id).join(', ')}`);
  const createKit = await loadCreateKit(settings.create);

  const startedAt = systemClock.now();
  const began = systemClock.monotonic();
  const over = new AbortController();
  const interruption = onAbort(signal, (reason) => over.abort(reason));
  const context = contextOf(host, settings, createKit, over.signal);

  const results: (CheckResult & { readonly category: CertificationCategory })[] = [];
  const leftOut: LeftOut[] = [];
  const notMeasured: LeftOut[] = [];
  const asked = only === undefined ? checks : checks.filter(({ id }) => only.includes(id));
  let done = 0;
  try {
    for (const check of asked) {
      if (signal?.aborted) break;
      const why = check.leftOut?.(host);
      if (why !== undefined) leftOut.push({ id: check.id, why });
      else {
        const elapsedMs = systemClock.monotonic() - began;
        const outcome = await runCheck(check, context.checked, { withinMs, elapsedMs });
        // What an interruption broke off is no finding.
        if (signal?.aborted) break;
        if ('leftOut' in outcome) leftOut.push({ id: check.id, why: outcome.leftOut });
        else if ('notMeasured' in outcome) notMeasured.push({ id: check.id, why: outcome.notMeasured });
        else results.push({ category: check.category, id: check.id, critical: check.critical, ...outcome });
      }
      done++;
      onProgress?.(done, asked.length, check.id);
    }
  } finally {
    interruption[Symbol.dispose]();
    over.abort(new VenueKitError('CLOSED', 'The certification is over.'));
    await context.close();
  }
  const isWhole = done === checks.length && notMeasured.length === 0;
  const categories = categoriesOf(results);
  const readiness = readinessOf(categories);
  const level = isWhole ? levelOf(readiness, categories) : undefined;
  const report = {
    schema: CERTIFICATION_SCHEMA,
    ...(level === undefined ? { partial: true as const } : { level }),
    readiness,
    ready: level === 'GOLD' || level === 'SILVER',
    categories,
    leftOut,
    notMeasured,
    method: METHOD,
    seed,
    durationMs,
    options: describeOptions({ ...host.options, tuning: host.kit.tuning }),
    environment: environment(),
    startedAt,
    tookMs: Math.round(systemClock.monotonic() - began),
  } as const;
  return { ...report, signature: signatureOf(report) };
}

/** A check that does not come to its end says nothing of the kit, neither well nor ill: the machine may be held up. */
async function runCheck(
  check: Check,
  context: CertificationContext,
  { withinMs, elapsedMs }: { readonly withinMs: number; readonly elapsedMs: number },
): Promise<CheckOutcome> {
  const limit = new AbortController();
  const [longestMs, leftMs] = [withinMs / 2, Math.max(0, withinMs - elapsedMs)];
  const why = leftMs < longestMs ? `the ${withinMs / 1000} s for all checks were over` : `it did not end within ${longestMs / 1000} s`;
  const ended = new AbortController();
  // Waited for, not scheduled: a check that waits for something that never comes must not let the process end without a word.
  systemClock.sleep(Math.min(longestMs, leftMs), ended.signal).then(
    () => limit.abort(new VenueKitError('TIMEOUT', why)),
    () => {},
  );
  let giveUp!: (reason: Error) => void;
  const late = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  late.catch(() => {});
  const limits = [onAbort(limit.signal, giveUp), onAbort(context.ground.signal, giveUp)];
  try {
    const running = check.run(context);
    running.catch(() => {});
    const found = await Promise.race([running, late]);
    if ('leftOut' in found || 'notMeasured' in found) return found;
    const { passed, measured, required, why } = found;
    return { passed, measured: typeof measured === 'string' ? redactText(measured) : measured, required, why };
  } catch (error) {
    if (limit.signal.aborted) return { notMeasured: why };
    return {
      passed: false,
      measured: `failed: ${redactText(asError(error).message)}`,
      required: 'to come to its end',
      why: 'The check could not be carried out on this kit.',
    };
  } finally {
    ended.abort();
    for (const one of limits) one[Symbol.dispose]();
  }
}
