/** The parts of a bot's plumbing that measures belong to. */
export type Component = 'venue' | 'feed' | 'cache' | 'pool' | 'fetcher' | 'orders' | 'journal' | 'process';

/** One metric and how it is read. */
export interface Reading {
  readonly metric: string;
  readonly match?: Readonly<Record<string, string>>;
}

/**
 * How a measure's series come out of a store: one aggregation; the median of the raw points, which stores
 * keep in full where they keep a histogram's percentiles by the minute only; or the share that one
 * counter's rise has in another's.
 */
export type ReadPlan =
  | (Reading & { readonly kind: 'aggregate'; readonly agg: 'min' | 'max' | 'avg' | 'rate' | `p${number}` })
  | (Reading & { readonly kind: 'points' })
  | { readonly kind: 'share'; readonly part: readonly Reading[]; readonly whole: Reading };

/** What is watched of a component, and what a change of it means. */
export interface Measure {
  /** Name of the metric and how it is read: `venuekit_venue_call_seconds p95`. */
  readonly id: string;
  readonly component: Component;
  /** In words, as the subject of a sentence. */
  readonly what: string;
  readonly unit: 'seconds' | 'ratio' | 'per second' | 'bytes' | 'count';
  readonly plan: ReadPlan;
  /** Labels that each value gets a series of its own for. */
  readonly by: readonly string[];
  readonly worse: 'higher' | 'lower';
  /** How far from a first cause: of measures that move together the lowest is named as the cause. */
  readonly depth: number;
  /** The smallest change worth a word, relative to the level before and absolute: both must be exceeded, for 15 s or as long as told. */
  readonly least: { readonly relative: number; readonly absolute: number; readonly lastingMs?: number };
  /** Looked at for slow growth rather than for jumps. */
  readonly leaks?: true;
  readonly action: string;
}
