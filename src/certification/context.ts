import type { Dashboard } from '../dashboard/index.js';
import type { Host } from './host.js';
import type { KillResult } from './kill/kill-trial.js';
import type { HostilityResult } from './trials/hostility-trial.js';
import type { LimitsResult } from './trials/limits-trial.js';
import type { OutageResult } from './trials/outage-trial.js';
import type { RulesResult } from './trials/rules-trial.js';
import type { SecretsResult } from './trials/secrets-trial.js';
import type { SessionResult } from './trials/session-trial.js';
import type { StormResult } from './trials/storm-trial.js';
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
