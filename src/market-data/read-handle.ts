/**
 * A request bound once, for reads in a hot loop.
 *
 * `peek` looks nothing up and allocates nothing. Both count in the statistics, but emit no event.
 */
export interface ReadHandle<V> {
  /** The value, if one is held that is fresh and young enough; no I/O. */
  peek(): V | undefined;
  /** The value, fetched where it has to be. */
  get(): Promise<V>;
}
