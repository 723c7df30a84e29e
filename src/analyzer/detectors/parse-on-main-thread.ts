import { digits, largest, percent } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { delayP99, delaysOf } from '../replay/loop-replay.js';
import { type Detector, NO_TRACE, NOTHING, undecided } from './detector.js';

/** From here on a worker is faster than standing still: measured, see docs/benchmarks/fetch.md. */
const BREAK_EVEN_BYTES = 262_144;
const LEAST_PARSES = 20;
const LONG_MS = 10;
const LEAST_BUSY = 0.01;

export const parseOnMainThread: Detector = {
  id: 'parse-on-main-thread',
  component: 'event loop and memory',
  area: 'latency',
  sees: 'Large results that are parsed on the main thread: of 256 KiB or more, 10 ms or more each at their 95th percentile, and one hundredth of the time together.',
  option: 'fetcher.workers',
  effort: 'medium',
  from: 'parses of a trace',
  replay: 'parses, as intervals in which the event loop stands still; large ones leave it',
  async detect({ trace, random, option }) {
    if (trace === undefined) return undecided(NO_TRACE);
    if (trace.parses.length < LEAST_PARSES)
      return undecided(
        `the trace holds ${trace.parses.length} parses, and ${LEAST_PARSES} are needed; tasks say what is to be parsed by their option parse`,
      );
    const large = trace.parses.filter(({ thread, bytes }) => thread === 'main' && bytes >= BREAK_EVEN_BYTES);
    const busy = large.reduce((sum, { ms }) => sum + ms, 0) / (trace.to - trace.from);
    const times = Float64Array.from(large, ({ ms }) => ms).sort();
    const longMs = times[Math.floor(0.95 * times.length)] ?? 0;
    if (busy < LEAST_BUSY || longMs < LONG_MS) return NOTHING;
    const here = trace.parses.filter(({ thread }) => thread === 'main');
    const range = { from: trace.from, to: trace.to };
    const from = (option('fetcher.workers') as number | undefined) ?? null;
    return {
      findings: [
        {
          finding: `The main thread stands still for ${percent(busy)} of the time to parse results of 256 KiB and more, ${digits(longMs)} ms at a time.`,
          evidence: { busyShare: busy, longP95Ms: longMs, parses: large.length, largest: largest(large.map(({ bytes }) => bytes)) },
          change: {
            option: 'fetcher.workers',
            from,
            to: 1,
            why: 'results of this size are handed to the thread without a copy; where workers is above 0 already, the file of the worker is not found, or minBytes of the tasks is too high',
          },
          ...estimateOf({
            metric: 'delay of the event loop by parsing, p99, ms',
            how: `${here.length} parses of the main thread replayed, those of 256 KiB and more on another thread; handing over is taken to take no time`,
            before: delaysOf(here, range),
            after: delaysOf(
              here.filter(({ bytes }) => bytes < BREAK_EVEN_BYTES),
              range,
            ),
            statistic: delayP99,
            random,
          }),
        },
      ],
    };
  },
};
