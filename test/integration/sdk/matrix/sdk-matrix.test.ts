import { monitorEventLoopDelay } from 'node:perf_hooks';
import PQueue from 'p-queue';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ALPACA_SUBJECTS } from './alpaca-subjects.js';
import { BINANCE_SUBJECTS } from './binance-subjects.js';
import { CCXT_SUBJECTS } from './ccxt-subjects.js';
import { type Case, casesOf, type Outcome } from './cells.js';
import { pageOf } from './page.js';
import { ATTEMPT_MS } from './subject.js';

const SUBJECTS = [...CCXT_SUBJECTS, ...ALPACA_SUBJECTS, ...BINANCE_SUBJECTS];
const CASES = casesOf(SUBJECTS);
/**
 * The cases wait for time limits and proofs most of the time, each at a venue of its own: more of them run beside each other than Vitest
 * would have. How many is for the machine to say: where callbacks come late, more would only make attempts time out. Late is a part
 * of an attempt's time; how busy this process is says nothing where others have the processor.
 */
const AT_ONCE = { least: 2, first: 8, most: 48 };
const LATE_MS = ATTEMPT_MS / 10;
const LOOK_EVERY_MS = 20;

const outcomes = new Map<Case, Promise<Outcome>>();

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const queue = new PQueue({ concurrency: AT_ONCE.first });
  const delays = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  delays.enable();
  queue.on('next', () => {
    const lateMs = delays.max / 1e6 - LOOK_EVERY_MS;
    delays.reset();
    // One more where there is time, half of them where there is none: others may come to the machine all at once.
    const wanted = lateMs < LATE_MS ? queue.concurrency + 1 : Math.floor(queue.concurrency / 2);
    queue.concurrency = Math.min(AT_ONCE.most, Math.max(AT_ONCE.least, wanted));
  });
  queue.on('idle', () => delays.disable());
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
