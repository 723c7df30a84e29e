import { nearest } from '../core/options.js';

const MOST = 3;

/** A metric that a query reads and nobody has. */
export interface UnknownMetric {
  readonly metric: string;
  /** Names like it that there are, the likeliest first. */
  readonly near: readonly string[];
}

/** Up to three of `names` that `name` may be a misspelling of, or a part of. */
export function nearNames(name: string, names: Iterable<string>): readonly string[] {
  const left = new Set(names);
  const near: string[] = [];
  while (near.length < MOST) {
    const found = nearest(name, [...left]) ?? [...left].filter((other) => other.includes(name)).sort((a, b) => a.length - b.length)[0];
    if (found === undefined) break;
    left.delete(found);
    near.push(found);
  }
  return near;
}

/** For people. */
export function unknownMetricText({ metric, near }: UnknownMetric): string {
  const [first, ...others] = near;
  if (first === undefined) return `no series of ${metric} has been kept`;
  const further = others.length === 0 ? '' : ` or ${others.join(', ')}`;
  return `no series of ${metric} has been kept; did you mean ${first}${further}?`;
}
