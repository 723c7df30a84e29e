import type { MetricStore } from '../../contracts/metric-store.js';
import { queryRange, type SampleWindows } from '../../query/index.js';
import type { AnomalyRule } from '../rules/rule.js';
import { labelsKey } from '../state/labels.js';
import { AlignedQueries } from './aligned-queries.js';
import type { Condition, Readings } from './condition.js';

/** What finds surprises in one series, a point at a time; a StreamingDetector of venuekit/analytics is one. */
export interface AnomalyDetector {
  /** @returns score in [0, 1] */
  push(t: number, value: number): { readonly score: number };
}

/** Points that a detector learns from before it is asked, where the store has them. */
const WARM_UP_POINTS = 1_000;

/** Values that a detector, one for each series, finds surprising. */
export class AnomalyCondition implements Condition {
  readonly #expr: string;
  readonly #score: number;
  readonly #everyMs: number;
  readonly #makeDetector: () => AnomalyDetector;
  readonly #queries: AlignedQueries;
  readonly #detectors = new Map<string, AnomalyDetector>();
  #bySlot: AnomalyDetector[] = [];
  #version = Number.NaN;
  #at = Number.NaN;
  #values: Float64Array = new Float64Array(0);

  constructor(windows: SampleWindows, rule: AnomalyRule, everyMs: number, makeDetector: () => AnomalyDetector) {
    this.#expr = rule.expr;
    this.#score = rule.score;
    this.#everyMs = everyMs;
    this.#makeDetector = makeDetector;
    this.#queries = new AlignedQueries(windows, [rule.expr]);
  }

  async warmUp(store: MetricStore, at: number, signal: AbortSignal): Promise<void> {
    const to = at - this.#everyMs;
    const from = Math.max(0, to - WARM_UP_POINTS * this.#everyMs);
    const { series } = await queryRange(store, this.#expr, { from, to, stepMs: this.#everyMs, signal });
    for (const { labels, t, v } of series) {
      const detector = this.#detectorOf(labels);
      for (let i = 0; i < t.length; i++) if (Number.isFinite(v[i])) detector.push(t[i] as number, v[i] as number);
    }
  }

  read(at: number): Readings {
    const vector = this.#queries.read(at);
    if (vector.version !== this.#version) {
      this.#version = vector.version;
      this.#bySlot = vector.slots.map(({ labels }) => this.#detectorOf(labels));
    }
    this.#at = at;
    this.#values = vector.values;
    return vector;
  }

  holds(slot: number): boolean {
    const value = this.#values[slot] as number;
    // Neither NaN nor an infinity can be learned from.
    return Number.isFinite(value) && (this.#bySlot[slot] as AnomalyDetector).push(this.#at, value).score >= this.#score;
  }

  release(): void {
    this.#queries.release();
    this.#detectors.clear();
  }

  #detectorOf(labels: Readonly<Record<string, string>>): AnomalyDetector {
    const key = labelsKey(labels);
    let detector = this.#detectors.get(key);
    if (detector === undefined) this.#detectors.set(key, (detector = this.#makeDetector()));
    return detector;
  }
}
