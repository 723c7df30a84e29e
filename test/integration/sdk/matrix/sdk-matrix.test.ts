import { performance } from 'node:perf_hooks';
import PQueue from 'p-queue';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ALPACA_SUBJECTS } from './alpaca-subjects.js';
import { BINANCE_SUBJECTS } from './binance-subjects.js';
import { CCXT_SUBJECTS } from './ccxt-subjects.js';
import { type Case, casesOf, type Outcome } from './cells.js';
import { pageOf } from './page.js';

const SUBJECTS = [...CCXT_SUBJECTS, ...ALPACA_SUBJECTS, ...BINANCE_SUBJECTS];
const CASES = casesOf(SUBJECTS);
/**
 * The cases wait for time limits and proofs most of the time, each at a venue of its own: more of them run beside each other than Vitest
 * would have. How many is for the machine to say: where this process has hardly a pause, more would only make attempts time out.
 */
const AT_ONCE = { least: 2, most: 16 };
const BUSY = 0.8;

const outcomes = new Map<Case, Promise<Outcome>>();

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const queue = new PQueue({ concurrency: AT_ONCE.least });
  let seen = performance.eventLoopUtilization();
  queue.on('next', () => {
    const { utilization } = performance.eventLoopUtilization(seen);
    seen = performance.eventLoopUtilization();
    const wanted = queue.concurrency + (utilization < BUSY ? 1 : -1);
    queue.concurrency = Math.min(AT_ONCE.most, Math.max(AT_ONCE.least, wanted));
  });
  // In turns, so that the SDK that takes the most of the processor is not started everywhere at the same time.
  const places = new Map(SUBJECTS.map((subject) => [subject, CASES.filter((one) => one.subject === subject)]));
  const inTurns = CASES.map((one) => [places.get(one.subject)!.indexOf(one), one] as const).sort(([a], [b]) => a - b);
  for (const [, one] of inTurns) {
    const outcome = queue.add(() => one.run());
    // It is the test of the case that tells.
    outcome.catch(() => {});
    outcomes.set(one, outcome);
  }
});

for (const subject of SUBJECTS) {
  describe(`resilient(${subject.name})`, () => {
    it.each(CASES.filter((one) => one.subject === subject).map((one) => [one.name, one] as const))('%s', async (_, one) => {
      const { wanted, atVenue, error = '' } = await outcomes.get(one)!;
      expect(atVenue).toBe(error.startsWith('REJECTED') ? 0 : wanted);
    });
  });
}

it('shows the matrix on its page as it came out', async () => {
  const seen = await Promise.all(CASES.map(async (one) => [one, await outcomes.get(one)!] as const));
  await expect(pageOf(seen)).toMatchFileSnapshot('../../../../docs/reference/sdk-matrix.md');
});
