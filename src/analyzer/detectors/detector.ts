import type { Random } from '../../core/random.js';
import type { Objectives } from '../measures/components.js';
import type { ComponentName, Measurements } from '../measures/measurements.js';
import type { Trace } from '../trace/trace.js';

/** What a change is expected to do, as a replay of the trace measured it. */
export interface Estimate {
  /** What it is of, with its unit. */
  readonly metric: string;
  /** With the options as they are, and as they would be. */
  readonly from: number;
  readonly to: number;
  /** Between these `to` lies in 90 of 100 resamplings of the run. */
  readonly low: number;
  readonly high: number;
  /** How it was found. */
  readonly how: string;
}

export interface Change {
  /** As in the tuning of a kit, `marketData.kinds.quote.ttlMs`; of Node itself, `node --…`. */
  readonly option: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly why: string;
}

/** Where a change shows. */
export type Area = 'latency' | 'errors' | 'throughput' | 'efficiency' | 'freshness';

export type Effort = 'low' | 'medium' | 'high';

/** What a detector found. */
export interface Finding {
  readonly finding: string;
  readonly evidence: Readonly<Record<string, number>>;
  readonly change: Change;
  /** Undefined where the trace lacks what a replay needs; then `noEstimate` says what. */
  readonly estimate?: Estimate;
  readonly noEstimate?: string;
}

/** Found something, found nothing, or could not tell. */
export type Detection = { readonly findings: readonly Finding[] } | { readonly undecided: string };

export interface DetectorContext {
  readonly measured: Measurements;
  readonly trace: Trace | undefined;
  readonly objectives: Objectives;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  /** The present value of an option, by its path: as the host or the trace says, else the default. */
  option(path: string): unknown;
}

/**
 * One thing that can be better. A detector's file holds all of it: what it sees in the measures or the trace, the option that
 * changes it, and the replay that says by how much.
 */
export interface Detector {
  /** Stable: reports and files refer to it. */
  readonly id: string;
  readonly component: ComponentName;
  readonly area: Area;
  /** What it sees, in a sentence, with its thresholds. */
  readonly sees: string;
  readonly option: string;
  readonly effort: Effort;
  /** Which records a finding needs; which its estimate needs; in words. */
  readonly from: string;
  readonly replay: string;
  detect(context: DetectorContext): Promise<Detection>;
}

export const NOTHING: Detection = { findings: [] };

/** What a detector says when it may not judge. */
export function undecided(what: string): Detection {
  return { undecided: what };
}

/** The same, of too few of something. */
export function tooFew(were: number | undefined, needed: number, things: string): Detection {
  return undecided(`${were ?? 0} ${things} were measured, and ${needed} are needed`);
}

export const NO_TRACE = 'no trace was given: record one with TraceRecorder (createVenueKit({ trace })) and hand it to the analyzer';
