import { abortReason, onAbort } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import { asError, VenueKitError } from '../core/errors.js';
import { redactText } from '../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requirePositive, requireText } from '../core/options.js';
import type { Dashboard } from '../dashboard/index.js';
import type { VenueKit } from '../kit/venue-kit.js';
import {
  CERTIFICATION_SCHEMA,
  type CertificationCategory,
  type CertificationReport,
  type CheckResult,
  type LeftOut,
} from './certification-report.js';
import type { Check, Finding, NothingToSee } from './check.js';
import { checks } from './checks.js';
import type { CertificationContext } from './context.js';
import { environment } from './environment.js';
import { describeOptions, type Host, hostOf } from './host.js';
import { runKills } from './kill/kill-trial.js';
import { type KitModule, loadCreateKit, requireKitModule } from './kit-module.js';
import { categoriesOf, levelOf, readinessOf } from './readiness.js';
import { signatureOf } from './signature.js';
import { runHostility } from './trials/hostility-trial.js';
import { runLimits } from './trials/limits-trial.js';
import { runOutage } from './trials/outage-trial.js';
import { runRules } from './trials/rules-trial.js';
import { runSecrets } from './trials/secrets-trial.js';
import { runSession, type SessionResult } from './trials/session-trial.js';
import { runStorm } from './trials/storm-trial.js';

/** {@link certify} */
export interface CertifyOptions {
  /** How long the bot of the session trades, in virtual time; 10 s of it at least. @defaultValue 120_000 */
  readonly durationMs?: number;
  /** Decides prices, orders, latencies, faults and the moments of kills. @defaultValue 1 */
  readonly seed?: number;
  /** After each check; `id` is the one that has ended. */
  readonly onProgress?: (done: number, total: number, id: string) => void;
  /** Ends the run: the report is then partial, and has no level. */
  readonly signal?: AbortSignal;
  /** The host's own function that makes kits, where it puts more around `createVenueKit` than its options say. @defaultValue createVenueKit */
  readonly create?: KitModule;
  /** Something that the host's venue trades, to ask a quote of. @defaultValue 'BTC/USDT' */
  readonly symbol?: string;
  /** The host's own, whose access is tried. @defaultValue one over the kit's store, with the defaults */
  readonly dashboard?: Dashboard;
  /** Whether the kit's notifiers are handed an alert, and its end, that say that they are a drill. @defaultValue true */
  readonly drill?: boolean;
  /**
   * The longest that all checks may take together, in real time, and half of it the longest of one: what has not come to its end has
   * failed. More for a machine that is slow or busy. @defaultValue 175_000
   */
  readonly withinMs?: number;
  /** File of the process that is killed, for hosts that are bundled. @defaultValue found beside this module or in the installed package */
  readonly processEntry?: string | URL;
  /** Checks to run, by id; a report of some of them has no level. @defaultValue all */
  readonly only?: readonly string[];
}

const OPTIONS = [
  'durationMs',
  'seed',
  'onProgress',
  'signal',
  'create',
  'symbol',
  'dashboard',
  'drill',
  'withinMs',
  'processEntry',
  'only',
] as const satisfies readonly (keyof CertifyOptions)[];
const SHORTEST_MS = 10_000;
const DURATION_MS = 120_000;
const WITHIN_MS = 175_000;
const LIVE_MS = 15_000;

const METHOD: readonly string[] = [
  "The host's own kit was only read: its parts were asked, its venue's time and a quote; its notifiers were handed a drill.",
  "Orders were placed by kits with the same options over a simulated venue that guarantees what the adapter says that the real one does, in virtual time; none reached the host's venue.",
  'Processes that were killed had folders and venues of their own.',
];

/**
 * Tries out whether a kit is ready: its parts, what it is worth against the same bot without it, what
 * it does when the venue fails, and how it is set up to run. Nothing is traded on the host's venue:
 * what orders is a kit of the same options over a simulated one.
 *
 * @throws VenueKitError NOT_STARTED, CLOSED for a kit that can't be tried as it is; KIT_MODULE where `create` can't be loaded; RangeError or TypeError naming the option
 * @example
 * const report = await certify(kit, { seed: 7, onProgress: (done, total, id) => console.error(`${done}/${total} ${id}`) });
 * if (!report.ready) process.exitCode = 1;
 */
export async function certify(kit: VenueKit, options: CertifyOptions = {}): Promise<CertificationReport> {
  requireKnown('certify', requireObject('options', options), OPTIONS);
  const {
    durationMs = DURATION_MS,
    seed = 1,
    onProgress,
    signal,
    create,
    symbol = 'BTC/USDT',
    dashboard,
    drill = true,
    only,
    withinMs = WITHIN_MS,
  } = options;
  if (requirePositive('durationMs', durationMs) < SHORTEST_MS)
    throw new RangeError(`durationMs must be at least ${SHORTEST_MS}: of a shorter session nothing can be said; got ${durationMs}`);
  requireInteger('seed', seed);
  requirePositive('withinMs', withinMs);
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  if (create !== undefined) requireKitModule(create);
  requireText('symbol', symbol);
  if (dashboard !== undefined) requireMethods('dashboard', dashboard, ['listen']);
  for (const id of only ?? [])
    if (!checks.some((check) => check.id === id))
      throw new RangeError(`only must name checks, got ${JSON.stringify(id)}; there are ${checks.map((check) => check.id).join(', ')}`);
  const host = hostOf(kit);
  const createKit = await loadCreateKit(create);

  const startedAt = systemClock.now();
  const began = systemClock.monotonic();
  const over = new AbortController();
  const interruption = onAbort(signal, (reason) => over.abort(reason));
  const context = contextOf(host, { seed, durationMs, symbol, drill, dashboard, createKit, options, signal: over.signal });

  const results: (CheckResult & { readonly category: CertificationCategory })[] = [];
  const leftOut: LeftOut[] = [];
  const asked = only === undefined ? checks : checks.filter(({ id }) => only.includes(id));
  let done = 0;
  try {
    for (const check of asked) {
      if (signal?.aborted) break;
      const why = check.leftOut?.(host);
      if (why !== undefined) leftOut.push({ id: check.id, why });
      else {
        const elapsedMs = systemClock.monotonic() - began;
        const finding = await runCheck(check, context.checked, { withinMs, elapsedMs });
        // What an interruption broke off is no finding.
        if (signal?.aborted) break;
        if ('leftOut' in finding) leftOut.push({ id: check.id, why: finding.leftOut });
        else results.push({ category: check.category, id: check.id, critical: check.critical, ...finding });
      }
      done++;
      onProgress?.(done, asked.length, check.id);
    }
  } finally {
    interruption[Symbol.dispose]();
    over.abort(new VenueKitError('CLOSED', 'The certification is over.'));
    await context.close();
  }
  const isPartial = done < asked.length;
  const isWhole = !isPartial && only === undefined;
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
    method: METHOD,
    seed,
    durationMs,
    options: describeOptions({ ...host.options, tuning: kit.tuning }),
    environment: environment(),
    startedAt,
    tookMs: Math.round(systemClock.monotonic() - began),
  } as const;
  return { ...report, signature: signatureOf(report) };
}

/** A check that does not come to its end has failed: what it would have found is not known to be well. */
async function runCheck(
  check: Check,
  context: CertificationContext,
  { withinMs, elapsedMs }: { readonly withinMs: number; readonly elapsedMs: number },
): Promise<Finding | NothingToSee> {
  const limit = new AbortController();
  const [longestMs, leftMs] = [withinMs / 2, Math.max(0, withinMs - elapsedMs)];
  const why = leftMs < longestMs ? `the ${withinMs / 1000} s for all checks were over` : `it did not end within ${longestMs / 1000} s`;
  const timer = systemClock.schedule(Math.min(longestMs, leftMs), () => limit.abort(new VenueKitError('TIMEOUT', why)));
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
    if ('leftOut' in found) return found;
    const { passed, measured, required, why } = found;
    return { passed, measured: typeof measured === 'string' ? redactText(measured) : measured, required, why };
  } catch (error) {
    return {
      passed: false,
      measured: `failed: ${redactText(asError(error).message)}`,
      required: 'to come to its end',
      why: 'The check could not be carried out on this kit.',
    };
  } finally {
    timer[Symbol.dispose]();
    for (const one of limits) one[Symbol.dispose]();
  }
}

interface ContextParts {
  readonly seed: number;
  readonly durationMs: number;
  readonly symbol: string;
  readonly drill: boolean;
  readonly dashboard: Dashboard | undefined;
  readonly createKit: Awaited<ReturnType<typeof loadCreateKit>>;
  readonly options: CertifyOptions;
  readonly signal: AbortSignal;
}

function contextOf(host: Host, parts: ContextParts): { readonly checked: CertificationContext; close(): Promise<void> } {
  const { seed, durationMs, signal, createKit, options } = parts;
  const ground = { options: host.options, create: createKit, seed, signal };
  let session: Promise<SessionResult> | undefined;
  const checked: CertificationContext = {
    host,
    ground,
    symbol: parts.symbol,
    dashboard: parts.dashboard,
    drill: parts.drill,
    canMake: options.create !== undefined,
    session: () => (session ??= runSession(ground, durationMs)),
    hostility: once(() => runHostility(ground)),
    outage: once(() => runOutage(ground)),
    storm: once(() => runStorm(ground)),
    limits: once(() => runLimits(ground)),
    rules: once(() => runRules(ground)),
    secrets: once(() => runSecrets(ground)),
    kills: once(() =>
      runKills({ options: host.options, policy: host.kit.tuning.policy, seed, signal, create: options.create, processEntry: options.processEntry }),
    ),
    live: (work) => live(work, host.options.clock ?? systemClock, signal),
  };
  return {
    checked,
    close: async () => {
      const open = await session?.catch(() => undefined);
      await open?.trial[Symbol.asyncDispose]();
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** A kit under virtual time answers only while somebody lets it pass. */
async function live<T>(work: Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  const { advance } = clock as { readonly advance?: (ms: number) => Promise<void> };
  const until = systemClock.monotonic() + LIVE_MS;
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  for (;;) {
    if (advance !== undefined) await advance.call(clock, 10);
    else await Promise.race([over.catch(() => {}), systemClock.sleep(50)]);
    if (isOver) return over;
    if (signal.aborted) throw abortReason(signal);
    if (systemClock.monotonic() > until) throw new VenueKitError('STUCK', `no answer within ${LIVE_MS / 1000} s`);
  }
}
