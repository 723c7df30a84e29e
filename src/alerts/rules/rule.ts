import type { Severity } from '../../contracts/alerts.js';

/** Something to be done when an alert is raised, or over. */
export interface ActionRef {
  /** Name of an action that the engine was given; createVenueKit gives `trip_breaker`, `lower_concurrency`, `shed_prefetch`, `block_symbol` and `halt`. */
  readonly do: string;
  /** What the action takes. */
  readonly with?: Readonly<Record<string, unknown>>;
  /** @defaultValue 'firing' */
  readonly on?: 'firing' | 'resolved';
  /** Least time between two runs for the same alert. @defaultValue 60_000 */
  readonly cooldownMs?: number;
  /** Most runs within an hour, over all alerts of the rule. @defaultValue 12 */
  readonly maxPerHour?: number;
  /** `dry_run` says what would be done, and does nothing. @defaultValue 'dry_run' */
  readonly mode?: 'dry_run' | 'auto';
}

/** What all rules have. */
export interface RuleBase {
  /** Rules may share an id when their severities differ: they are then levels of one rule. */
  readonly id: string;
  readonly severity: Severity;
  /** One sentence for people: what is wrong. */
  readonly summary: string;
  /** How often it is evaluated. @defaultValue 1_000 */
  readonly everyMs?: number;
  /** How long the condition must hold, at every evaluation, before the alert is raised. @defaultValue 0 */
  readonly forMs?: number;
  /** How long a raised alert is `recovering` once the condition no longer holds. @defaultValue 0 */
  readonly keepFiringForMs?: number;
  /**
   * When there is no value: `ok` ends the alert, as Prometheus does; `alert` raises it as `nodata`; `keep` leaves it as it is.
   * @defaultValue 'ok'
   */
  readonly noData?: 'ok' | 'alert' | 'keep';
  /** How long there must be no value before `noData: 'alert'` raises. @defaultValue `forMs` */
  readonly noDataForMs?: number;
  /** When evaluation fails: `keep` leaves every alert as it is; `alert` raises one as `error`, after `forMs`. @defaultValue 'keep' */
  readonly onError?: 'keep' | 'alert';
  /**
   * Fewer samples behind a value than this, and it is not judged: events under `rate` and `increase`,
   * observations of histograms, points otherwise; of a quotient, those of the divisor.
   * @defaultValue 0
   */
  readonly minSamples?: number;
  /** Added to the labels of each alert, before those of the series. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Where to read what to do. */
  readonly runbook?: string;
  /** Ids of rules that nobody is told of while this one is raised, for alerts whose labels do not contradict this one's. */
  readonly inhibits?: readonly string[];
  readonly actions?: readonly ActionRef[];
  /** Judged only while the market of the alert's `symbol` is open (the engine's `calendar`) and has been for so long; always without a calendar. */
  readonly openMarketForMs?: number;
}

/** Fires where the value is beyond `fire`, and clears where it is back beyond `clear`. */
export interface ThresholdRule extends RuleBase {
  readonly type: 'threshold';
  /** In the query language; a bare metric name is its latest value per series, looking back 5 min. */
  readonly expr: string;
  readonly op: '>' | '<' | '>=' | '<=';
  readonly fire: number;
  /** A raised alert holds until the value has passed this. @defaultValue `fire` */
  readonly clear?: number;
}

/** Fires where the value has changed by more than `percent` within `overMs`. */
export interface RateOfChangeRule extends RuleBase {
  readonly type: 'rate_of_change';
  readonly expr: string;
  readonly overMs: number;
  /** Of the value `overMs` ago, above 0. */
  readonly percent: number;
  readonly direction: 'up' | 'down';
}

/** A pair of windows: the long one shows that it matters, the short one that it goes on. */
export interface BurnWindow {
  readonly longMs: number;
  readonly shortMs: number;
  /** Multiples of the rate that would use up the error budget exactly; budgetFraction × budgetWindow / longWindow. */
  readonly burn: number;
}

/**
 * Fires where the error budget burns too fast over both windows of a pair.
 *
 * Source: B. Beyer et al., "The Site Reliability Workbook", 2018, chapter 5: multiwindow, multi-burn-rate alerts.
 */
export interface BurnRateRule extends RuleBase {
  readonly type: 'burn_rate';
  /** Counters, such as `failures_total` (all its series together) or `sum by (operation) (failures_total)`. */
  readonly errors: string;
  readonly total: string;
  /** Share that must succeed, such as 0.999. */
  readonly objective: number;
  readonly budgetWindowMs: number;
  readonly windows: readonly BurnWindow[];
}

/** Fires where the engine's detector finds a value as surprising as `score` or more. A surprise is told once: `keepFiringForMs` makes it last. */
export interface AnomalyRule extends RuleBase {
  readonly type: 'anomaly';
  readonly expr: string;
  /** In [0, 1]. */
  readonly score: number;
}

/**
 * Fires for each series that has had no sample for `olderThanMs`, and where there is none at all; not before the engine has
 * been there for that long, since what a bot that has just started records can't have come yet.
 */
export interface AbsentRule extends RuleBase {
  readonly type: 'absent';
  readonly expr: string;
  readonly olderThanMs: number;
}

/** One thing that a custom rule judged. */
export interface CustomReading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  readonly active: boolean;
}

/** Fires where a function says so. */
export interface CustomRule extends RuleBase {
  readonly type: 'custom';
  readonly evaluate: (now: number) => Iterable<CustomReading>;
}

export type AlertRule = ThresholdRule | RateOfChangeRule | BurnRateRule | AnomalyRule | AbsentRule | CustomRule;

/** For messages: the id, with the severity that tells its levels apart. */
export function ruleName({ id, severity }: Pick<RuleBase, 'id' | 'severity'>): string {
  return `${id} (${severity})`;
}
