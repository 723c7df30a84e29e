import { digits, mean } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { fetchCalls, loadCurve, type ReplayedTask, replayFetch } from '../replay/fetch-replay.js';
import { type Detector, NO_TRACE, NOTHING, tooFew, undecided } from './detector.js';

const LEAST_TASKS = 200;
const BUSY = 0.8;
/** Run times that grow by less when twice as many run do not speak against more. */
const LITTLE_GROWTH = 1.3;

const meanTotal = (tasks: readonly ReplayedTask[]): number => mean(tasks.map(({ waitMs, runMs }) => waitMs + runMs));

export const concurrencyTooLow: Detector = {
  id: 'concurrency-too-low',
  component: 'parallel fetch',
  area: 'throughput',
  sees: 'Tasks that wait longer than the objective allows (a quarter of their run time) while the fetcher is as busy as it may be, and whose run times do not grow with how many run.',
  option: 'fetcher.concurrency',
  effort: 'low',
  from: 'fetcher metrics, and the tasks of a trace for whether run times grow',
  replay: 'tasks, through ParallelFetcher; each runs as long as it did',
  async detect(context) {
    const { measured, trace, objectives, random } = context;
    const { fetch } = measured;
    if (fetch === undefined || fetch.tasks < LEAST_TASKS || fetch.waitSeconds === undefined || fetch.runSeconds === undefined)
      return tooFew(fetch?.tasks, LEAST_TASKS, 'tasks of the fetcher');
    const [waitMs, runMs] = [(fetch.waitSeconds.sum / fetch.waitSeconds.count) * 1_000, (fetch.runSeconds.sum / fetch.runSeconds.count) * 1_000];
    if (waitMs <= objectives.queueShare * runMs) return NOTHING;
    // While something waits: a bot that fetches once a minute is idle for most of it.
    const busy = mean(Array.from(fetch.running).filter((_, i) => (fetch.queued[i] ?? 0) >= 1)) / fetch.concurrency;
    if (!(busy >= BUSY)) return NOTHING;
    const calls = trace === undefined ? NO_TRACE : fetchCalls(trace);
    const evidence = { waitMeanMs: waitMs, runMeanMs: runMs, busyWhileWaiting: busy, tasks: fetch.tasks };
    const finding = `Tasks wait ${digits(waitMs)} ms for their turn and run ${digits(runMs)} ms: ${fetch.concurrency} at a time are too few.`;
    const why = 'the venue answers as fast when more is asked at once';
    if (typeof calls === 'string') {
      const change = {
        option: 'fetcher.concurrency',
        from: fetch.concurrency,
        to: fetch.concurrency * 2,
        why: `${why}, as far as it is known; a first step, to be measured again`,
      };
      return { findings: [{ finding, evidence, change, noEstimate: calls }] };
    }
    const curve = loadCurve(calls);
    if (curve === undefined)
      return undecided('tasks ran with too little difference in how many ran to tell whether more at a time would slow them down');
    if (curve.at(curve.most) > LITTLE_GROWTH * curve.at(Math.max(1, curve.most / 2))) return NOTHING;
    const before = await replayFetch(calls, fetch.concurrency, 1);
    let [concurrency, after] = [fetch.concurrency, before];
    for (let tries = 0; tries < 4; tries++) {
      concurrency *= 2;
      after = await replayFetch(calls, concurrency, 1);
      if (mean(after.map((task) => task.waitMs)) <= (objectives.queueShare / 2) * runMs) break;
    }
    return {
      findings: [
        {
          finding,
          evidence,
          change: { option: 'fetcher.concurrency', from: fetch.concurrency, to: concurrency, why },
          ...estimateOf({
            metric: 'time of a task from its call to its result, mean, ms',
            how: `${calls.length} tasks replayed through ParallelFetcher, ${concurrency} at a time, each as long as it was`,
            before,
            after,
            statistic: meanTotal,
            measured: mean(calls.map((call) => call.waitMs + call.runMs)),
            random,
          }),
        },
      ],
    };
  },
};
