import fc from 'fast-check';
import type { GivenSeries } from '../../unit/query/history.js';

/** Random histories and expressions on them, in what Prometheus and we both have. */
export interface World {
  readonly intervalMs: number;
  readonly series: readonly GivenSeries[];
  readonly questions: readonly { readonly query: string; readonly afterMs: number }[];
}

const LABELS = ['a', 'b'].flatMap((op) => ['v', 'w'].map((venue) => ({ op, venue })));
const DURATIONS = ['5s', '17s', '1m', '90s', '4m'];
const duration = fc.constantFrom(...DURATIONS);
// Of no value that comes up, so that no rounding decides a comparison.
const threshold = fc.constantFrom('0.123', '1.2345', '7.891', '-3.21');
const overTime = fc.constantFrom('avg', 'min', 'max', 'sum', 'count', 'last').map((name) => `${name}_over_time`);
const counterFunction = fc.constantFrom('rate', 'increase', 'resets', 'changes');
const aggregation = fc.constantFrom('sum', 'avg', 'min', 'max', 'count', 'median').map((op) => (op === 'median' ? ['quantile', '0.5, '] : [op, '']));
const grouping = fc.constantFrom('', ' by (op)', ' by (venue, op)', ' without (venue)', ' by (nothing)', ' without (op, venue)');
const matcher = fc.constantFrom('', '', '', '', '{op="a"}', '{op!="a"}', '{venue=~"v|x"}', '{venue!~"v.*", op=~".+"}', '{nothing=""}', '{op="c"}');
const offset = fc.constantFrom('', '', ' offset 20s', ' offset 3m');

const counter = matcher.map((conditions) => `c${conditions}`);
const gauge = matcher.map((conditions) => `g${conditions}`);
const text = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

const instant = fc.oneof(text(gauge, offset), text(counter, offset));
const ranged = fc.oneof(
  text(counterFunction, '(', counter, '[', duration, ']', offset, ')'),
  text(overTime, '(', gauge, '[', duration, ']', offset, ')'),
  text('delta(', gauge, '[', duration, '])'),
  text('quantile_over_time(', fc.constantFrom('0.5', '0.9', '0', '1', '-1', '2'), ', ', gauge, '[', duration, '])'),
);
const simple = fc.oneof(instant, ranged);
const aggregated = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(aggregation, grouping, of).map(([[op, parameter], by, inner]) => `${op}${by} (${parameter}${inner})`);
const subquery = text(
  fc.oneof(overTime, fc.constantFrom('rate', 'changes', 'delta')),
  '((',
  fc.oneof(instant, ranged, aggregated(simple)),
  ')[',
  fc.constantFrom('1m', '3m', '100s'),
  ':',
  fc.constantFrom('5s', '10s', '1m'),
  ']',
  offset,
  ')',
);
const vector = fc.oneof(simple, aggregated(simple), subquery);
const number = fc.oneof(threshold, fc.constantFrom('2', '10', 'Inf', 'NaN', 'scalar(c{op="a", venue="v"})', 'time()'));
const arithmetic = fc.constantFrom(' + ', ' - ', ' * ', ' / ');
const comparison = fc.constantFrom(' > ', ' < ', ' >= ', ' <= ', ' == ', ' != ', ' > bool ', ' <= bool ');

/** Any expression whose value does not hang on the last bit of a sum. */
export const expression: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: vector, weight: 4 },
  text('(', vector, ')', arithmetic, number),
  text(number, arithmetic, '(', vector, ')'),
  text('(', vector, ')', comparison, threshold),
  text(threshold, comparison, '(', vector, ')'),
  text('(', ranged, ')', arithmetic, '(', ranged, ')'),
  text(instant, comparison, instant),
  text('(', aggregated(simple), ')', arithmetic, '(', aggregated(simple), ')'),
  text(simple, arithmetic, fc.constantFrom('on (op) group_left () ', 'ignoring (venue) group_left () '), 'sum by (op) (', simple, ')'),
  text('sum by (op) (', simple, ')', arithmetic, 'on (op) group_right (', fc.constantFrom('', 'nothing'), ') ', simple),
  text(simple, arithmetic, fc.constantFrom('on (op) ', 'ignoring (venue) '), simple),
  text('(', vector, ')', fc.constantFrom(' and ', ' or ', ' unless '), fc.constantFrom('', 'on (op) ', 'ignoring (venue) '), '(', vector, ')'),
  text('-(', vector, ')'),
  text(fc.constantFrom('abs', 'ceil', 'floor', 'sgn', 'absent', 'timestamp'), '(', instant, ')'),
  text('round(', instant, ', ', fc.constantFrom('0.5', '10'), ')'),
  text(fc.constantFrom('clamp_min', 'clamp_max'), '(', vector, ', ', threshold, ')'),
  text('absent_over_time(', gauge, '[', duration, '])'),
  text('timestamp(', text(gauge, ' + 1'), ')'),
  text(instant, fc.constantFrom(' % 7', ' ^ 2', ' * 2 ^ -1', ' - 2 - 1')),
);

const LENGTH = 60;

const gap = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: 30 }) },
);

/** Values with gaps, and now and then a NaN, which is how a store says that a series is gone. */
function values(next: (before: number, random: number) => number): fc.Arbitrary<readonly (number | undefined)[]> {
  const point = fc.record({ random: fc.integer({ min: 0, max: 99 }), gap, stale: fc.integer({ min: 0, max: 59 }) });
  return fc.array(point, { minLength: 30, maxLength: LENGTH }).map((points) => {
    const all: (number | undefined)[] = [];
    let value = 0;
    for (const { random, gap: missing, stale } of points) {
      value = next(value, random);
      all.push(stale === 0 ? Number.NaN : value, ...Array.from({ length: missing }, () => undefined));
    }
    return all.slice(0, LENGTH);
  });
}

const counterValues = values((before, random) => (random < 4 ? random : before + (random % 6)));
const gaugeValues = values((_, random) => random / 4 - 10);

export const world: fc.Arbitrary<World> = fc
  .record({
    intervalMs: fc.constantFrom(1_000, 5_000, 15_000),
    counters: fc.array(counterValues, { minLength: 4, maxLength: 4 }),
    gauges: fc.array(gaugeValues, { minLength: 4, maxLength: 4 }),
    questions: fc.array(fc.tuple(expression, fc.noBias(fc.integer({ min: 0, max: 1_000 })), fc.boolean()), { minLength: 8, maxLength: 8 }),
  })
  .map(({ intervalMs, counters, gauges, questions }) => ({
    intervalMs,
    series: [
      ...counters.map((of, i) => ({ name: 'c', labels: LABELS[i] as Record<string, string>, values: of })),
      ...gauges.map((of, i) => ({ name: 'g', labels: LABELS[i] as Record<string, string>, values: of })),
    ],
    questions: questions.map(([query, where, aligned]) => {
      // Up to when the last value is too old to count.
      const afterMs = Math.round((where / 1_000) * (LENGTH * intervalMs + 60_000));
      return { query, afterMs: aligned ? Math.round(afterMs / intervalMs) * intervalMs : afterMs };
    }),
  }));
