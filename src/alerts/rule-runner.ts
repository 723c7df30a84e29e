import type { AlertState, MarketCalendar } from '../contracts/alerts.js';
import type { MetricStore } from '../contracts/metric-store.js';
import { asError } from '../core/errors.js';
import type { PreparedQuery, QueryVector } from '../query/index.js';
import { alignSlots } from './conditions/aligned-queries.js';
import { type ConditionParts, compileCondition } from './conditions/compile-condition.js';
import type { Condition, Readings } from './conditions/condition.js';
import { increaseOver, samplesBehind } from './conditions/rewrite.js';
import { changeThreshold } from './conditions/threshold-condition.js';
import type { AlertRule } from './rules/rule.js';
import { EVERY_MS } from './rules/rule-defaults.js';
import { advance, type Delays, type Finding } from './state/alert-state.js';
import { AlertTrack } from './state/alert-track.js';
import { type Labels, labelsKey } from './state/labels.js';

/** What a runner works with. */
export interface RunnerParts extends ConditionParts {
  readonly calendar: MarketCalendar | undefined;
  onChange(track: AlertTrack, from: AlertState): void;
  /** It could not be evaluated; `isFirst` since it could. */
  onFailure(rule: AlertRule, error: Error, isFirst: boolean): void;
  /** It can be evaluated again. */
  onRecovery(rule: AlertRule): void;
}

/** How long a resolved alert is still shown. */
const SHOWN_MS = 900_000;
/** A timer may fire a little early. */
const EARLY_MS = 20;
const NO_LABELS: Labels = Object.freeze({});

/** Evaluates one rule and keeps its alerts. */
export class RuleRunner {
  readonly rule: AlertRule;
  readonly everyMs: number;
  readonly #parts: RunnerParts;
  readonly #delays: Delays;
  readonly #noDataDelays: Delays;
  readonly #condition: Condition;
  readonly #samples: PreparedQuery | undefined;
  readonly #tracks = new Map<string, AlertTrack>();
  #bySlot: (AlertTrack | undefined)[] = [];
  #keys: readonly string[] = [];
  #countSlots: readonly (readonly number[])[] = [];
  #version = Number.NaN;
  #countsVersion: number | undefined;
  #evaluations = 0;
  #lastAt = Number.NaN;
  #isWarm: boolean;
  #isFailing = false;

  constructor(rule: AlertRule, parts: RunnerParts) {
    this.rule = rule;
    this.everyMs = rule.everyMs ?? EVERY_MS;
    this.#parts = parts;
    this.#delays = { forMs: rule.forMs ?? 0, keepFiringForMs: rule.keepFiringForMs ?? 0 };
    this.#noDataDelays = { ...this.#delays, forMs: rule.noDataForMs ?? this.#delays.forMs };
    this.#condition = compileCondition(rule, parts);
    this.#isWarm = this.#condition.warmUp === undefined;
    const counted = countable(rule);
    this.#samples = counted === undefined ? undefined : parts.windows.prepare(counted);
  }

  get tracks(): IterableIterator<AlertTrack> {
    return this.#tracks.values();
  }

  /** Whether something would be lost if it were not known how long nobody looked. */
  get isPending(): boolean {
    for (const { phase } of this.#tracks.values()) if (phase.state === 'pending') return true;
    return false;
  }

  isDue(at: number): boolean {
    return !(at - this.#lastAt < this.everyMs - EARLY_MS);
  }

  /** Whether there is history to learn from before the first evaluation. */
  get needsWarmUp(): boolean {
    return !this.#isWarm;
  }

  async warmUp(store: MetricStore, at: number, signal: AbortSignal): Promise<void> {
    this.#isWarm = true;
    try {
      await this.#condition.warmUp?.(store, at, signal);
    } catch (error) {
      this.fail(at, asError(error));
    }
  }

  /** The alert for labels of a series, made where there is none. */
  trackOf(labels: Labels): AlertTrack {
    const key = this.#keyOf(labels);
    let track = this.#tracks.get(key);
    if (track === undefined) this.#tracks.set(key, (track = new AlertTrack(this.rule, labels)));
    return track;
  }

  evaluate(at: number): void {
    this.#evaluations++;
    this.#lastAt = at;
    try {
      const readings = this.#condition.read(at);
      const counts = this.#samples?.evaluate(at);
      if (readings.version !== this.#version || counts?.version !== this.#countsVersion) this.#align(readings, counts);
      this.#judgePresent(readings, counts, at);
    } catch (error) {
      this.fail(at, asError(error));
      return;
    }
    if (this.#isFailing) this.#parts.onRecovery(this.rule);
    this.#isFailing = false;
    this.#judgeMissing(at);
  }

  /** It could not be evaluated. */
  fail(at: number, error: Error): void {
    this.#lastAt = at;
    this.#parts.onFailure(this.rule, error, !this.#isFailing);
    this.#isFailing = true;
    if (this.rule.onError === 'alert') this.#step(this.#ofRule(), 'error', at, Number.NaN);
  }

  release(): void {
    this.#condition.release();
    this.#samples?.release();
  }

  #judgePresent({ slots, present, values }: Readings, counts: QueryVector | undefined, at: number): void {
    for (let slot = 0; slot < slots.length; slot++) {
      if (present[slot] !== 1) continue;
      const known = this.#bySlot[slot];
      let holds = this.#condition.holds(slot, known?.isRaised ?? false);
      if (holds && counts !== undefined) holds = this.#countOf(counts, slot) >= (this.rule.minSamples as number) - TOLERANCE;
      const { labels } = slots[slot] as { readonly labels: Labels };
      if (holds) holds = this.#isMarketOpen(labels, at);
      if (known === undefined && !holds && this.rule.noData !== 'alert') continue;
      const track = known ?? this.#introduce(slot, labels);
      if (track.seenIn === this.#evaluations) throw new RangeError('labels of the rule must not hide what tells its series apart');
      track.seenIn = this.#evaluations;
      track.standsForRule = false;
      this.#step(track, holds ? 'firing' : 'calm', at, values[slot] as number);
    }
  }

  /** Alerts whose series have no value now. */
  #judgeMissing(at: number): void {
    const { noData = 'ok' } = this.rule;
    if (noData === 'alert' && this.#tracks.size === 0) this.#ofRule();
    for (const track of this.#tracks.values()) {
      if (track.seenIn === this.#evaluations) continue;
      const { phase, standsForRule } = track;
      // What stands for the rule is over as soon as it can be evaluated and there is something.
      const isMissed = noData === 'alert' && (!standsForRule || this.#tracks.size === 1) && this.#isMarketOpen(track.labels, at);
      if (isMissed) this.#step(track, 'nodata', at, Number.NaN);
      else if (noData !== 'keep' || standsForRule) this.#step(track, 'calm', at, track.value);
      const isOver = phase.state === 'inactive' && !(at - phase.resolvedAt <= SHOWN_MS);
      if (isOver && (noData !== 'alert' || standsForRule)) this.#forget(track);
    }
  }

  #ofRule(): AlertTrack {
    const track = this.trackOf(NO_LABELS);
    // A series without labels, once seen, is itself.
    if (track.seenIn < 0) track.standsForRule = true;
    return track;
  }

  #step(track: AlertTrack, finding: Finding, at: number, value: number): void {
    const from = track.phase.state;
    if (finding !== 'calm' || !Number.isNaN(value)) track.value = value;
    if (advance(track.phase, finding, at, finding === 'nodata' ? this.#noDataDelays : this.#delays)) this.#parts.onChange(track, from);
  }

  #isMarketOpen(labels: Labels, at: number): boolean {
    const { calendar } = this.#parts;
    const { openMarketForMs } = this.rule;
    if (calendar === undefined || openMarketForMs === undefined) return true;
    const { isOpen, since } = calendar.session(at, labels.symbol);
    return isOpen && at - since >= openMarketForMs;
  }

  #keyOf(labels: Labels): string {
    const { labels: own } = this.rule;
    return labelsKey(own === undefined ? labels : { ...labels, ...own });
  }

  #forget(track: AlertTrack): void {
    this.#tracks.delete(track.key);
    for (let slot = 0; slot < this.#bySlot.length; slot++) if (this.#bySlot[slot] === track) this.#bySlot[slot] = undefined;
  }

  /** An alert for a slot, and for others of the same labels: of `a or b`, each side has its own. */
  #introduce(slot: number, labels: Labels): AlertTrack {
    const track = this.trackOf(labels);
    const key = this.#keys[slot];
    for (let other = 0; other < this.#keys.length; other++) if (this.#keys[other] === key) this.#bySlot[other] = track;
    return track;
  }

  /** How many samples are behind a value. */
  #countOf({ present, values }: QueryVector, slot: number): number {
    for (const own of this.#countSlots[slot] as readonly number[]) if (present[own] === 1) return values[own] as number;
    return 0;
  }

  /** After series came or went. */
  #align({ version, slots }: Readings, counts: QueryVector | undefined): void {
    this.#version = version;
    this.#keys = slots.map(({ labels }) => this.#keyOf(labels));
    this.#bySlot = this.#keys.map((key) => this.#tracks.get(key));
    if (counts === undefined) return;
    this.#countsVersion = counts.version;
    this.#countSlots = alignSlots(slots, counts.slots);
  }
}

/** Counts of events are extrapolated: 19.999… of 20. */
const TOLERANCE = 1e-6;

/** What counts the samples behind each value; undefined where they don't matter. */
function countable(rule: AlertRule): string | undefined {
  if (rule.minSamples === undefined || rule.minSamples === 0 || rule.type === 'custom') return undefined;
  if (rule.type === 'burn_rate') return increaseOver(rule.total, Math.max(...rule.windows.map(({ longMs }) => longMs)));
  return samplesBehind(rule.type === 'rate_of_change' ? changeThreshold(rule).expr : rule.expr);
}
