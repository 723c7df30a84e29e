export type Severity = 'info' | 'warning' | 'critical';

/** What is known of an alert at a moment; `nodata` and `error` are raised like `firing`, for want of a value. */
export type AlertState = 'inactive' | 'pending' | 'firing' | 'recovering' | 'nodata' | 'error';

/** One alert of one rule for one set of labels. */
export interface AlertInstance {
  /** The same for the same rule, severity and labels. */
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: AlertState;
  /** What was judged last; NaN where there was no value. */
  readonly value: number;
  /** When it was raised, epoch ms; kept while it recovers and after it is over. */
  readonly firedAt?: number;
  /** When it was over, epoch ms. */
  readonly resolvedAt?: number;
  /** `silence:<id>` and `inhibited:<rule>`: why nobody is told. */
  readonly suppressedBy: readonly string[];
  /** What the rule says of itself, for people. */
  readonly summary?: string;
  readonly runbook?: string;
}

/** Alerts that are told together. */
export interface AlertGroup {
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly AlertInstance[];
}

/** A way to a person. */
export interface Notifier {
  readonly name: string;
  /** Rejects where it could not be told; it is then tried again. The signal aborts when the time for it is over. */
  notify(group: AlertGroup, signal: AbortSignal): Promise<void>;
  /** Tell what still fires again, so often. @defaultValue the engine's `repeatMs` */
  readonly resendMs?: number;
  /** Whether it groups, silences and inhibits by itself, and so wants suppressed alerts too. @defaultValue false */
  readonly wantsSuppressed?: boolean;
}

/** A change of an alert's state, as it is kept. */
export interface AlertEvent {
  readonly at: number;
  readonly alert: AlertInstance;
  readonly from: AlertState;
}

/** Keeps people from being told of alerts whose labels (and `rule`) are all as in `match`, until a time. */
export interface Silence {
  readonly id: string;
  readonly match: Readonly<Record<string, string>>;
  /** Epoch ms. */
  readonly until: number;
  readonly by: string;
  readonly comment: string;
  readonly createdAt: number;
}

/** What an alert had done, or would have: the audit. */
export interface AlertActionRecord {
  readonly at: number;
  readonly fingerprint: string;
  readonly rule: string;
  readonly labels: Readonly<Record<string, string>>;
  /** When the alert was raised that it was done for. */
  readonly firedAt: number;
  readonly action: string;
  /** What it takes, without secrets. */
  readonly with: Readonly<Record<string, unknown>>;
  readonly on: 'firing' | 'resolved';
  readonly mode: 'dry_run' | 'auto';
  /** `skipped`: within its cooldown or above its hourly bound. */
  readonly outcome: 'done' | 'failed' | 'skipped';
  /** In words, without secrets. */
  readonly detail?: string;
}

/**
 * Where alert state, silences and the audit of actions survive a restart; the metric stores of a
 * single machine implement it. A store with the first two methods alone keeps states only.
 */
export interface AlertStateStore {
  saveAlert(event: AlertEvent): Promise<void>;
  /** In order of time; both ends included. */
  alerts(range: { readonly from: number; readonly to: number }): Promise<readonly AlertEvent[]>;
  saveSilence?(silence: Silence): Promise<void>;
  /** Those that end after `after`. */
  silences?(after: number): Promise<readonly Silence[]>;
  saveAction?(record: AlertActionRecord): Promise<void>;
  /** In order of time; both ends included. */
  actions?(range: { readonly from: number; readonly to: number }): Promise<readonly AlertActionRecord[]>;
  /** The latest change of each alert that is not over; without it they are looked for in all of `alerts`. */
  openAlerts?(): Promise<readonly AlertEvent[]>;
  /** When rules were evaluated last, and how long after the time before: a restart must know how long nobody looked. */
  saveAlertTick?(tick: AlertTick): Promise<void>;
  alertTick?(): Promise<AlertTick | undefined>;
}

export interface AlertTick {
  readonly at: number;
  readonly stepMs: number;
}

/** When a market trades. */
export interface MarketCalendar {
  /** Whether the market of `symbol` is open at `at` (epoch ms), and since when it has been so. Without a symbol: of the venue. */
  session(at: number, symbol?: string): { readonly isOpen: boolean; readonly since: number };
}
