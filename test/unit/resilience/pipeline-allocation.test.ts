import { describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../../src/core/clock.js';
import { Bulkhead, CircuitBreaker, Pipeline, type PipelineAttempt, RetryBudget } from '../../../src/resilience/index.js';

const CALLS = 500;
const ROUNDS = 41;
// The promise with its two functions, the reaction, the record of the call and its attempt
// are some 550 bytes; an AbortController for each call adds 1,400.
const MOST_BYTES = 800;

const answer = Promise.resolve(1);
const work = async (): Promise<number> => await answer;

/** Bytes of heap that one call leaves for the collector: the median, since a collection spoils the round it falls into. */
async function bytesPerCall(call: () => Promise<number>): Promise<number> {
  const round = async (): Promise<number> => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) await call();
    return (process.memoryUsage().heapUsed - before) / CALLS;
  };
  // Until it is optimised, code allocates what it later does not.
  for (let i = 0; i < 50_000; i++) await call();
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round());
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

const givenAPipeline = (): Pipeline =>
  new Pipeline({
    clock,
    retry: { max: 3 },
    classify: () => ({ retry: true }),
    budget: new RetryBudget({ clock }),
    breaker: new CircuitBreaker({ clock }),
    bulkhead: new Bulkhead({ maxInFlight: 10 }),
  });

describe('what a successful call of a Pipeline allocates', () => {
  it('is a promise and a small record', async () => {
    const pipeline = givenAPipeline();
    const bare = await bytesPerCall(work);
    expect((await bytesPerCall(() => pipeline.run(work))) - bare).toBeLessThan(MOST_BYTES);
  });

  it('is more than that when the work asks for its signal, so that the measure would notice', async () => {
    const pipeline = givenAPipeline();
    const heeding = async (attempt: PipelineAttempt): Promise<number> => (attempt.signal.aborted ? 0 : await answer);
    const bare = await bytesPerCall(work);
    expect((await bytesPerCall(() => pipeline.run(heeding))) - bare).toBeGreaterThan(MOST_BYTES);
  });
});
