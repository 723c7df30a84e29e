/** What describes a metric; names follow Prometheus: `venuekit_<thing>_<unit>[_total]`. */
export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly unit?: string;
  readonly labels?: readonly L[];
  /** Series beyond this go into one with `overflow="true"`. */
  readonly maxSeries?: number;
}

/** What one recording belonged to, such as `{ trace_id: '…' }`; shown in the OpenMetrics format. */
export type Exemplar = Readonly<Record<string, string>>;

export interface Counter {
  inc(by?: number, exemplar?: Exemplar): void;
}

export interface Gauge {
  set(value: number): void;
  add(value: number): void;
}

export interface Histogram {
  observe(value: number, exemplar?: Exemplar): void;
  /** As `times` observations of `value`: for what was counted elsewhere. @param times - a whole number of 0 or more. */
  observeMany(value: number, times: number): void;
  quantile(q: number): number | undefined;
}

/** A metric with labels is a family: only its children record. Without labels it is its own child. */
export type Family<M, L extends string> = [L] extends [never] ? M : { with(labels: Record<L, string>): M };
