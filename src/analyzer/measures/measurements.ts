import type { QuantileSketch } from '../../core/quantile-sketch.js';

/** The parts that are judged. */
export const COMPONENTS = ['venue calls', 'order path', 'connection pool', 'market-data cache', 'parallel fetch', 'event loop and memory'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

export interface CallMeasures {
  readonly calls: number;
  readonly failures: number;
  readonly refused: number;
  readonly retries: number;
  readonly hedges: number;
  /** Seconds, each attempt by itself. */
  readonly seconds: QuantileSketch | undefined;
}

export interface LimitMeasures {
  readonly limit: string;
  readonly blocks: number;
  /** Share of the limit that was used at the busiest reports: their 95th percentile; undefined where the venue does not say. */
  readonly usedP95: number | undefined;
}

export interface OrderMeasures {
  readonly finished: number;
  readonly unknown: number;
  readonly ackSeconds: QuantileSketch | undefined;
  readonly appends: number;
  readonly records: number;
  readonly appendSeconds: QuantileSketch | undefined;
  /** Of placements alone: what an append is a part of. */
  readonly placeSeconds: QuantileSketch | undefined;
}

export interface PoolMeasures {
  readonly pool: string;
  readonly max: number;
  readonly size: Float64Array;
  readonly inUse: Float64Array;
  readonly acquired: number;
  readonly reused: number;
  readonly opened: number;
  /** Connections closed, by why. */
  readonly closed: Readonly<Record<string, number>>;
  readonly waitSeconds: QuantileSketch | undefined;
}

export interface CacheMeasures {
  readonly kind: string;
  readonly reads: number;
  readonly hits: number;
  /** Misses and reads that shared a load: those that waited. */
  readonly waited: number;
  readonly loads: number;
  readonly loadedKeys: number;
  readonly ageSeconds: QuantileSketch | undefined;
  readonly loadSeconds: QuantileSketch | undefined;
}

export interface FetchMeasures {
  readonly concurrency: number;
  readonly running: Float64Array;
  readonly queued: Float64Array;
  readonly tasks: number;
  readonly failed: number;
  readonly waitSeconds: QuantileSketch | undefined;
  readonly runSeconds: QuantileSketch | undefined;
}

export interface ProcessMeasures {
  /** The longest delay of each second, s. */
  readonly loopDelayMax: Float64Array;
  readonly loopDelayP99: Float64Array;
  readonly minorGc: QuantileSketch | undefined;
  readonly majorGc: QuantileSketch | undefined;
  readonly cpuSeconds: number | undefined;
  readonly heapUsed: Float64Array;
  readonly resident: Float64Array;
}

/** What a store holds of a range, in the shape that detectors read it; what was not recorded is undefined or empty. */
export interface Measurements {
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  readonly calls: CallMeasures | undefined;
  readonly limits: readonly LimitMeasures[];
  readonly orders: OrderMeasures | undefined;
  readonly pools: readonly PoolMeasures[];
  readonly caches: readonly CacheMeasures[];
  readonly fetch: FetchMeasures | undefined;
  readonly process: ProcessMeasures | undefined;
  /** The oldest feed of each second, s. */
  readonly feedAge: Float64Array;
}
