import type { MetricTick, SeriesKey } from '../../contracts/metric-store.js';
import { VenueKitError } from '../../core/errors.js';

/** One string a series: the same for the same name and labels, in whatever order the labels come. */
export function seriesId({ name, labels }: SeriesKey): string {
  return `${name}${labelsJson(labels)}`;
}

/** The labels as JSON, sorted by name. */
export function labelsJson(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels);
  if (names.length > 1) names.sort();
  return JSON.stringify(names.map((label) => [label, labels[label]]));
}

/** Labels from {@link labelsJson}. */
export function labelsOf(json: string): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(JSON.parse(json) as [string, string][]));
}

/**
 * Refuses a tick that can't be kept.
 * @throws TypeError or RangeError for a wrong shape; VenueKitError TIME_BACKWARDS for a tick that is not after `last`.
 */
export function requireTick(tick: MetricTick, last: number): void {
  const { t, series, values, sketches } = tick;
  if (!Number.isSafeInteger(t) || t < 0) throw new RangeError(`t must be whole epoch milliseconds, got ${String(t)}`);
  if (!(values instanceof Float64Array)) throw new TypeError('values must be a Float64Array');
  if (!Array.isArray(series) || series.length !== values.length)
    throw new RangeError(`values must have one value a series, got ${values.length} values for ${series?.length} series`);
  if (sketches !== undefined) {
    for (const [column, bytes] of sketches) {
      if (!Number.isInteger(column) || column < 0 || column >= series.length)
        throw new RangeError(`sketches must be keyed by index of series, got ${column}`);
      if (!(bytes instanceof Uint8Array)) throw new TypeError(`sketches must be Uint8Array, got another value for series ${column}`);
    }
  }
  if (t <= last) throw new VenueKitError('TIME_BACKWARDS', `The tick of ${t} came after the one of ${last}; ticks must move forward in time.`);
}
