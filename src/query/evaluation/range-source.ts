import type { LabelMatcher } from '../language/ast.js';
import { matchesAll } from './matchers.js';
import type { MetricWindow, WindowSeries } from './metric-window.js';
import type { SampleSeries } from './sample-series.js';
import type { QuerySlot } from './slots.js';

/** Samples over time, a series a slot: those of a metric, or those that a subquery makes. */
export interface RangeSource {
  readonly version: number;
  readonly slots: readonly QuerySlot[];
  readonly samples: readonly SampleSeries[];
  /** Makes sure that what there is up to `at` is there. */
  advance(at: number): void;
}

/** The series of a metric that meet the conditions of a selector. */
export class SelectorSource implements RangeSource {
  version = 0;
  slots: readonly QuerySlot[] = [];
  samples: readonly SampleSeries[] = [];
  series: readonly WindowSeries[] = [];
  readonly #window: MetricWindow;
  readonly #matchers: readonly LabelMatcher[];

  constructor(window: MetricWindow, matchers: readonly LabelMatcher[]) {
    this.#window = window;
    this.#matchers = matchers;
  }

  advance(): void {
    if (this.version === this.#window.version) return;
    this.version = this.#window.version;
    this.series = [...this.#window.series.values()].filter(({ slot }) => matchesAll(this.#matchers, slot.labels));
    this.slots = this.series.map(({ slot }) => slot);
    this.samples = this.series.map(({ samples }) => samples);
  }
}
