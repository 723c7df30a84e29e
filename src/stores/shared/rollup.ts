/** What is kept of one series for one minute or hour. */
export interface RollupRow {
  /** Start of the minute or hour, epoch ms. */
  readonly t: number;
  /** When the first and the last point in it were taken, and their values. */
  readonly firstT: number;
  readonly lastT: number;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly n: number;
  /** How much a counter rose between first and last, restarts seen through. */
  readonly increase: number;
}
