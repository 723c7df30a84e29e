import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVenueKitError } from '../../../src/core/errors.js';
import { type Expr, parseQuery, printQuery, queryInstant, SampleWindows, toPromQL } from '../../../src/query/index.js';
import { storeOf, ticksOf } from '../../unit/query/history.js';
import { expression, world } from './worlds.js';

/** A tree without its positions. */
function shapeOf(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => (key === 'start' || key === 'end' ? undefined : Number.isNaN(value) ? 'NaN' : value)),
  );
}

const labelText = fc.string({ unit: 'grapheme', maxLength: 8 });
const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-b0-1]', '\\d', '\\w', '\\.', 'ab', '1', '');
const repetition = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?');
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).chain((parts) => fc.constantFrom('', '|').map((between) => parts.join(between))),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atom, repetition).map(([one, times]) => (one === '' ? '' : `(?:${one})${times}`)),
    fc.tuple(atom, repetition).map(([one, times]) => (one.length === 1 ? `${one}${times}` : one)),
    fc.tuple(tie('pattern'), repetition).map(([inner, times]) => `(${inner})${times}`),
  ),
}));

describe('a query', () => {
  it('read back from its own text is the same tree', async () => {
    await fc.assert(
      fc.asyncProperty(expression, labelText, async (text, label) => {
        const whole = `(${text}) + on () x{a=${JSON.stringify(label)}} offset 1h`;
        const tree = parseQuery(whole);
        const printed = printQuery(tree);
        expect(shapeOf(parseQuery(printed))).toEqual(shapeOf(tree));
        expect(printQuery(parseQuery(printed))).toBe(printed);
      }),
      { numRuns: 300 },
    );
  });

  it('in the language of Prometheus is a query of ours again', async () => {
    await fc.assert(
      fc.asyncProperty(expression, async (text) => {
        const { promql, unsupported } = toPromQL(`median(${text.includes(' bool ') ? 'x' : `(${text})`})`);
        expect(unsupported).toEqual([]);
        expect(printQuery(parseQuery(promql))).toBe(promql);
      }),
    );
  });

  it('that can not be read is refused with its place, whatever was typed', async () => {
    const junk = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc
        .array(
          fc.constantFrom(
            'x',
            'sum',
            'by',
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '5m',
            ':',
            ',',
            '=',
            '=~',
            '"',
            '"a"',
            '-',
            '^',
            'and',
            'on',
            'bool',
            '1e',
            '.',
            'rate',
            'offset',
            '#',
          ),
          { maxLength: 14 },
        )
        .map((parts) => parts.join(' ')),
    );
    await fc.assert(
      fc.asyncProperty(junk, async (text) => {
        try {
          parseQuery(text);
        } catch (error) {
          expect(isVenueKitError(error, 'QUERY_SYNTAX')).toBe(true);
          const { at } = error as { readonly at: { readonly start: number; readonly end: number } };
          expect(at.start).toBeGreaterThanOrEqual(0);
          expect(at.end).toBeLessThanOrEqual(text.length);
          expect(at.start).toBeLessThanOrEqual(at.end);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('matches patterns as JavaScript does, where that does not take forever', async () => {
    await fc.assert(
      fc.asyncProperty(pattern, fc.stringMatching(/^[ab0-3\n]{0,6}$/), async (source, text) => {
        const query = `x{a=~${JSON.stringify(source)}}`;
        const tree = parseQuery(query);
        const store = await storeOf([{ t: 0, series: [{ name: 'x', labels: { a: text } }], values: Float64Array.of(1) }]);
        const { series } = await queryInstant(store, printQuery(tree), { at: 0 });
        expect(series.length === 1).toBe(new RegExp(`^(?:${source})$`).test(text));
      }),
      { numRuns: 500 },
    );
  });

  it('is answered from windows, tick by tick, as it is from the store', async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.integer({ min: 0, max: 59 }), async ({ series, intervalMs, questions }, filledAt) => {
        const ticks = ticksOf(series, intervalMs);
        const store = await storeOf(ticks);
        const windows = new SampleWindows();
        const prepared = questions.map(({ query }) => windows.prepare(query));
        const [early, late] = [ticks.slice(0, filledAt), ticks.slice(filledAt)];
        const filled = early.at(-1);
        if (filled !== undefined) await windows.fill(store, filled.t);
        for (const [i, tick] of late.entries()) {
          windows.append(tick);
          if (i % 20 !== 0) continue;
          for (const one of prepared) {
            const asked = queryInstant(store, one.query, { at: tick.t });
            const live = (): Record<string, number> => {
              const { slots, present, values } = one.evaluate(tick.t);
              return Object.fromEntries(slots.flatMap(({ key }, slot) => (present[slot] === 1 ? [[key, values[slot] as number]] : [])));
            };
            const answer = await asked.catch(() => undefined);
            if (answer === undefined) expect(live).toThrow('match the same one');
            else expect(Object.values(live()).sort()).toEqual(answer.series.map(({ v }) => v[0] as number).sort());
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});
