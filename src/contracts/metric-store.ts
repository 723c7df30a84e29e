export interface SeriesKey {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** `from` and `to` in epoch ms, inclusive; without `stepMs` the raw points; with it each step is stamped at its start. */
export interface RangeQuery {
  readonly metric: string;
  readonly match?: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
  readonly stepMs?: number;
  readonly agg?: 'min' | 'max' | 'avg' | 'sum' | 'last' | 'rate' | 'increase' | `p${number}`;
  readonly by?: readonly string[];
  /** Gives the sketches of histograms beside the values; without `stepMs` those of minutes and hours are stamped at their last tick. */
  readonly sketches?: boolean;
}

export interface RangeResult {
  readonly labels: Readonly<Record<string, string>>;
  readonly t: Float64Array;
  readonly v: Float64Array;
  /** When the query asks for them: the observations of a point or step, by index; undefined where there were none. */
  readonly sketches?: readonly (Uint8Array | undefined)[];
}

/** The values of all series at one moment; `sketches` holds a mergeable sketch for series of histograms, by index. */
export interface MetricTick {
  readonly t: number;
  readonly series: readonly SeriesKey[];
  readonly values: Float64Array;
  readonly sketches?: ReadonlyMap<number, Uint8Array>;
}

/** How long each tier is kept, in ms, counted back from the newest tick. */
export interface MetricRetention {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
  readonly maxBytes?: number;
}

/** Where metrics are kept over time. */
export interface MetricStore extends AsyncDisposable {
  /** The file that they are kept in, where it is one. */
  readonly path?: string;
  /** What it drops by itself. Absent: who holds it calls `retain`. */
  readonly retention?: MetricRetention;
  append(tick: MetricTick): Promise<void>;
  query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]>;
  retain(policy: MetricRetention): Promise<{ readonly freedBytes: number }>;
  /** The series that it holds, in no order. Optional: it serves hints, such as the right name of a metric. */
  series?(signal?: AbortSignal): Promise<readonly SeriesKey[]>;
  stats(): Promise<{ readonly series: number; readonly points: number; readonly bytes: number }>;
}
