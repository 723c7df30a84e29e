import type { Counter, Histogram } from '../../contracts/metrics.js';
import type { Instrumentation } from '../instrumentation.js';

const BREAKER_LEVEL = { closed: 0, half_open: 1, open: 2 } as const;
const STREAM_STATES = ['live', 'gap', 'recovering', 'down'] as const;
const LEADER_STATES = ['standby', 'leader', 'lost'] as const;
const MODES = ['active', 'reduce_only', 'halted'] as const;
const FAILURES: readonly string[] = ['not_sent', 'refused', 'unknown', 'failed'];
const OUTCOMES: readonly string[] = ['ok', 'failed', 'accepted', 'not_sent', 'refused', 'rejected', 'duplicate', 'unknown'];
const MAX_OPERATIONS = 1_000;

/** The series of one operation of a venue, bound once. */
interface Operation {
  readonly outcomes: ReadonlyMap<string, Counter>;
  readonly failures: Counter;
  readonly seconds: Histogram;
  readonly retries: Counter;
  readonly hedges: Counter;
}

/** Calls to the venue, its limits, and what protects both sides: breaker, retry budget, stream, reconciliation, halt, journal, leadership. */
export function venueMetrics(to: Instrumentation): void {
  calls(to);
  limits(to);
  protection(to);
  recovery(to);
  journal(to);
  leadership(to);
}

function calls({ metrics, on }: Instrumentation): void {
  const labels = ['venue', 'operation'] as const;
  const total = metrics.counter({
    name: 'venuekit_venue_calls_total',
    help: 'Calls to the venue, each attempt counted, by outcome.',
    labels: [...labels, 'outcome'],
  });
  const failures = metrics.counter({
    name: 'venuekit_venue_call_failures_total',
    help: 'Calls that failed: not sent, refused, unknown or failed. A rejection is an answer.',
    labels,
  });
  const seconds = metrics.histogram({
    name: 'venuekit_venue_call_seconds',
    help: 'How long a call to the venue took, each attempt by itself.',
    unit: 'seconds',
    labels,
  });
  const retries = metrics.counter({ name: 'venuekit_venue_retries_total', help: 'Calls that were not the first attempt.', labels });
  const hedges = metrics.counter({ name: 'venuekit_venue_hedges_total', help: 'Second reads sent because the first was slow.', labels });
  const known = new Map<string, Map<string, Operation>>();
  let operations = 0;
  const introduce = (venue: string, operation: string): Operation => {
    const by = { venue, operation };
    const made: Operation = {
      // With an operation's first call all its outcomes are there, at 0: the first failure is then a rise.
      outcomes: new Map(OUTCOMES.map((outcome) => [outcome, total.with({ venue, operation, outcome })])),
      failures: failures.with(by),
      seconds: seconds.with(by),
      retries: retries.with(by),
      hedges: hedges.with(by),
    };
    // Beyond, calls are looked up each time and end in the overflow series.
    if (operations >= MAX_OPERATIONS) return made;
    operations++;
    let ofVenue = known.get(venue);
    if (ofVenue === undefined) known.set(venue, (ofVenue = new Map<string, Operation>()));
    ofVenue.set(operation, made);
    return made;
  };
  on('venue.call', ({ venue, operation, attempt, ms, outcome, hedge }) => {
    const one = known.get(venue)?.get(operation) ?? introduce(venue, operation);
    (one.outcomes.get(outcome) ?? total.with({ venue, operation, outcome })).inc();
    one.seconds.observe(ms / 1000);
    if (FAILURES.includes(outcome)) one.failures.inc();
    if (attempt > 1) one.retries.inc();
    if (hedge) one.hedges.inc();
  });
}

function limits({ metrics, on }: Instrumentation): void {
  const labels = ['limit'] as const;
  const used = metrics.gauge({ name: 'venuekit_limit_used_units', help: 'Units of a limit used, as the venue says.', labels });
  const remaining = metrics.gauge({ name: 'venuekit_limit_remaining_units', help: 'Units of a limit left, as the venue says.', labels });
  const resetAt = metrics.gauge({
    name: 'venuekit_limit_reset_timestamp_seconds',
    help: 'When a limit starts anew, as the venue says.',
    unit: 'seconds',
    labels,
  });
  const blockedUntil = metrics.gauge({
    name: 'venuekit_limit_blocked_until_timestamp_seconds',
    help: 'Until when the venue refuses everything under a limit.',
    unit: 'seconds',
    labels,
  });
  const blocks = metrics.counter({ name: 'venuekit_limit_blocks_total', help: 'Times that the venue blocked everything under a limit.', labels });
  const observations = metrics.counter({ name: 'venuekit_limit_observations_total', help: 'Reports of the venue on a limit.', labels });
  on('limit.observed', (seen) => {
    const by = { limit: seen.limit };
    observations.with(by).inc();
    if (seen.used !== undefined) used.with(by).set(seen.used);
    if (seen.remaining !== undefined) remaining.with(by).set(seen.remaining);
    if (seen.resetAt !== undefined) resetAt.with(by).set(seen.resetAt / 1000);
    blocks.with(by).inc(seen.blockedUntil === undefined ? 0 : 1);
    if (seen.blockedUntil !== undefined) blockedUntil.with(by).set(seen.blockedUntil / 1000);
  });
}

function protection({ metrics, on }: Instrumentation): void {
  const state = metrics.gauge({ name: 'venuekit_breaker_state', help: 'Circuit breaker: 0 closed, 1 half open, 2 open.', labels: ['scope'] });
  const changes = metrics.counter({
    name: 'venuekit_breaker_transitions_total',
    help: 'Changes of a circuit breaker, by the state entered.',
    labels: ['scope', 'state'],
  });
  const exhausted = metrics.counter({
    name: 'venuekit_retry_budget_exhausted_total',
    help: 'Retries not made because the retry budget was spent.',
    labels: ['scope'],
  });
  const halts = metrics.counter({ name: 'venuekit_halts_total', help: 'Changes of the trading mode, by the mode entered.', labels: ['mode'] });
  const mode = metrics.gauge({ name: 'venuekit_halt_mode', help: '1 for the trading mode that holds, 0 for the others.', labels: ['mode'] });
  for (const each of MODES) {
    halts.with({ mode: each });
    mode.with({ mode: each }).set(each === 'active' ? 1 : 0);
  }
  on('breaker.state', ({ scope, state: entered }) => {
    state.with({ scope }).set(BREAKER_LEVEL[entered]);
    changes.with({ scope, state: entered }).inc();
  });
  on('budget.exhausted', ({ scope }) => exhausted.with({ scope }).inc());
  on('halt', ({ mode: entered }) => {
    halts.with({ mode: entered }).inc();
    for (const each of MODES) mode.with({ mode: each }).set(each === entered ? 1 : 0);
  });
}

function recovery({ metrics, on }: Instrumentation): void {
  const state = metrics.gauge({
    name: 'venuekit_stream_state',
    help: '1 for the state that a stream of the venue is in, 0 for the others.',
    labels: ['venue', 'state'],
  });
  const changes = metrics.counter({
    name: 'venuekit_stream_transitions_total',
    help: 'Changes of a stream, by the state entered.',
    labels: ['venue', 'state'],
  });
  const missed = metrics.counter({
    name: 'venuekit_stream_recovered_rows_total',
    help: 'Rows that a market stream under resilient() missed and that were read and told, by whether something was left out.',
    labels: ['venue', 'channel', 'complete'],
  });
  const runs = metrics.counter({ name: 'venuekit_reconciles_total', help: 'Reconciliations with the venue, by phase reached.', labels: ['phase'] });
  const seconds = metrics.histogram({ name: 'venuekit_reconcile_seconds', help: 'How long a reconciliation took.', unit: 'seconds' });
  const unresolved = metrics.gauge({ name: 'venuekit_reconcile_unresolved', help: 'Orders that the last reconciliation left in doubt.' });
  for (const phase of ['start', 'done', 'failed']) runs.with({ phase });
  on('stream.state', ({ venue, state: entered }) => {
    for (const each of STREAM_STATES) state.with({ venue, state: each }).set(each === entered ? 1 : 0);
    for (const each of STREAM_STATES) changes.with({ venue, state: each }).inc(each === entered ? 1 : 0);
  });
  on('stream.recovered', ({ venue, channel, rows, isWhole }) => missed.with({ venue, channel, complete: String(isWhole) }).inc(rows));
  on('reconcile', ({ phase, unresolved: left, ms }) => {
    runs.with({ phase }).inc();
    if (phase === 'start') return;
    seconds.observe(ms / 1000);
    unresolved.set(left);
  });
}

function journal({ metrics, on }: Instrumentation): void {
  const appends = metrics.counter({ name: 'venuekit_journal_appends_total', help: 'Durable appends to the order journal.' });
  const records = metrics.counter({ name: 'venuekit_journal_records_total', help: 'Records appended to the order journal.' });
  const seconds = metrics.histogram({
    name: 'venuekit_journal_append_seconds',
    help: 'Until an append to the order journal was durable.',
    unit: 'seconds',
  });
  on('journal.append', ({ records: count, ms }) => {
    appends.inc();
    records.inc(count);
    seconds.observe(ms / 1000);
  });
}

function leadership({ metrics, on }: Instrumentation): void {
  const labels = ['account', 'state'] as const;
  const state = metrics.gauge({
    name: 'venuekit_leader_state',
    help: '1 for the state of this process for an account: it stands by, leads and may send, or has lost its lease; 0 for the others.',
    labels,
  });
  const changes = metrics.counter({
    name: 'venuekit_leader_transitions_total',
    help: 'Changes of leadership of this process for an account, by the state entered.',
    labels,
  });
  on('leader.state', ({ account, state: entered }) => {
    changes.with({ account, state: entered }).inc();
    for (const each of LEADER_STATES) state.with({ account, state: each }).set(each === entered ? 1 : 0);
  });
}
