import type { Instrumentation } from '../instrumentation.js';

/** Connection pools: how full, how long callers wait, what breaks. */
export function poolMetrics({ metrics, on }: Instrumentation): void {
  const labels = ['pool'] as const;
  const max = metrics.gauge({ name: 'venuekit_pool_max', help: 'Connections that a pool may hold.', labels });
  const size = metrics.gauge({ name: 'venuekit_pool_size', help: 'Connections that a pool holds.', labels });
  const inUse = metrics.gauge({ name: 'venuekit_pool_in_use', help: 'Connections lent out.', labels });
  const idle = metrics.gauge({ name: 'venuekit_pool_idle', help: 'Connections ready to be lent.', labels });
  const waiting = metrics.gauge({ name: 'venuekit_pool_waiting', help: 'Callers that wait for a connection.', labels });
  const utilisation = metrics.gauge({
    name: 'venuekit_pool_utilisation_ratio',
    help: 'Connections lent out, as a share of those allowed.',
    unit: 'ratio',
    labels,
  });
  const created = metrics.counter({ name: 'venuekit_pool_created_total', help: 'Connections opened.', labels });
  const destroyed = metrics.counter({ name: 'venuekit_pool_destroyed_total', help: 'Connections closed, by why.', labels: ['pool', 'why'] });
  const createFailures = metrics.counter({ name: 'venuekit_pool_create_failures_total', help: 'Connections that could not be opened.', labels });
  const acquired = metrics.counter({
    name: 'venuekit_pool_acquired_total',
    help: 'Loans, by whether the connection was used before.',
    labels: ['pool', 'reused'],
  });
  const wait = metrics.histogram({
    name: 'venuekit_pool_acquire_wait_seconds',
    help: 'How long callers waited for a connection.',
    unit: 'seconds',
    labels,
  });
  const leaks = metrics.counter({ name: 'venuekit_pool_leaks_total', help: 'Loans held longer than the warning time.', labels });
  const known = new Set<string>();
  const introduce = (pool: string): void => {
    if (known.has(pool) || known.size >= 1_000) return;
    known.add(pool);
    for (const counter of [created, createFailures, leaks]) counter.with({ pool });
    for (const reused of ['true', 'false']) acquired.with({ pool, reused });
  };
  on('pool.state', (state) => {
    const { pool } = state;
    introduce(pool);
    max.with({ pool }).set(state.max);
    size.with({ pool }).set(state.size);
    inUse.with({ pool }).set(state.inUse);
    idle.with({ pool }).set(state.size - state.inUse);
    waiting.with({ pool }).set(state.waiting);
    utilisation.with({ pool }).set(state.max > 0 ? state.inUse / state.max : 0);
  });
  on('pool.created', ({ pool }) => {
    introduce(pool);
    created.with({ pool }).inc();
  });
  on('pool.destroyed', ({ pool, why }) => destroyed.with({ pool, why }).inc());
  on('pool.create_failed', ({ pool }) => {
    introduce(pool);
    createFailures.with({ pool }).inc();
  });
  on('pool.acquired', ({ pool, waitedMs, reused }) => {
    introduce(pool);
    acquired.with({ pool, reused: reused ? 'true' : 'false' }).inc();
    wait.with({ pool }).observe(waitedMs / 1000);
  });
  on('pool.leak', ({ pool }) => leaks.with({ pool }).inc());
}
