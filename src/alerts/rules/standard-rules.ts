import { requireKnown, requireObject, requirePositive } from '../../core/options.js';
import type { AlertRule, RuleBase } from './rule.js';

/** What the standard rules can't know by themselves. */
export interface StandardRulesOptions {
  /** What the p99 of calls to a venue must stay below. @defaultValue 500 */
  readonly latencyObjectiveMs?: number;
}

export const STANDARD_RULE_IDS = ['error-rate', 'latency-p99', 'throughput-drop', 'pool-exhaustion', 'cache-hit-rate', 'data-staleness'] as const;

/** Their metrics exist once there is something to measure: that there is none yet is no misspelling. */
const known = new WeakSet<object>();

export function isStandardRule(rule: object): boolean {
  return known.has(rule);
}

function standard<R extends AlertRule>(rule: R): R {
  known.add(rule);
  return rule;
}

/**
 * The six standard rules, on the metrics that `instrument` keeps: error rate, latency p99, throughput
 * drop, pool exhaustion, cache hit rate, data staleness. `error-rate` and `data-staleness` have two
 * levels each, which share the id.
 *
 * @param overrides - by id, for all levels of a rule: `{ 'error-rate': { forMs: 60_000 } }`
 * @throws TypeError for an id that is none of theirs
 */
export function standardRules(overrides: Readonly<Record<string, Partial<RuleBase>>> = {}, options: StandardRulesOptions = {}): readonly AlertRule[] {
  requireKnown('standardRules', requireObject('overrides', overrides), STANDARD_RULE_IDS);
  requireKnown('standardRules', requireObject('options', options), ['latencyObjectiveMs']);
  const objectiveS = requirePositive('latencyObjectiveMs', options.latencyObjectiveMs ?? 500) / 1000;
  const rules: readonly AlertRule[] = [...errorRate(), latency(objectiveS), throughputDrop(), poolExhaustion(), cacheHitRate(), ...dataStaleness()];
  return rules.map((rule) => standard({ ...rule, ...overrides[rule.id] }));
}

/** For createVenueKit: a metric has more label values than it may, so that its series say less than they seem to. */
export function labelOverflowRule(): AlertRule {
  return standard({
    id: 'label-overflow',
    type: 'threshold',
    severity: 'warning',
    summary: 'A metric has more label values than it may hold: new ones share one series.',
    expr: 'sum by (metric) (increase(venuekit_metrics_overflow_total[5m]))',
    op: '>',
    fire: 0,
  });
}

function errorRate(): readonly AlertRule[] {
  const by = 'sum by (venue, operation)';
  const rule = {
    id: 'error-rate',
    type: 'threshold',
    expr: `${by} (increase(venuekit_venue_call_failures_total[1m])) / ${by} (increase(venuekit_venue_calls_total[1m]))`,
    op: '>',
    clear: 0.02,
    forMs: 30_000,
    keepFiringForMs: 60_000,
    minSamples: 20,
  } as const;
  return [
    { ...rule, severity: 'warning', fire: 0.05, summary: 'More than 5 % of the calls of an operation fail.' },
    { ...rule, severity: 'critical', fire: 0.2, summary: 'More than 20 % of the calls of an operation fail.', actions: [{ do: 'trip_breaker' }] },
  ];
}

function latency(objectiveS: number): AlertRule {
  return {
    id: 'latency-p99',
    type: 'threshold',
    severity: 'warning',
    summary: `The p99 of calls to the venue is above ${objectiveS * 1000} ms.`,
    // Calls of the order path by venue, and loads of market data together: both are requests to it.
    expr: 'histogram_quantile(0.99, sum by (venue) (rate(venuekit_venue_call_seconds[1m]))) or histogram_quantile(0.99, sum(rate(venuekit_cache_load_seconds[1m])))',
    op: '>',
    fire: objectiveS,
    clear: 0.75 * objectiveS,
    forMs: 60_000,
    keepFiringForMs: 60_000,
    minSamples: 100,
    actions: [{ do: 'lower_concurrency' }],
  };
}

function throughputDrop(): AlertRule {
  const rate = 'sum by (venue) (rate(venuekit_venue_calls_total[1m]))';
  return {
    id: 'throughput-drop',
    type: 'threshold',
    severity: 'warning',
    summary: 'Calls to the venue are less than half as frequent as in the last hour.',
    // Ten minutes of history at least.
    expr: `${rate} / median_over_time(${rate}[1h:1m]) and count_over_time(${rate}[1h:1m]) >= 10`,
    op: '<',
    fire: 0.5,
    clear: 0.7,
    forMs: 120_000,
    keepFiringForMs: 60_000,
    openMarketForMs: 60_000,
  };
}

function poolExhaustion(): AlertRule {
  // A pool that has had somebody waiting at every moment is exhausted, whatever its size says.
  const pools =
    'avg_over_time(venuekit_pool_in_use[30s]) / (venuekit_pool_max > 0) + (min_over_time(venuekit_pool_waiting[30s]) > bool 0) and venuekit_pool_size > 0';
  const fetcher =
    'avg_over_time(venuekit_fetch_running[30s]) / (venuekit_fetch_concurrency > 0) + (min_over_time(venuekit_fetch_queued[30s]) > bool 0)';
  return {
    id: 'pool-exhaustion',
    type: 'threshold',
    severity: 'warning',
    summary: 'Nearly all connections of a pool, or slots of the fetcher, are in use.',
    expr: `clamp_max((${pools}) or (${fetcher}), 1)`,
    op: '>',
    fire: 0.95,
    clear: 0.8,
    forMs: 15_000,
    keepFiringForMs: 30_000,
    actions: [{ do: 'shed_prefetch' }],
  };
}

function cacheHitRate(): AlertRule {
  const reads = 'venuekit_cache_reads_total';
  return {
    id: 'cache-hit-rate',
    type: 'threshold',
    severity: 'warning',
    summary: 'Fewer than 70 % of the reads of market data are answered from the cache.',
    // Warm: there were reads five minutes ago.
    expr: `sum(increase(${reads}{outcome="hit"}[5m])) / sum(increase(${reads}[5m])) and sum(${reads} offset 5m) > 0`,
    op: '<',
    fire: 0.7,
    clear: 0.8,
    forMs: 300_000,
    keepFiringForMs: 120_000,
    minSamples: 200,
  };
}

function dataStaleness(): readonly AlertRule[] {
  const rule = {
    id: 'data-staleness',
    type: 'threshold',
    op: '>',
    clear: 1,
    keepFiringForMs: 10_000,
    noData: 'alert',
    noDataForMs: 30_000,
    openMarketForMs: 30_000,
  } as const;
  return [
    {
      ...rule,
      severity: 'warning',
      summary: 'A feed has not been updated for 5 s and ten times its usual interval.',
      // Of fewer updates nobody can tell how far apart they usually are.
      expr: `${staleSeconds(5)} unless venuekit_feed_updates_total < 10`,
      fire: 5,
      forMs: 5_000,
    },
    {
      ...rule,
      severity: 'critical',
      summary: 'A feed has not been updated for 30 s and ten times its usual interval.',
      expr: staleSeconds(30),
      fire: 30,
      forMs: 0,
      inhibits: ['latency-p99', 'throughput-drop', 'cache-hit-rate'],
      actions: [{ do: 'block_symbol' }],
    },
  ];
}

/**
 * The age of a feed in seconds, and 0 while it is below two intervals, so that a constant clears it.
 * Where ten intervals are more than `limit`, it is scaled down to where `limit` is ten intervals.
 */
function staleSeconds(limit: number): string {
  const age = 'venuekit_feed_age_seconds';
  const interval = `(venuekit_feed_interval_seconds or ${age} * 0)`;
  return `${age} * (${age} > bool clamp_min(2 * ${interval}, 1)) * ${limit} / clamp_min(10 * ${interval}, ${limit})`;
}
