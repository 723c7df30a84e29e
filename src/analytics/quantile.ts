import { quantileSorted } from 'simple-statistics';

/**
 * The type-7 quantile of ascending values (linear between the order statistics, as in NumPy and R).
 * @param sorted - ascending, at least one
 * @param p - 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  // The package only indexes; its types know plain arrays alone.
  return quantileSorted(sorted as unknown as number[], p);
}
