import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { ParallelFetcher } from '../../../src/parallel/index.js';

const RATE = 7;
const BURST = 4;
const groups = { rated: { ratePerSecond: RATE }, bursting: { ratePerSecond: RATE, burst: BURST }, narrow: { concurrency: 2 } };

const call = fc.record({
  do: fc.constant('run' as const),
  group: fc.constantFrom(undefined, 'rated', 'bursting', 'narrow', 'unlisted'),
  ms: fc.nat(120),
  priority: fc.integer({ min: -2, max: 2 }),
  weight: fc.integer({ min: 1, max: 3 }),
  costHintMs: fc.option(fc.nat(100), { nil: undefined }),
  deadlineMs: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
  failures: fc.nat(2),
  retryAfterMs: fc.option(fc.nat(500), { nil: undefined }),
});
const step = fc.oneof(
  { weight: 12, arbitrary: call },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), group: fc.constantFrom(undefined, 'rated', 'narrow'), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resume' as const), group: fc.constantFrom(undefined, 'rated', 'narrow') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(700) }) },
);
const options = fc.record({
  concurrency: fc.integer({ min: 1, max: 5 }),
  maxQueue: fc.option(fc.nat(6), { nil: undefined }),
  overflow: fc.constantFrom('reject' as const, 'drop_lowest' as const, 'wait' as const),
});

/** Most weight within any (t − 1,000, t]. */
function mostInASecond(starts: readonly { readonly at: number; readonly weight: number }[]): number {
  return Math.max(
    0,
    ...starts.map(({ at }) => starts.filter((other) => other.at > at - 1_000 && other.at <= at).reduce((sum, { weight }) => sum + weight, 0)),
  );
}

describe('ParallelFetcher, whatever happens', () => {
  it('never runs more than it may, settles every task once, and holds each rate in any window', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { minLength: 1, maxLength: 60 }), fc.integer(), async (given, steps, seed) => {
        const { maxQueue, ...sizes } = given;
        const clock = new ManualClock();
        // Not thrown: inside a callback of the module that would be one more failure for it to deal with.
        const violations: string[] = [];
        const must = (holds: boolean, violation: string): void => {
          if (!holds) violations.push(violation);
        };
        const bus = new EventBus();
        const fetcher = new ParallelFetcher({
          ...sizes,
          ...(maxQueue === undefined ? {} : { maxQueue }),
          clock,
          bus,
          groups,
          random: seededRandom(seed),
          retry: { max: 1, baseMs: 50, capMs: 200 },
        });
        let reported = 0;
        bus.on('fetch.task', () => reported++);
        bus.on('fetch.state', ({ running, queued }) => {
          must(running <= sizes.concurrency, `${running} reported as running`);
          must(queued >= 0, `${queued} reported as queued`);
        });
        let running = 0;
        let inNarrow = 0;
        const starts: Record<string, { at: number; weight: number }[]> = { rated: [], bursting: [] };
        const settled: number[] = [];
        const waits: Promise<void>[] = [];
        const aborts: AbortController[] = [];
        for (const each of steps) {
          if (each.do === 'run') {
            const { group, ms, priority, weight, costHintMs, deadlineMs, failures, retryAfterMs } = each;
            const controller = new AbortController();
            aborts.push(controller);
            const index = waits.length;
            const note = (): void => {
              settled[index] = (settled[index] ?? 0) + 1;
            };
            const task = {
              input: index,
              priority,
              weight,
              ...(group === undefined ? {} : { group }),
              ...(costHintMs === undefined ? {} : { costHintMs }),
              // Deaf to its signal: the slot must be held all the same.
              run: async (_input: number, { attempt }: { attempt: number }) => {
                must(++running <= sizes.concurrency, `${running} running`);
                if (group === 'narrow') must(++inNarrow <= 2, `${inNarrow} running in a group of 2`);
                if (group !== undefined) starts[group]?.push({ at: clock.monotonic(), weight });
                await clock.sleep(ms);
                running--;
                if (group === 'narrow') inNarrow--;
                if (attempt <= failures) throw Object.assign(new Error('busy'), { retryAfterMs });
              },
            };
            waits.push(fetcher.run(task, { signal: controller.signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) }).then(note, note));
          } else if (each.do === 'abort') aborts[each.which % Math.max(1, aborts.length)]?.abort(new Error('stopped'));
          else if (each.do === 'pause') fetcher.pause(each.group, each.ms);
          else if (each.do === 'resume') fetcher.resume(each.group);
          else await clock.advance(each.ms);
          expect(fetcher.stats().running).toBe(running);
        }
        const drained = fetcher.drain();
        await clock.advance(120_000);
        await drained;
        await Promise.all(waits);
        expect(violations).toEqual([]);
        expect(settled).toEqual(waits.map(() => 1));
        expect(reported).toBe(waits.length);
        const { completed, failed, running: left, queued, overdue, maxRunning, efficiency } = fetcher.stats();
        expect(completed + failed).toBe(waits.length);
        expect([left, queued, overdue]).toEqual([0, 0, 0]);
        expect(maxRunning).toBeLessThanOrEqual(sizes.concurrency);
        expect(efficiency).toBeLessThanOrEqual(1 + 1e-9);
        expect(mostInASecond(starts.rated as never)).toBeLessThanOrEqual(RATE);
        expect(mostInASecond(starts.bursting as never)).toBeLessThanOrEqual(RATE + BURST);
        await fetcher.close();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('streams what the tasks give, in their order, without running far ahead of its reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(30), { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.boolean(),
        async (durations, concurrency, isAsync, inOrder) => {
          const clock = new ManualClock();
          const fetcher = new ParallelFetcher({ clock, concurrency });
          let taken = 0;
          let read = 0;
          const task = (ms: number, index: number) => ({
            input: index,
            run: async (input: number) => {
              await clock.sleep(ms);
              if (input % 5 === 4) throw new Error(`${input}`);
              return input;
            },
          });
          function* source() {
            for (const [index, ms] of durations.entries()) {
              expect(++taken - read).toBeLessThanOrEqual(2 * concurrency);
              yield task(ms, index);
            }
          }
          async function* laterSource() {
            for (const each of source()) {
              await clock.sleep(1);
              yield each;
            }
          }
          const results: number[] = [];
          const reading = (async () => {
            for await (const result of fetcher.stream(isAsync ? laterSource() : source(), { order: inOrder ? 'input' : 'completion' })) {
              read++;
              results.push(Number(result.status === 'fulfilled' ? result.value : result.reason.message));
              if (read % 3 === 0) await clock.sleep(7);
            }
          })();
          await clock.advance(10_000);
          await reading;
          const expected = durations.map((_, index) => index);
          expect(inOrder ? results : results.sort((a, b) => a - b)).toEqual(expected);
          await fetcher.close();
        },
      ),
      { numRuns: 200 },
    );
  });
});
