import type { LabelMatcher } from '../language/ast.js';
import { matchesAll } from './matchers.js';
import { SampleSeries } from './sample-series.js';
import { SketchSeries } from './sketch-series.js';
import { makeSlot, type QuerySlot } from './slots.js';

/** A series of a metric, and what of it is in the window. */
export interface WindowSeries {
  readonly slot: QuerySlot;
  readonly samples: SampleSeries;
  readonly sketches: SketchSeries;
  /** Whether ticks have it: it stays then, even while it has nothing to say. */
  isLive: boolean;
}

/** What one selector needs of a metric. */
export interface WindowNeed {
  readonly matchers: readonly LabelMatcher[];
  readonly sketches: boolean;
  /** How long samples stay, once those before have been looked at. */
  readonly keepMs: number;
  /** How far back the first evaluation looks. */
  readonly lookbackMs: number;
}

let versions = 0;

/** The samples of one metric, as far back as somebody looks. */
export class MetricWindow {
  readonly metric: string;
  readonly series: Map<string, WindowSeries> = new Map();
  /** Changes when series come or go. */
  version = 0;
  /** Whether what the needs look back on has been loaded. */
  isFilled = false;
  /** Ticks after this are not there yet. */
  coveredTo: number = -Infinity;
  #needs: readonly WindowNeed[] = [];
  #keepMs = 0;

  constructor(metric: string) {
    this.metric = metric;
  }

  get needs(): readonly WindowNeed[] {
    return this.#needs;
  }

  /** How far back the first evaluation of any selector looks. */
  get lookbackMs(): number {
    return Math.max(0, ...this.#needs.map(({ lookbackMs }) => lookbackMs));
  }

  get readsSamples(): boolean {
    return this.#needs.some(({ sketches }) => !sketches);
  }

  get readsSketches(): boolean {
    return this.#needs.some(({ sketches }) => sketches);
  }

  /** What all selectors ask of labels, for a store to select by. */
  get commonLabels(): Readonly<Record<string, string>> {
    const [first, ...others] = this.#needs.map(({ matchers }) => matchers.filter(({ op }) => op === '='));
    const common = (first ?? []).filter(({ label, value }) =>
      others.every((matchers) => matchers.some((other) => other.label === label && other.value === value)),
    );
    return Object.fromEntries(common.map(({ label, value }) => [label, value]));
  }

  setNeeds(needs: readonly WindowNeed[]): void {
    const grown = needs.some((need) => !this.#needs.includes(need));
    this.#needs = needs;
    this.#keepMs = Math.max(0, ...needs.map(({ keepMs }) => keepMs));
    if (grown) this.isFilled = false;
  }

  /** The series of these labels, made when it is new; undefined when no selector wants it. */
  seriesOf(labels: Readonly<Record<string, string>>): WindowSeries | undefined {
    if (!this.#needs.some(({ matchers }) => matchesAll(matchers, labels))) return undefined;
    const slot = makeSlot(this.metric, labels);
    let series = this.series.get(slot.key);
    if (series === undefined) {
      series = { slot, samples: new SampleSeries(), sketches: new SketchSeries(), isLive: false };
      this.series.set(slot.key, series);
      this.version = ++versions;
    }
    return series;
  }

  /** Drops what nobody looks at any more of one series. */
  trim({ samples, sketches }: WindowSeries, now: number): void {
    samples.dropBefore(now - this.#keepMs);
    sketches.dropBefore(now - this.#keepMs);
  }

  /** Forgets series that have nothing left and are in no tick. */
  sweep(now: number): void {
    for (const [key, series] of this.series) {
      this.trim(series, now);
      if (series.isLive || series.samples.size > 0 || series.sketches.size > 0) continue;
      this.series.delete(key);
      this.version = ++versions;
    }
  }
}
