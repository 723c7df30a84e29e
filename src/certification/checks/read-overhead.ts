import { systemClock } from '../../core/clock.js';
import { nextMacrotask } from '../../core/macrotask.js';
import { type Check, figure, needsMarketData } from '../check.js';
import { Trial } from '../trials/trial.js';

const ROUNDS = 7;
const READS = 500;
const MOST_SHARE = 1;
/** Undici's own time for one request over loopback, in ms; the least that a read saves (docs/benchmarks). */
const LOOPBACK_REQUEST_MS = 0.11;

/** A read from memory costs less than the request that it saves. */
export const readOverhead: Check = {
  id: 'performance.read-overhead',
  category: 'performance',
  critical: false,
  leftOut: needsMarketData,
  async run({ ground }) {
    await using trial = await Trial.start(ground, { venue: { latency: { p50Ms: 1, p99Ms: 1 } } });
    const { kit } = trial;
    const read = (): Promise<unknown> => kit.marketData!.get('quote', { symbol: 'BTC/USDT' }, { maxAgeMs: 60_000 });
    await trial.settle(read());
    // No time passes in this trial: what is not in memory would never come.
    const isAtOnce = await Promise.race([read().then(() => true), nextMacrotask().then(() => false)]);
    if (!isAtOnce)
      return {
        passed: false,
        measured: 'a quote that was read before is asked of the venue again',
        required: 'reads from memory',
        why: 'A quote was read twice without any time between, by a reader that allows it to be a minute old.',
      };
    const perRead: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = systemClock.monotonic();
      for (let i = 0; i < READS; i++) await read();
      perRead.push((systemClock.monotonic() - began) / READS);
    }
    // The best round: what other work on the machine did to the others is not the kit's.
    const ms = Math.min(...perRead);
    const share = ms / LOOPBACK_REQUEST_MS;
    return {
      passed: share <= MOST_SHARE,
      measured: `${figure(1000 * ms)} µs a read, ${figure(100 * share)} % of a request over loopback`,
      required: `at most ${100 * MOST_SHARE} %`,
      why: `Real time of ${READS} reads of a held quote, the best of ${ROUNDS} rounds, against the 110 µs of the fastest client's request on the same machine's loopback.`,
    };
  },
};
