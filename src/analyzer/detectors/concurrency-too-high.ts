import { digits, mean } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { fetchCalls, loadCurve, type ReplayedTask, replayFetch } from '../replay/fetch-replay.js';
import { type Detector, NO_TRACE, NOTHING, tooFew, undecided } from './detector.js';

const LEAST_TASKS = 200;
const LEAST_GAIN = 0.1;
const SHARES = [0.75, 0.5, 0.375, 0.25, 0.125];

const meanTotal = (tasks: readonly ReplayedTask[]): number => mean(tasks.map(({ waitMs, runMs }) => waitMs + runMs));

export const concurrencyTooHigh: Detector = {
  id: 'concurrency-too-high',
  component: 'parallel fetch',
  area: 'throughput',
  sees: 'Run times that grow with how many tasks run, so much that all would be through sooner with fewer at a time: in the replay a lower concurrency takes a tenth or more off the mean time from call to result.',
  option: 'fetcher.concurrency',
  effort: 'low',
  from: 'fetcher metrics, and the tasks of a trace for how run times grow',
  replay: 'tasks, through ParallelFetcher; run times follow the load as their medians did in the trace',
  async detect(context) {
    const { measured, trace, random } = context;
    const { fetch } = measured;
    if (fetch === undefined || fetch.tasks < LEAST_TASKS) return tooFew(fetch?.tasks, LEAST_TASKS, 'tasks of the fetcher');
    const calls = trace === undefined ? NO_TRACE : fetchCalls(trace);
    if (typeof calls === 'string') return undecided(calls);
    const curve = loadCurve(calls);
    // Always as many at a time: nothing shows that it depends on how many.
    if (curve === undefined || !(curve.at(curve.most) / curve.most > curve.at(1) / curve.most)) return NOTHING;
    if (curve.at(curve.most) < 1.5 * curve.at(1)) return NOTHING;
    const before = await replayFetch(calls, fetch.concurrency, 1, curve);
    const now = meanTotal(before);
    let best: { readonly concurrency: number; readonly after: readonly ReplayedTask[] } | undefined;
    for (const share of SHARES) {
      const concurrency = Math.max(1, Math.round(fetch.concurrency * share));
      const after = await replayFetch(calls, concurrency, 1, curve);
      if (meanTotal(after) < meanTotal(best?.after ?? before)) best = { concurrency, after };
    }
    if (best === undefined || meanTotal(best.after) > (1 - LEAST_GAIN) * now) return NOTHING;
    return {
      findings: [
        {
          finding: `A task takes ${digits(curve.at(curve.most))} ms when ${curve.most} run and ${digits(curve.at(1))} ms alone: ${fetch.concurrency} at a time are too many.`,
          evidence: { runAloneMs: curve.at(1), runAtMostMs: curve.at(curve.most), mostAtOnce: curve.most, tasks: fetch.tasks },
          change: {
            option: 'fetcher.concurrency',
            from: fetch.concurrency,
            to: best.concurrency,
            why: 'what waits here does not slow down what runs there',
          },
          ...estimateOf({
            metric: 'time of a task from its call to its result, mean, ms',
            how: `${calls.length} tasks replayed through ParallelFetcher, ${best.concurrency} at a time; run times follow the load as they did in the run`,
            before,
            after: best.after,
            statistic: meanTotal,
            measured: mean(calls.map((call) => call.waitMs + call.runMs)),
            random,
          }),
        },
      ],
    };
  },
};
