import type { QuantileSketch } from '../../core/quantile-sketch.js';
import type {
  CacheMeasures,
  CallMeasures,
  FetchMeasures,
  LimitMeasures,
  Measurements,
  OrderMeasures,
  PoolMeasures,
  ProcessMeasures,
} from './measurements.js';
import { quantile } from './numbers.js';
import type { Grouped, StoreReader } from './store-reader.js';

/** Reads all that detectors may look at. */
export async function measure(read: StoreReader): Promise<Measurements> {
  const { from, to } = read.range;
  const feeds = await read.values('venuekit_feed_age_seconds', [], 'max');
  return {
    from,
    to,
    seconds: read.recordedMs / 1_000,
    calls: await callMeasures(read),
    limits: await limitMeasures(read),
    orders: await orderMeasures(read),
    pools: await poolMeasures(read),
    caches: await cacheMeasures(read),
    fetch: await fetchMeasures(read),
    process: await processMeasures(read),
    feedAge: feeds[0]?.v ?? EMPTY,
  };
}

const EMPTY = new Float64Array(0);

function of(groups: readonly Grouped[], labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const group of groups) if (Object.entries(labels).every(([name, value]) => group.labels[name] === value)) sum += group.value;
  return sum;
}

async function callMeasures(read: StoreReader): Promise<CallMeasures | undefined> {
  const outcomes = await read.rises('venuekit_venue_calls_total', ['outcome']);
  if (outcomes.length === 0) return undefined;
  return {
    calls: of(outcomes, {}),
    failures: (await read.rise('venuekit_venue_call_failures_total')) ?? 0,
    refused: of(outcomes, { outcome: 'refused' }),
    retries: (await read.rise('venuekit_venue_retries_total')) ?? 0,
    hedges: (await read.rise('venuekit_venue_hedges_total')) ?? 0,
    seconds: await read.distribution('venuekit_venue_call_seconds'),
  };
}

async function limitMeasures(read: StoreReader): Promise<readonly LimitMeasures[]> {
  const blocks = await read.rises('venuekit_limit_blocks_total', ['limit']);
  const reports = await read.rises('venuekit_limit_observations_total', ['limit']);
  const used = await read.values('venuekit_limit_used_units', ['limit'], 'max');
  const remaining = await read.values('venuekit_limit_remaining_units', ['limit'], 'min');
  return reports.map(({ labels }) => {
    const limit = labels.limit ?? '';
    const is = (result: { readonly labels: Readonly<Record<string, string>> }): boolean => result.labels.limit === limit;
    const [spent, left] = [used.find(is), remaining.find(is)];
    const leftAt = new Map(left === undefined ? [] : Array.from(left.t, (t, i) => [t, left.v[i]!]));
    const shares = spent === undefined ? [] : Array.from(spent.v, (units, i) => units / (units + (leftAt.get(spent.t[i]!) ?? Number.NaN)));
    const known = shares.filter(Number.isFinite);
    return { limit, blocks: of(blocks, { limit }), usedP95: known.length === 0 ? undefined : quantile(known, 0.95) };
  });
}

async function orderMeasures(read: StoreReader): Promise<OrderMeasures | undefined> {
  const appends = (await read.rise('venuekit_journal_appends_total')) ?? 0;
  const finished = (await read.rise('venuekit_orders_finished_total')) ?? 0;
  const ackSeconds = await read.distribution('venuekit_order_ack_seconds');
  if (appends === 0 && finished === 0 && ackSeconds === undefined) return undefined;
  return {
    finished,
    unknown: (await read.rise('venuekit_order_unknown_total')) ?? 0,
    ackSeconds,
    appends,
    records: (await read.rise('venuekit_journal_records_total')) ?? 0,
    appendSeconds: await read.distribution('venuekit_journal_append_seconds'),
    placeSeconds: await read.distribution('venuekit_venue_call_seconds', { operation: 'place' }),
  };
}

async function poolMeasures(read: StoreReader): Promise<readonly PoolMeasures[]> {
  const max = await read.values('venuekit_pool_max', ['pool'], 'last');
  const size = await read.values('venuekit_pool_size', ['pool'], 'avg');
  const inUse = await read.values('venuekit_pool_in_use', ['pool'], 'avg');
  const acquired = await read.rises('venuekit_pool_acquired_total', ['pool', 'reused']);
  const opened = await read.rises('venuekit_pool_created_total', ['pool']);
  const closed = await read.rises('venuekit_pool_destroyed_total', ['pool', 'why']);
  const waits = await read.distributions('venuekit_pool_acquire_wait_seconds', ['pool']);
  return max.map(({ labels, v }) => {
    const pool = labels.pool ?? '';
    const is = (result: { readonly labels: Readonly<Record<string, string>> }): boolean => result.labels.pool === pool;
    return {
      pool,
      max: v.at(-1)!,
      size: size.find(is)?.v ?? EMPTY,
      inUse: inUse.find(is)?.v ?? EMPTY,
      acquired: of(acquired, { pool }),
      reused: of(acquired, { pool, reused: 'true' }),
      opened: of(opened, { pool }),
      closed: Object.fromEntries(closed.filter(is).map(({ labels: { why = '' }, value }) => [why, value])),
      waitSeconds: waits.find(is)?.sketch,
    };
  });
}

async function cacheMeasures(read: StoreReader): Promise<readonly CacheMeasures[]> {
  const reads = await read.rises('venuekit_cache_reads_total', ['kind', 'outcome']);
  const loads = await read.rises('venuekit_cache_loads_total', ['kind']);
  const keys = await read.rises('venuekit_cache_load_keys_total', ['kind']);
  const ages = await read.distributions('venuekit_cache_age_seconds', ['kind']);
  const seconds = await read.distributions('venuekit_cache_load_seconds', ['kind']);
  const kinds = [...new Set(reads.map(({ labels }) => labels.kind ?? ''))].filter((kind) => of(reads, { kind }) > 0);
  return kinds.map((kind) => {
    const sketchOf = (all: typeof ages): QuantileSketch | undefined => all.find(({ labels }) => labels.kind === kind)?.sketch;
    return {
      kind,
      reads: of(reads, { kind }),
      hits: of(reads, { kind, outcome: 'hit' }),
      waited: of(reads, { kind, outcome: 'miss' }) + of(reads, { kind, outcome: 'coalesced' }),
      loads: of(loads, { kind }),
      loadedKeys: of(keys, { kind }),
      ageSeconds: sketchOf(ages),
      loadSeconds: sketchOf(seconds),
    };
  });
}

async function fetchMeasures(read: StoreReader): Promise<FetchMeasures | undefined> {
  const tasks = await read.rises('venuekit_fetch_tasks_total', ['ok']);
  if (of(tasks, {}) === 0) return undefined;
  const concurrency = await read.values('venuekit_fetch_concurrency', [], 'max');
  return {
    concurrency: concurrency[0]?.v.at(-1) ?? 0,
    running: (await read.values('venuekit_fetch_running', [], 'avg'))[0]?.v ?? EMPTY,
    queued: (await read.values('venuekit_fetch_queued', [], 'avg'))[0]?.v ?? EMPTY,
    tasks: of(tasks, {}),
    failed: of(tasks, { ok: 'false' }),
    waitSeconds: await read.distribution('venuekit_fetch_wait_seconds'),
    runSeconds: await read.distribution('venuekit_fetch_run_seconds'),
  };
}

async function processMeasures(read: StoreReader): Promise<ProcessMeasures | undefined> {
  const delays = await read.values('venuekit_process_event_loop_delay_seconds', ['stat'], 'max');
  const memory = await read.values('venuekit_process_memory_bytes', ['kind'], 'last');
  if (delays.length === 0 && memory.length === 0) return undefined;
  const delay = (stat: string): Float64Array => delays.find(({ labels }) => labels.stat === stat)?.v ?? EMPTY;
  const bytes = (kind: string): Float64Array => memory.find(({ labels }) => labels.kind === kind)?.v ?? EMPTY;
  return {
    loopDelayMax: delay('max'),
    loopDelayP99: delay('p99'),
    minorGc: await read.distribution('venuekit_process_gc_seconds', { kind: 'minor' }),
    majorGc: await read.distribution('venuekit_process_gc_seconds', { kind: 'major' }),
    cpuSeconds: await read.rise('venuekit_process_cpu_seconds_total'),
    heapUsed: bytes('heap_used'),
    resident: bytes('resident'),
  };
}
