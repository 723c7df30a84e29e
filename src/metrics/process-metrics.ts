import type { MetricsFactory } from './metric-source.js';

/** What is used of Node's process; absent parts, as in a browser, are left out. */
interface ProcessShape {
  memoryUsage?(): {
    readonly rss: number;
    readonly heapTotal: number;
    readonly heapUsed: number;
    readonly external: number;
    readonly arrayBuffers: number;
  };
  cpuUsage?(): { readonly user: number; readonly system: number };
  uptime?(): number;
  getActiveResourcesInfo?(): readonly string[];
  // Reaches built-in modules without an import, so that a bundle for elsewhere still loads.
  getBuiltinModule?(id: string): unknown;
}

interface DelayMonitor {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  percentile(percent: number): number;
  enable(): void;
  disable(): void;
  reset(): void;
}

interface GcEntry {
  readonly duration: number;
  readonly detail?: { readonly kind?: number };
}

interface PerformanceHooks {
  monitorEventLoopDelay?(options: { readonly resolution: number }): DelayMonitor;
  readonly PerformanceObserver?: new (
    seen: (list: { getEntries(): readonly GcEntry[] }) => void,
  ) => { observe(options: { readonly entryTypes: readonly string[] }): void; disconnect(): void };
}

const GC_KINDS: Readonly<Record<number, string>> = { 1: 'minor', 2: 'minor_mark_sweep', 4: 'major', 8: 'incremental', 16: 'weak_callbacks' };
const DELAY_RESOLUTION_MS = 10;
const NS = 1e9;

/**
 * Event-loop delay, garbage collection, memory, processor time and handles of this process, until
 * disposed. What a runtime has not is left out.
 */
export function processMetrics(metrics: MetricsFactory): Disposable {
  const process = (globalThis as { readonly process?: ProcessShape }).process;
  if (process === undefined) return { [Symbol.dispose]: () => {} };
  const hooks = process.getBuiltinModule?.('node:perf_hooks') as PerformanceHooks | undefined;
  memory(metrics, process);
  processor(metrics, process);
  const stops = [eventLoop(metrics, hooks), garbage(metrics, hooks)];
  return {
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}

function memory(metrics: MetricsFactory, process: ProcessShape): void {
  if (process.memoryUsage === undefined) return;
  metrics.gauge({
    name: 'venuekit_process_memory_bytes',
    help: 'Memory of the process: resident (rss), V8 heap reserved and used, external to V8, and array buffers.',
    unit: 'bytes',
    labels: ['kind'],
    collect: (gauge) => {
      const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage?.() ?? ZERO_MEMORY;
      for (const [kind, bytes] of Object.entries({
        resident: rss,
        heap_total: heapTotal,
        heap_used: heapUsed,
        external,
        array_buffers: arrayBuffers,
      }))
        gauge.with({ kind }).set(bytes);
    },
  });
}

const ZERO_MEMORY = { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };

function processor(metrics: MetricsFactory, process: ProcessShape): void {
  const cpu = metrics.counter({
    name: 'venuekit_process_cpu_seconds_total',
    help: 'Processor time used by this process.',
    unit: 'seconds',
    labels: ['mode'],
  });
  const counted = { user: 0, system: 0 };
  metrics.gauge({
    name: 'venuekit_process_uptime_seconds',
    help: 'Seconds since the process started.',
    unit: 'seconds',
    collect: (gauge) => {
      gauge.set(process.uptime?.() ?? 0);
      const used = process.cpuUsage?.();
      for (const mode of ['user', 'system'] as const) {
        const total = used?.[mode] ?? 0;
        cpu.with({ mode }).inc(Math.max(0, total - counted[mode]) / 1e6);
        counted[mode] = total;
      }
    },
  });
  if (process.getActiveResourcesInfo !== undefined) {
    // A type that has gone must show 0, not its last count.
    const seenTypes = new Set<string>();
    metrics.gauge({
      name: 'venuekit_process_handles',
      help: 'What keeps the event loop busy or alive, by type: sockets, timers, file operations.',
      labels: ['type'],
      maxSeries: 50,
      collect: (gauge) => {
        const counts = new Map<string, number>([['Timeout', 0]]);
        for (const type of seenTypes) counts.set(type, 0);
        for (const type of process.getActiveResourcesInfo?.() ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
        for (const [type, count] of counts) {
          seenTypes.add(type);
          gauge.with({ type }).set(count);
        }
      },
    });
  }
}

function eventLoop(metrics: MetricsFactory, hooks: PerformanceHooks | undefined): () => void {
  const monitor = hooks?.monitorEventLoopDelay?.({ resolution: DELAY_RESOLUTION_MS });
  if (monitor === undefined) return () => {};
  monitor.enable();
  metrics.gauge({
    name: 'venuekit_process_event_loop_delay_seconds',
    help: `How late timers of ${DELAY_RESOLUTION_MS} ms ran since the last reading: what else the bot's decisions had to wait for.`,
    unit: 'seconds',
    labels: ['stat'],
    collect: (gauge) => {
      const empty = monitor.max === 0;
      const delay = (ns: number): number => (empty ? 0 : Math.max(0, ns / NS - DELAY_RESOLUTION_MS / 1000));
      gauge.with({ stat: 'mean' }).set(delay(monitor.mean));
      gauge.with({ stat: 'p50' }).set(delay(monitor.percentile(50)));
      gauge.with({ stat: 'p99' }).set(delay(monitor.percentile(99)));
      gauge.with({ stat: 'max' }).set(delay(monitor.max));
      monitor.reset();
    },
  });
  return () => monitor.disable();
}

function garbage(metrics: MetricsFactory, hooks: PerformanceHooks | undefined): () => void {
  if (hooks?.PerformanceObserver === undefined) return () => {};
  const seconds = metrics.histogram({
    name: 'venuekit_process_gc_seconds',
    help: 'Pauses of the garbage collector, by kind.',
    unit: 'seconds',
    labels: ['kind'],
  });
  for (const kind of ['minor', 'major', 'incremental', 'weak_callbacks']) seconds.with({ kind });
  const observer = new hooks.PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries()) seconds.with({ kind: GC_KINDS[detail?.kind ?? 0] ?? 'other' }).observe(duration / 1000);
  });
  try {
    observer.observe({ entryTypes: ['gc'] });
  } catch {
    // A runtime without these entries shows no pauses.
    return () => {};
  }
  return () => observer.disconnect();
}
