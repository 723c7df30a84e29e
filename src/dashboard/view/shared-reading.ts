import type { MetricStore, RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';

interface Answer {
  readonly results: readonly RangeResult[];
  /** Of a query for a percentile: what was observed in each step of each result. */
  readonly sketches: readonly (readonly (QuantileSketch | undefined)[])[] | undefined;
}

/**
 * A store for one reading of all charts: what several of them ask is asked of the store once, and
 * all percentiles of the same observations are taken from one answer. Merging the sketches of a day
 * is what a reading takes longest for.
 */
export function sharedReading(store: Pick<MetricStore, 'query'>): Pick<MetricStore, 'query'> {
  const answers = new Map<string, Promise<Answer>>();
  const ask = (query: RangeQuery, signal?: AbortSignal): Promise<Answer> => {
    const key = keyOf(query);
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = store.query(query, signal).then((results) => ({ results, sketches: sketchesOf(query, results) }));
      answers.set(key, answer);
    }
    return answer;
  };
  return {
    async query(query, signal) {
      const q = quantileOf(query.agg);
      if (q === undefined) return (await ask(query, signal)).results;
      const { results, sketches } = await ask({ ...query, agg: 'p50', sketches: true }, signal);
      // A store of the host's own may give values alone.
      if (sketches === undefined) return (await ask(query, signal)).results;
      return results.map(({ labels, t }, i) => ({ labels, t, v: Float64Array.from(t, (_, step) => sketches[i]![step]?.quantile(q) ?? Number.NaN) }));
    },
  };
}

// To match nothing is to match no label in particular.
const keyOf = ({ match = {}, ...query }: RangeQuery): string => JSON.stringify([match, Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1))]);

const quantileOf = (agg: RangeQuery['agg']): number | undefined => (agg?.startsWith('p') === true ? Number(agg.slice(1)) / 100 : undefined);

function sketchesOf({ sketches }: RangeQuery, results: readonly RangeResult[]): Answer['sketches'] {
  if (sketches !== true || results.some((result) => result.sketches === undefined)) return undefined;
  return results.map((result) => result.sketches!.map((bytes) => (bytes === undefined ? undefined : QuantileSketch.fromBytes(bytes))));
}
