import type { Read } from '../../contracts/cache-store.js';
import type { VenueKitEvents } from '../../contracts/events.js';
import type { KitTuning } from '../../contracts/kit-tuning.js';
import type { MarketKind } from '../../contracts/market-data.js';
import type { Cost, Limit } from '../../core/limits.js';

/** What a recorder says of itself at the beginning of a trace. */
export interface TraceHeader {
  readonly schema: string;
  /** Drawn anew for each recorder: tells whose file is whose. */
  readonly run: number;
  /** Epoch ms. */
  readonly startedAt: number;
  /** What was in force, as far as the host told the recorder. */
  readonly tuning?: KitTuning;
  readonly limits?: readonly Limit[];
  /** What an operation costs of the limits. */
  readonly costs?: Readonly<Record<string, readonly Cost[]>>;
  /** How many symbols one call may ask for. */
  readonly batchLimits?: Readonly<Partial<Record<MarketKind, number>>>;
}

/** An attempt at the venue; `t` is when it ended, `t - ms` when it was sent. */
export interface TracedCall {
  readonly t: number;
  readonly operation: string;
  readonly attempt: number;
  readonly ms: number;
  readonly outcome: VenueKitEvents['venue.call']['outcome'];
  readonly hedge: boolean;
}

/** A read of market data, when it was answered. Keys and consumers are numbers: their names are not kept. */
export interface TracedRead {
  readonly t: number;
  readonly kind: MarketKind;
  readonly key: number;
  readonly outcome: Read<unknown>['outcome'];
  readonly ageMs: number;
  /** 0 for what was there. */
  readonly waitedMs: number;
  /** Infinity where the reader set no bound. */
  readonly maxAgeMs: number;
  /** 0 where the reader gave no name. */
  readonly consumer: number;
}

/** A call for values that the cache needed. */
export interface TracedLoad {
  readonly t: number;
  readonly kind: MarketKind;
  readonly keys: number;
  readonly ms: number;
  readonly ok: boolean;
}

/** A value that took the place of what was held of its key. */
export interface TracedValue {
  readonly t: number;
  readonly kind: MarketKind;
  readonly key: number;
  readonly origin: VenueKitEvents['cache.kept']['origin'];
  /** Whether it says something else than the one before; undefined for the first. */
  readonly changed: boolean | undefined;
}

export interface TracedLoan {
  readonly t: number;
  readonly pool: string;
  readonly waitedMs: number;
  readonly reused: boolean;
}

export interface TracedTask {
  readonly t: number;
  readonly group: string;
  readonly waitMs: number;
  readonly runMs: number;
  readonly ok: boolean;
}

/** What was recorded of a run. Every `t` is in epoch ms, and every list is in the order of time. */
export interface Trace extends TraceHeader {
  /** Of the first and last record. */
  readonly from: number;
  readonly to: number;
  readonly calls: readonly TracedCall[];
  readonly reads: readonly TracedRead[];
  readonly loads: readonly TracedLoad[];
  readonly values: readonly TracedValue[];
  readonly prefetches: readonly { readonly t: number; readonly key: number; readonly useful: boolean }[];
  readonly loans: readonly TracedLoan[];
  readonly returns: readonly { readonly t: number; readonly pool: string; readonly heldMs: number }[];
  readonly opened: readonly { readonly t: number; readonly pool: string; readonly ms: number | undefined }[];
  readonly closed: readonly { readonly t: number; readonly pool: string; readonly why: string }[];
  readonly tasks: readonly TracedTask[];
  readonly parses: readonly { readonly t: number; readonly bytes: number; readonly ms: number; readonly thread: 'main' | 'worker' }[];
  readonly limitReports: readonly {
    readonly t: number;
    readonly limit: string;
    readonly used: number | undefined;
    readonly remaining: number | undefined;
    /** How long everything under the limit is refused from then on; undefined where it is not. */
    readonly blockedMs: number | undefined;
  }[];
  readonly appends: readonly { readonly t: number; readonly records: number; readonly ms: number }[];
  /** Records that could not be kept, because they came faster than they could be written. */
  readonly dropped: number;
  /** Blocks that could not be read: the end of a file whose process was killed, or damage. */
  readonly unreadable: number;
}
