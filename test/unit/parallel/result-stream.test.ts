import { describe, expect, it } from 'vitest';
import type { FetchTask } from '../../../src/contracts/fetcher.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { ParallelFetcher, type StreamOptions } from '../../../src/parallel/index.js';

function givenAStream(durations: readonly number[], options: StreamOptions = {}, concurrency = 2) {
  const clock = new ManualClock();
  const fetcher = new ParallelFetcher({ clock, concurrency });
  const aborted: number[] = [];
  let isLeft = false;
  function* source(): Generator<FetchTask<number, number>> {
    try {
      for (const [index, ms] of durations.entries()) {
        yield {
          input: index,
          run: async (input, { signal }) => {
            signal.addEventListener('abort', () => aborted.push(input));
            await clock.sleep(ms);
            return input;
          },
        };
      }
    } finally {
      isLeft = true;
    }
  }
  return { clock, fetcher, aborted, isLeft: () => isLeft, stream: fetcher.stream(source(), options) };
}

async function read(
  stream: AsyncIterable<{ readonly status: string; readonly value?: number; readonly reason?: Error }>,
  into: unknown[],
): Promise<void> {
  for await (const result of stream) into.push(result.value ?? (result.reason as { code?: string }).code);
}

describe('ParallelFetcher.stream', () => {
  it('gives results in the order of their tasks', async () => {
    const { clock, stream } = givenAStream([30, 10, 20]);
    const results: unknown[] = [];
    const reading = read(stream, results);
    await clock.advance(100);
    await reading;
    expect(results).toEqual([0, 1, 2]);
  });

  it('gives results as they settle with order completion', async () => {
    const { clock, stream } = givenAStream([30, 10, 5], { order: 'completion' });
    const results: unknown[] = [];
    const reading = read(stream, results);
    await clock.advance(100);
    await reading;
    expect(results).toEqual([1, 2, 0]);
  });

  it('takes nothing before it is read, and then waits for its reader', async () => {
    const { clock, fetcher, stream } = givenAStream(Array.from({ length: 100 }, () => 1));
    await clock.advance(100);
    expect(fetcher.stats().completed).toBe(0);
    const iterator = stream[Symbol.asyncIterator]();
    const first = iterator.next();
    await clock.advance(100);
    expect(await first).toEqual({ done: false, value: { status: 'fulfilled', value: 0 } });
    await clock.advance(1_000);
    // Four taken ahead (twice the slots), of which one has been read.
    expect(fetcher.stats().completed).toBeLessThanOrEqual(5);
    await iterator.return?.();
  });

  it('aborts what is under way, and leaves its source, when its reader leaves', async () => {
    const { clock, fetcher, stream, aborted, isLeft } = givenAStream([10, 1_000, 1_000, 1_000]);
    const reading = (async () => {
      for await (const _result of stream) break;
    })();
    await clock.advance(10);
    await reading;
    expect(aborted).toContain(1);
    expect(isLeft()).toBe(true);
    await clock.advance(2_000);
    await fetcher.drain();
    expect(fetcher.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it('throws the reason of its signal', async () => {
    const controller = new AbortController();
    const { clock, stream, aborted } = givenAStream([1_000, 1_000], { signal: controller.signal });
    const reading = expect(read(stream, [])).rejects.toThrow('shut down');
    await clock.advance(10);
    controller.abort(new Error('shut down'));
    await reading;
    expect(aborted).toEqual([0, 1]);
  });

  it('gives rejected results for tasks that are past the deadline of the stream', async () => {
    const { clock, stream } = givenAStream([10, 1_000, 10], { deadlineMs: 100 });
    const results: unknown[] = [];
    const reading = read(stream, results);
    await clock.advance(100);
    await reading;
    expect(results).toEqual([0, 'DEADLINE', 2]);
  });

  it('throws what its source throws, after what came before', async () => {
    const clock = new ManualClock();
    const fetcher = new ParallelFetcher({ clock });
    async function* broken(): AsyncGenerator<FetchTask<number, number>> {
      yield { input: 1, run: async (input) => input };
      throw new Error('no more symbols');
    }
    const results: unknown[] = [];
    await expect(read(fetcher.stream(broken()), results)).rejects.toThrow('no more symbols');
    expect(results).toEqual([1]);
  });

  it('throws for a task that can not be meant', async () => {
    const fetcher = new ParallelFetcher();
    await expect(read(fetcher.stream([{ input: 1, run: async () => 1, weight: -1 }]), [])).rejects.toThrow(/task.weight/);
    expect(() => fetcher.stream([], { order: 'sorted' as 'input' })).toThrow(/order must be one of/);
  });
});
