/** One picture of the Grafana dashboard. */
export interface Panel {
  readonly title: string;
  readonly help: string;
  /** As Grafana names it. */
  readonly unit: 's' | 'short' | 'percentunit' | 'bytes' | 'ops' | 'reqps' | 'dateTimeFromNow';
  /** What each line is called, and what it is of, in venuekit's own language. */
  readonly queries: readonly (readonly [legend: string, expr: string])[];
  /** @defaultValue 'timeseries' */
  readonly kind?: 'stat';
  /** Of 24. @defaultValue 8 */
  readonly width?: number;
  readonly max?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Of the chosen jobs and instances: the words stand for the variables of the dashboard. */
function of(metric: string, labels = ''): string {
  return `${metric}{${labels === '' ? '' : `${labels}, `}job="ANY_JOB", instance="ANY_INSTANCE"}`;
}

const rate = (metric: string, by: string, labels = ''): string => `sum by (${by}) (rate(${of(metric, labels)}[1m]))`;
const most = (metric: string, by: string): string => `max by (${by}) (${of(metric)})`;
const total = (metric: string, by: string): string => `sum by (${by}) (${of(metric)})`;
const quantile = (q: number, metric: string, by: string): string => `histogram_quantile(${q}, sum by (${by}) (rate(${of(metric)}[1m])))`;
const quantiles = (metric: string, by: string): Panel['queries'] => [
  [`p50 {{${by}}}`, quantile(0.5, metric, by)],
  [`p99 {{${by}}}`, quantile(0.99, metric, by)],
];

export const ROWS: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      {
        title: 'Alerts raised',
        help: 'By severity, of venuekit’s own rules.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [['{{severity}}', total('venuekit_alerts_raised', 'severity')]],
      },
      {
        title: 'Orders open',
        help: 'Orders that have not ended.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [['{{state}}', total('venuekit_orders_open', 'state')]],
      },
      {
        title: 'Sends in doubt, last hour',
        help: 'Sends whose outcome could not be told at once.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [['in doubt', `sum(increase(${of('venuekit_order_unknown_total')}[1h]))`]],
      },
      {
        title: 'Handed to a person, last hour',
        help: 'Orders of which nothing could be proved.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [['escalated', `sum(increase(${of('venuekit_order_escalated_total')}[1h]))`]],
      },
      {
        title: 'Trading mode',
        help: 'Processes in each mode.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [['{{mode}}', total('venuekit_halt_mode', 'mode')]],
      },
      {
        title: 'Oldest feed',
        help: 'How long ago the feed that is furthest behind was updated.',
        unit: 's',
        kind: 'stat',
        width: 4,
        queries: [['{{feed}}', most('venuekit_feed_age_seconds', 'feed')]],
      },
    ],
  },
  {
    title: 'Orders',
    panels: [
      { title: 'Orders ended', help: 'By how they ended.', unit: 'ops', queries: [['{{state}}', rate('venuekit_orders_finished_total', 'state')]] },
      {
        title: 'Until the venue has an order',
        help: 'From its first state to the first that the venue knows of.',
        unit: 's',
        queries: [
          ['p50', `histogram_quantile(0.5, sum(rate(${of('venuekit_order_ack_seconds')}[1m])))`],
          ['p99', `histogram_quantile(0.99, sum(rate(${of('venuekit_order_ack_seconds')}[1m])))`],
        ],
      },
      {
        title: 'Doubt, and its proof',
        help: 'Sends whose outcome was unknown, and how that was resolved.',
        unit: 'ops',
        queries: [
          ['in doubt', `sum(rate(${of('venuekit_order_unknown_total')}[1m]))`],
          ['resolved by {{by}}', rate('venuekit_order_resolved_total', 'by')],
          ['conflicts', `sum(rate(${of('venuekit_order_conflicts_total')}[1m]))`],
        ],
      },
    ],
  },
  {
    title: 'Calls to the venue',
    panels: [
      {
        title: 'Calls',
        help: 'Each attempt counted.',
        unit: 'reqps',
        queries: [['{{venue}} {{operation}}', rate('venuekit_venue_calls_total', 'venue, operation')]],
      },
      {
        title: 'Calls that failed',
        help: 'As a share of all calls of the operation; a rejection is an answer.',
        unit: 'percentunit',
        max: 1,
        queries: [
          [
            '{{venue}} {{operation}}',
            `${rate('venuekit_venue_call_failures_total', 'venue, operation')} / ${rate('venuekit_venue_calls_total', 'venue, operation')}`,
          ],
        ],
      },
      { title: 'How long a call took', help: 'Each attempt by itself.', unit: 's', queries: quantiles('venuekit_venue_call_seconds', 'operation') },
      {
        title: 'Retries and hedges',
        help: 'Calls beyond the first of each.',
        unit: 'reqps',
        queries: [
          ['retry {{operation}}', rate('venuekit_venue_retries_total', 'operation')],
          ['hedge {{operation}}', rate('venuekit_venue_hedges_total', 'operation')],
        ],
      },
    ],
  },
  {
    title: 'Limits and protection',
    panels: [
      {
        title: 'Units left of a limit',
        help: 'As the venue says.',
        unit: 'short',
        queries: [['{{limit}}', `min by (limit) (${of('venuekit_limit_remaining_units')})`]],
      },
      {
        title: 'Blocks and bans',
        help: 'Times that the venue refused everything under a limit.',
        unit: 'short',
        queries: [['{{limit}}', `sum by (limit) (increase(${of('venuekit_limit_blocks_total')}[1m]))`]],
      },
      {
        title: 'Circuit breakers',
        help: '0 closed, 1 half open, 2 open: the worst of the processes. Those of shared stores are among them.',
        unit: 'short',
        max: 2,
        queries: [['{{scope}}', most('venuekit_breaker_state', 'scope')]],
      },
      {
        title: 'Retry budget spent',
        help: 'Retries that were not made.',
        unit: 'ops',
        queries: [['{{scope}}', rate('venuekit_retry_budget_exhausted_total', 'scope')]],
      },
    ],
  },
  {
    title: 'Streams, reconciliation and journal',
    panels: [
      {
        title: 'Streams',
        help: 'Processes whose stream is in each state.',
        unit: 'short',
        queries: [['{{venue}} {{state}}', total('venuekit_stream_state', 'venue, state')]],
      },
      {
        title: 'Left in doubt by the last reconciliation',
        help: 'Orders.',
        unit: 'short',
        queries: [['in doubt', `sum(${of('venuekit_reconcile_unresolved')})`]],
      },
      {
        title: 'Until an append was durable',
        help: 'Of the order journal.',
        unit: 's',
        queries: [
          ['p50', `histogram_quantile(0.5, sum(rate(${of('venuekit_journal_append_seconds')}[1m])))`],
          ['p99', `histogram_quantile(0.99, sum(rate(${of('venuekit_journal_append_seconds')}[1m])))`],
        ],
      },
    ],
  },
  {
    title: 'Market data',
    panels: [
      {
        title: 'Answered from the cache',
        help: 'As a share of all reads.',
        unit: 'percentunit',
        max: 1,
        queries: [['{{kind}}', `${rate('venuekit_cache_reads_total', 'kind', 'outcome="hit"')} / ${rate('venuekit_cache_reads_total', 'kind')}`]],
      },
      {
        title: 'Reads by level',
        help: 'Which level answered.',
        unit: 'reqps',
        queries: [['{{level}} {{outcome}}', rate('venuekit_cache_reads_total', 'level, outcome')]],
      },
      {
        title: 'Age of what readers were given',
        help: 'Never above what they allow.',
        unit: 's',
        queries: quantiles('venuekit_cache_age_seconds', 'kind'),
      },
      { title: 'How long a load took', help: 'From the venue into the cache.', unit: 's', queries: quantiles('venuekit_cache_load_seconds', 'kind') },
      {
        title: 'Feeds behind',
        help: 'How long ago each feed was updated: the symbol that is furthest behind.',
        unit: 's',
        queries: [['{{feed}}', most('venuekit_feed_age_seconds', 'feed')]],
      },
      {
        title: 'Prefetch',
        help: 'Values fetched ahead, by whether somebody read them.',
        unit: 'ops',
        queries: [['useful: {{useful}}', rate('venuekit_cache_prefetches_total', 'useful')]],
      },
    ],
  },
  {
    title: 'Pools and fetcher',
    panels: [
      {
        title: 'Connections in use',
        help: 'As a share of those allowed.',
        unit: 'percentunit',
        max: 1,
        queries: [['{{pool}}', most('venuekit_pool_utilisation_ratio', 'pool')]],
      },
      { title: 'Wait for a connection', help: 'What callers waited.', unit: 's', queries: quantiles('venuekit_pool_acquire_wait_seconds', 'pool') },
      {
        title: 'Fetcher',
        help: 'Tasks that run and that wait.',
        unit: 'short',
        queries: [
          ['running', `sum(${of('venuekit_fetch_running')})`],
          ['waiting', `sum(${of('venuekit_fetch_queued')})`],
        ],
      },
      { title: 'Wait of a task', help: 'Until its turn came.', unit: 's', queries: quantiles('venuekit_fetch_wait_seconds', 'group') },
    ],
  },
  {
    title: 'Alerts',
    panels: [
      {
        title: 'Changes of alerts',
        help: 'By rule and the state entered.',
        unit: 'short',
        queries: [['{{rule}} {{state}}', `sum by (rule, state) (increase(${of('venuekit_alert_transitions_total')}[1m]))`]],
      },
      {
        title: 'Actions',
        help: 'What alerts did by themselves.',
        unit: 'short',
        queries: [['{{action}} {{ok}}', `sum by (action, ok) (increase(${of('venuekit_alert_actions_total')}[1m]))`]],
      },
      {
        title: 'Notifications',
        help: 'Groups of alerts handed to a notifier, by whether they arrived.',
        unit: 'short',
        queries: [['{{notifier}} {{ok}}', `sum by (notifier, ok) (increase(${of('venuekit_alert_notifications_total')}[1m]))`]],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'Who leads',
        help: 'The process that may send the orders of an account; 0 for those that stand by or have lost the lease.',
        unit: 'short',
        max: 1,
        queries: [['{{account}} {{instance}}', `max by (account, instance) (${of('venuekit_leader_state', 'state="leader"')})`]],
      },
      {
        title: 'Processor',
        help: 'Time used by each process, as a share of one processor.',
        unit: 'percentunit',
        queries: [['{{instance}}', rate('venuekit_process_cpu_seconds_total', 'instance')]],
      },
      {
        title: 'Memory',
        help: 'Resident.',
        unit: 'bytes',
        queries: [['{{instance}}', `max by (instance) (${of('venuekit_process_memory_bytes', 'kind="rss"')})`]],
      },
      {
        title: 'Delay of the event loop',
        help: 'What decisions had to wait for.',
        unit: 's',
        queries: [['{{instance}} {{stat}}', most('venuekit_process_event_loop_delay_seconds', 'instance, stat')]],
      },
      {
        title: 'Series dropped, ticks refused',
        help: 'Label values beyond what a metric may hold, and ticks that the metric store did not take: gaps in what is shown.',
        unit: 'short',
        queries: [
          ['overflow of {{metric}}', `sum by (metric) (increase(${of('venuekit_metrics_overflow_total')}[1m]))`],
          ['refused ticks', `sum(increase(${of('venuekit_store_append_failures_total')}[1m]))`],
        ],
      },
    ],
  },
];
