import { abortReason } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import { VenueKitError } from '../core/errors.js';
import type { Dashboard } from '../dashboard/index.js';
import type { CertifySettings } from './certify-options.js';
import type { Host } from './host.js';
import { type KillResult, runKills } from './kill/kill-trial.js';
import type { CreateKit } from './kit-module.js';
import { type HostilityResult, runHostility } from './trials/hostility-trial.js';
import { type LimitsResult, runLimits } from './trials/limits-trial.js';
import { type OutageResult, runOutage } from './trials/outage-trial.js';
import { type RulesResult, runRules } from './trials/rules-trial.js';
import { runSecrets, type SecretsResult } from './trials/secrets-trial.js';
import { runSession, type SessionResult } from './trials/session-trial.js';
import { runStorm, type StormResult } from './trials/storm-trial.js';
import type { TrialGround } from './trials/trial.js';

/**
 * What checks look at: the host's own kit, and trials of kits like it. A trial runs when the first
 * check asks for it, and once.
 */
export interface CertificationContext {
  readonly host: Host;
  readonly ground: TrialGround;
  /** A symbol that the host's venue trades. */
  readonly symbol: string;
  readonly dashboard: Dashboard | undefined;
  /** Whether the host's notifiers are handed a drill. */
  readonly drill: boolean;
  /** Whether another process can make a kit as the host does. */
  readonly canMake: boolean;
  session(): Promise<SessionResult>;
  hostility(): Promise<HostilityResult>;
  outage(): Promise<OutageResult>;
  storm(): Promise<StormResult>;
  limits(): Promise<LimitsResult>;
  rules(): Promise<RulesResult>;
  secrets(): Promise<SecretsResult>;
  kills(): Promise<KillResult>;
  /** Waits for something of the host's own kit, on its own clock. @throws VenueKitError STUCK when it takes too long */
  live<T>(work: Promise<T>): Promise<T>;
}

const LIVE_MS = 15_000;

/** What the checks of one run look at; to be closed after the last. */
export function contextOf(
  host: Host,
  { seed, durationMs, symbol, drill, dashboard, create, processEntry }: CertifySettings,
  createKit: CreateKit,
  signal: AbortSignal,
): { readonly checked: CertificationContext; close(): Promise<void> } {
  const ground = { options: host.options, create: createKit, seed, signal };
  let session: Promise<SessionResult> | undefined;
  const checked: CertificationContext = {
    host,
    ground,
    symbol,
    dashboard,
    drill,
    canMake: create !== undefined,
    session: () => (session ??= runSession(ground, durationMs)),
    hostility: once(() => runHostility(ground)),
    outage: once(() => runOutage(ground)),
    storm: once(() => runStorm(ground)),
    limits: once(() => runLimits(ground)),
    rules: once(() => runRules(ground)),
    secrets: once(() => runSecrets(ground)),
    kills: once(() => runKills({ options: host.options, policy: host.kit.tuning.policy, seed, signal, create, processEntry })),
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
