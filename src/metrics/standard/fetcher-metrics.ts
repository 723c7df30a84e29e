import type { Instrumentation } from '../instrumentation.js';

/** The parallel fetcher: how busy, how long tasks wait and run. */
export function fetcherMetrics({ metrics, on }: Instrumentation): void {
  const running = metrics.gauge({ name: 'venuekit_fetch_running', help: 'Tasks that run.' });
  const queued = metrics.gauge({ name: 'venuekit_fetch_queued', help: 'Tasks that wait.' });
  const concurrency = metrics.gauge({ name: 'venuekit_fetch_concurrency', help: 'Tasks that may run at once.' });
  const utilisation = metrics.gauge({
    name: 'venuekit_fetch_utilisation_ratio',
    help: 'Tasks that run, as a share of those that may.',
    unit: 'ratio',
  });
  const tasks = metrics.counter({
    name: 'venuekit_fetch_tasks_total',
    help: 'Tasks that ended, by whether they succeeded.',
    labels: ['group', 'ok'],
  });
  const wait = metrics.histogram({
    name: 'venuekit_fetch_wait_seconds',
    help: 'How long a task waited for its turn.',
    unit: 'seconds',
    labels: ['group'],
  });
  const run = metrics.histogram({ name: 'venuekit_fetch_run_seconds', help: 'How long a task ran.', unit: 'seconds', labels: ['group'] });
  const stuck = metrics.counter({
    name: 'venuekit_fetch_stuck_total',
    help: 'Functions that held their slot long after their caller was answered.',
    labels: ['group'],
  });
  on('fetch.state', (state) => {
    running.set(state.running);
    queued.set(state.queued);
    concurrency.set(state.concurrency);
    utilisation.set(state.concurrency > 0 ? state.running / state.concurrency : 0);
  });
  on('fetch.task', ({ group, waitMs, runMs, ok }) => {
    tasks.with({ group, ok: 'false' }).inc(ok ? 0 : 1);
    tasks.with({ group, ok: 'true' }).inc(ok ? 1 : 0);
    wait.with({ group }).observe(waitMs / 1000);
    run.with({ group }).observe(runMs / 1000);
    stuck.with({ group });
  });
  on('fetch.stuck', ({ group }) => stuck.with({ group }).inc());
}
