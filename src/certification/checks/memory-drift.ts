import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MetricStore } from '../../contracts/metric-store.js';
import { nextMacrotask } from '../../core/macrotask.js';
import { type Check, figure } from '../check.js';
import { TRIAL_SYMBOLS, Trial } from '../trials/trial.js';

const BLOCKS = 5;
const READS = 3_600;
/** Several at a time: what grows with time alone, such as the windows of alert rules, weighs the less in what a read leaves behind. */
const READERS = 4;
const MOST_BYTES = 64;

/** Memory does not grow with what has been asked. */
export const memoryDrift: Check = {
  id: 'integration.memory-drift',
  category: 'integration',
  critical: false,
  leftOut: ({ options }) =>
    options.marketData === undefined
      ? 'the kit has no market data'
      : collector() === undefined
        ? 'this runtime can not be asked to collect its garbage'
        : undefined,
  async run({ ground }) {
    const collect = collector()!;
    await using trial = await Trial.start(ground, { venue: { log: 'hash', latency: { p50Ms: 1, p99Ms: 1 } }, kit: { store: forgetful } });
    const held: number[] = [];
    for (let block = 0; block < BLOCKS; block++) {
      for (let i = 0; i < READS; i += READERS * TRIAL_SYMBOLS.length) {
        for (const symbol of TRIAL_SYMBOLS)
          for (let reader = 0; reader < READERS; reader++)
            await trial.settle(trial.kit.marketData!.get('quote', { symbol }, { maxAgeMs: 500, consumer: `memory ${reader}` }));
        await trial.advance(50);
      }
      trial.witness.requests.length = 0;
      await collect();
      held.push(process.memoryUsage().heapUsed);
    }
    // The first block fills caches and compiles; the least growth from one block to the next is what never comes back.
    const growth = Math.min(...held.slice(2).map((bytes, i) => bytes - held[i + 1]!)) / READS;
    return {
      passed: growth <= MOST_BYTES,
      measured: `${figure(Math.max(0, growth))} bytes a read`,
      required: `at most ${MOST_BYTES} bytes`,
      why: `${BLOCKS} times ${READS} reads through a trial kit, and the heap after a full collection each time: the least growth of a block after the first.`,
    };
  },
};

/** Keeps nothing: what a store holds on purpose is no leak. */
const forgetful: MetricStore = {
  append: async () => {},
  query: async () => [],
  retain: async () => ({ freedBytes: 0 }),
  stats: async () => ({ series: 0, points: 0, bytes: 0 }),
  [Symbol.asyncDispose]: async () => {},
};

/** A full collection, where the runtime lets one ask for it. */
function collector(): (() => Promise<void>) | undefined {
  try {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as unknown;
    if (typeof gc !== 'function') return undefined;
    return async () => {
      (gc as () => void)();
      // What finalizers let go of runs in a turn of its own, and goes with the second.
      await nextMacrotask();
      (gc as () => void)();
    };
  } catch {
    return undefined;
  }
}
