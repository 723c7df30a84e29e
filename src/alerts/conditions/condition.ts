import type { MetricStore } from '../../contracts/metric-store.js';
import type { Labels } from '../state/labels.js';

/** What was found at one moment; a view that the next reading overwrites. */
export interface Readings {
  /** Slots mean the same labels as before while this is the same. */
  readonly version: number;
  readonly slots: readonly { readonly labels: Labels }[];
  /** 1 where the slot has a value now. */
  readonly present: Uint8Array;
  readonly values: Float64Array;
}

/** What a rule watches, whatever its type. */
export interface Condition {
  /** @throws what keeps it from being evaluated. */
  read(at: number): Readings;
  /** Whether what is present in a slot is to be raised; `isRaised`, whether it has been. Once a reading, since some conditions learn from it. */
  holds(slot: number, isRaised: boolean): boolean;
  /** Learns from what happened before `at`. */
  warmUp?(store: MetricStore, at: number, signal: AbortSignal): Promise<void>;
  release(): void;
}
