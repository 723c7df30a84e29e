import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Counter as PromCounter, Registry as PromRegistry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { metricsReference } from '../../../scripts/metrics-reference.js';
import type { AlertInstance } from '../../../src/contracts/alerts.js';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import type { OrderState, OrderView } from '../../../src/contracts/orders.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { publishDiagnostics } from '../../../src/metrics/diagnostics-channel.js';
import { instrument } from '../../../src/metrics/instrument.js';
import { MetricsRegistry } from '../../../src/metrics/registry.js';

const disposables: Disposable[] = [];
afterEach(() => {
  for (const disposable of disposables.splice(0)) disposable[Symbol.dispose]();
});

const givenAnInstrumentedBus = () => {
  const clock = new ManualClock();
  const bus = new EventBus({
    onListenerError: (error) => {
      throw error;
    },
  });
  const registry = new MetricsRegistry({ clock });
  disposables.push(instrument(bus, registry, { clock }));
  const value = (series: string): number | undefined => {
    const line = registry
      .exposition()
      .split('\n')
      .find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { clock, bus, registry, value };
};
const orderIn = (state: OrderState, intentId = 'a'): OrderView => ({
  intent: { intentId, symbol: 'BTC/USD', side: 'buy', type: 'limit', qty: '1', price: '1' },
  clientOrderId: 'c',
  venueOrderIds: [],
  state,
  filledQty: '0',
  fills: [],
  attempts: 2,
});

describe('instrument', () => {
  it('follows orders through their states, and times acknowledgement and life', async () => {
    const { clock, bus, value } = givenAnInstrumentedBus();
    const enter = (state: OrderState, from: OrderState, id = 'a') => bus.emit('order.state', { order: orderIn(state, id), from });
    enter('sending', 'prepared');
    enter('sending', 'prepared', 'b');
    expect(value('venuekit_orders_open{state="sending"}')).toBe(2);
    await clock.advance(250);
    enter('working', 'sending');
    expect(value('venuekit_orders_open{state="sending"}')).toBe(1);
    expect(value('venuekit_orders_open{state="working"}')).toBe(1);
    expect(value('venuekit_order_ack_seconds_sum')).toBeCloseTo(0.25, 9);
    await clock.advance(750);
    enter('filled', 'working');
    expect(value('venuekit_orders_open{state="working"}')).toBe(0);
    expect(value('venuekit_orders_finished_total{state="filled",side="buy"}')).toBe(1);
    expect(value('venuekit_order_life_seconds_sum{state="filled"}')).toBeCloseTo(1, 9);
    expect(value('venuekit_order_ack_seconds_count')).toBe(1);
  });

  it('counts venue calls by outcome, and of those the failures, retries and hedges', () => {
    const { bus, value } = givenAnInstrumentedBus();
    const call = (outcome: VenueKitEvents['venue.call']['outcome'], attempt = 1, hedge = false) =>
      bus.emit('venue.call', { venue: 'v', operation: 'place', attempt, ms: 100, outcome, hedge });
    call('accepted');
    // There from the first call on, so that the first failure is seen as a rise.
    expect(value('venuekit_venue_call_failures_total{venue="v",operation="place"}')).toBe(0);
    for (const failure of ['not_sent', 'refused', 'unknown', 'failed'] as const) call(failure, 2);
    call('rejected');
    call('duplicate', 1, true);
    expect(value('venuekit_venue_call_failures_total{venue="v",operation="place"}')).toBe(4);
    expect(value('venuekit_venue_retries_total{venue="v",operation="place"}')).toBe(4);
    expect(value('venuekit_venue_hedges_total{venue="v",operation="place"}')).toBe(1);
    expect(value('venuekit_venue_calls_total{venue="v",operation="place",outcome="rejected"}')).toBe(1);
    expect(value('venuekit_venue_call_seconds_sum{venue="v",operation="place"}')).toBeCloseTo(0.7, 9);
  });

  it('shows which process leads an account', () => {
    const { bus, value } = givenAnInstrumentedBus();
    const states = () => ['standby', 'leader', 'lost'].map((state) => value(`venuekit_leader_state{account="main",state="${state}"}`));
    bus.emit('leader.state', { account: 'main', state: 'standby', epoch: 0 });
    expect(states()).toEqual([1, 0, 0]);
    bus.emit('leader.state', { account: 'main', state: 'leader', epoch: 2 });
    expect(states()).toEqual([0, 1, 0]);
    bus.emit('leader.state', { account: 'main', state: 'lost', epoch: 2 });
    expect(states()).toEqual([0, 0, 1]);
    expect(value('venuekit_leader_transitions_total{account="main",state="leader"}')).toBe(1);
  });

  it('shows what protects: limits, breakers, halts, streams', () => {
    const { bus, value } = givenAnInstrumentedBus();
    bus.emit('limit.observed', { limit: 'weight', used: 100, remaining: 1100, resetAt: 60_000, blockedUntil: 90_000 });
    bus.emit('breaker.state', { scope: 'v:place', state: 'open' });
    bus.emit('halt', { mode: 'reduce_only', reason: 'test' });
    bus.emit('stream.state', { venue: 'v', state: 'gap' });
    bus.emit('stream.recovered', { venue: 'v', channel: 'trades', symbol: 'S', rows: 3, isWhole: false });
    bus.emit('stream.state', { venue: 'v', state: 'live' });
    expect(value('venuekit_limit_remaining_units{limit="weight"}')).toBe(1100);
    expect(value('venuekit_limit_blocked_until_timestamp_seconds{limit="weight"}')).toBe(90);
    expect(value('venuekit_limit_blocks_total{limit="weight"}')).toBe(1);
    expect(value('venuekit_breaker_state{scope="v:place"}')).toBe(2);
    expect([value('venuekit_halt_mode{mode="active"}'), value('venuekit_halt_mode{mode="reduce_only"}')]).toEqual([0, 1]);
    expect(value('venuekit_stream_recovered_rows_total{venue="v",channel="trades",complete="false"}')).toBe(3);
    expect([value('venuekit_stream_state{venue="v",state="gap"}'), value('venuekit_stream_state{venue="v",state="live"}')]).toEqual([0, 1]);
  });

  it('shows pools, the fetcher and the cache', () => {
    const { bus, value } = givenAnInstrumentedBus();
    bus.emit('pool.state', { pool: 'p', max: 4, size: 3, inUse: 2, waiting: 5 });
    bus.emit('pool.acquired', { pool: 'p', waitedMs: 20, reused: true });
    bus.emit('fetch.state', { running: 3, queued: 7, concurrency: 12 });
    bus.emit('fetch.task', { group: 'g', waitMs: 5, runMs: 50, ok: false });
    bus.emit('cache.read', { kind: 'quote', key: 'k', outcome: 'hit', level: 'memory', ageMs: 100 });
    bus.emit('cache.load', { kind: 'quote', keys: 8, ms: 40, ok: true });
    expect(value('venuekit_pool_utilisation_ratio{pool="p"}')).toBe(0.5);
    expect(value('venuekit_pool_idle{pool="p"}')).toBe(1);
    expect(value('venuekit_pool_acquired_total{pool="p",reused="true"}')).toBe(1);
    expect(value('venuekit_fetch_utilisation_ratio')).toBe(0.25);
    expect(value('venuekit_fetch_tasks_total{group="g",ok="false"}')).toBe(1);
    expect(value('venuekit_cache_reads_total{kind="quote",outcome="hit",level="memory"}')).toBe(1);
    expect(value('venuekit_cache_reads_total{kind="quote",outcome="miss",level="none"}')).toBe(0);
    expect(value('venuekit_cache_load_keys_total{kind="quote"}')).toBe(8);
  });

  it('shows how old a feed is at the moment of looking', async () => {
    const { clock, bus, value } = givenAnInstrumentedBus();
    bus.emit('feed.update', { feed: 'quotes', symbol: 'BTC/USD', at: clock.now() });
    await clock.advance(4_500);
    expect(value('venuekit_feed_age_seconds{feed="quotes",symbol="BTC/USD"}')).toBe(4.5);
  });

  it('shows how far apart the updates of a feed usually are, whatever one outage says', async () => {
    const { clock, bus, value } = givenAnInstrumentedBus();
    const interval = () => value('venuekit_feed_interval_seconds{feed="quotes",symbol="BTC/USD"}');
    const update = async (afterMs: number) => {
      await clock.advance(afterMs);
      bus.emit('feed.update', { feed: 'quotes', symbol: 'BTC/USD', at: clock.now() });
    };
    await update(0);
    // There with the first update, so that a comparison with it finds a value.
    expect(interval()).toBe(0);
    await update(400);
    expect(interval()).toBe(0.4);
    for (let i = 0; i < 6; i++) await update(500);
    await update(60_000);
    expect(interval()).toBe(0.5);
    // A feed that has become slower is known as such once most of the kept gaps say so.
    for (let i = 0; i < 8; i++) await update(2_000);
    expect(interval()).toBe(2);
    // A clock set back is no gap.
    bus.emit('feed.update', { feed: 'quotes', symbol: 'BTC/USD', at: clock.now() - 3_600_000 });
    expect(interval()).toBe(2);
  });

  it('takes the long gap for the interval where readers make several short ones between', async () => {
    const { clock, bus, value } = givenAnInstrumentedBus();
    for (let i = 0; i < 40; i++) {
      await clock.advance(i % 3 === 0 ? 14_000 : 200);
      bus.emit('feed.update', { feed: 'bars', symbol: 'BTC/USD', at: clock.now() });
    }
    expect(value('venuekit_feed_interval_seconds{feed="bars",symbol="BTC/USD"}')).toBe(14);
  });

  it('holds as many feeds and operations as it may, and lets the rest share a series', () => {
    const { bus, value } = givenAnInstrumentedBus();
    for (let i = 0; i < 1_200; i++) bus.emit('feed.update', { feed: 'quotes', symbol: `S${i}`, at: 1_000 });
    expect(value('venuekit_feed_updates_total{overflow="true"}')).toBe(200);
    for (let i = 0; i < 1_200; i++) bus.emit('venue.call', { venue: 'v', operation: `o${i}`, attempt: 1, ms: 1, outcome: 'failed', hedge: false });
    expect(value('venuekit_venue_call_failures_total{overflow="true"}')).toBe(200);
  });

  it('counts what was handed to notifiers and what did not arrive, and actions by outcome', () => {
    const { bus, value } = givenAnInstrumentedBus();
    const notified = (ok: boolean, attempts: number) =>
      bus.emit('alert.notification', { notifier: 'slack', status: 'firing', alerts: 3, attempts, ms: 120, ok });
    notified(true, 1);
    expect(value('venuekit_alert_notifications_total{notifier="slack",status="firing",ok="false"}')).toBe(0);
    notified(false, 4);
    expect(value('venuekit_alert_notifications_total{notifier="slack",status="firing",ok="false"}')).toBe(1);
    expect(value('venuekit_alert_notification_retries_total{notifier="slack"}')).toBe(3);
    expect(value('venuekit_alert_notification_seconds_sum{notifier="slack"}')).toBeCloseTo(0.24, 9);
    const alert: AlertInstance = { fingerprint: 'f', rule: 'r', severity: 'info', labels: {}, state: 'firing', value: 1, suppressedBy: [] };
    bus.emit('alert.action', { alert, action: 'trip-breaker', mode: 'dry_run', ok: true });
    expect(value('venuekit_alert_actions_total{action="trip-breaker",mode="dry_run",ok="false"}')).toBe(0);
  });

  it('counts functions that hold their slot though their caller was answered', () => {
    const { bus, value } = givenAnInstrumentedBus();
    bus.emit('fetch.task', { group: 'g', waitMs: 5, runMs: 50, ok: true });
    expect(value('venuekit_fetch_stuck_total{group="g"}')).toBe(0);
    bus.emit('fetch.stuck', { group: 'g', heldMs: 60_000 });
    expect(value('venuekit_fetch_stuck_total{group="g"}')).toBe(1);
  });

  it('counts alerts that are raised, each once however often it changes', () => {
    const { bus, value } = givenAnInstrumentedBus();
    const change = (state: AlertInstance['state']) =>
      bus.emit('alert', {
        alert: { fingerprint: 'f', rule: 'r', severity: 'critical', labels: {}, state, value: 1, suppressedBy: [] },
        from: 'pending',
      });
    change('firing');
    change('recovering');
    change('firing');
    expect(value('venuekit_alerts_raised{severity="critical"}')).toBe(1);
    change('inactive');
    expect(value('venuekit_alerts_raised{severity="critical"}')).toBe(0);
    expect(value('venuekit_alert_transitions_total{rule="r",state="firing"}')).toBe(2);
  });

  it('shows this process: memory, event loop, processor time, handles', () => {
    const { value, registry } = givenAnInstrumentedBus();
    expect(value('venuekit_process_memory_bytes{kind="resident"}')).toBeGreaterThan(1e6);
    expect(value('venuekit_process_event_loop_delay_seconds{stat="p99"}')).toBeGreaterThanOrEqual(0);
    expect(value('venuekit_process_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0);
    expect(registry.exposition()).toMatch(/venuekit_process_handles\{type="/);
  });

  it('listens to nothing once it is disposed', () => {
    const { bus, registry, value } = givenAnInstrumentedBus();
    disposables.splice(0)[0]![Symbol.dispose]();
    bus.emit('order.external', { order: {} as never });
    expect(value('venuekit_order_external_total')).toBe(0);
    expect(bus.has('venue.call')).toBe(false);
    // Once more on the same registry: the same metrics.
    disposables.push(instrument(bus, registry));
    bus.emit('order.external', { order: {} as never });
    expect(value('venuekit_order_external_total')).toBe(1);
  });
});

describe('docs/reference/metrics.md', () => {
  it('is what the code says', () => {
    expect(readFileSync('docs/reference/metrics.md', 'utf8')).toBe(metricsReference());
  });
});

describe('mergeInto', () => {
  it('shows our metrics, present and future, in the page of a prom-client registry, until it is disposed', async () => {
    const prom = new PromRegistry();
    new PromCounter({ name: 'theirs_total', help: 'Theirs.', registers: [prom] }).inc(5);
    const registry = new MetricsRegistry({ defaultLabels: { bot: 'x' } });
    registry
      .counter({ name: 'ours_total', help: 'Ours.', labels: ['path'] })
      .with({ path: 'a"b\n' })
      .inc(2);
    const merged = registry.mergeInto(prom);
    registry.histogram({ name: 'wait_seconds', help: 'Waits.' }).observe(1);
    registry.histogram({ name: 'load_seconds', help: 'Loads.', buckets: [1, 5] }).observe(2);
    const page = await prom.metrics();
    expect(page).toContain('theirs_total 5');
    expect(page).toContain('ours_total{bot="x",path="a\\"b\\n"} 2');
    expect(page).toContain('# TYPE wait_seconds summary');
    expect(page).toContain('wait_seconds{bot="x",quantile="0.5"} 1');
    expect(page).toContain('load_seconds_bucket{bot="x",le="5"} 1');
    expect(page).toContain('load_seconds_count{bot="x"} 1');
    merged[Symbol.dispose]();
    expect(await prom.metrics()).not.toContain('ours_total');
  });

  it('refuses a registry that has a metric of the same name, and leaves it as it was', async () => {
    const prom = new PromRegistry();
    new PromCounter({ name: 'b_total', help: 'Theirs.', registers: [prom] });
    const registry = new MetricsRegistry();
    registry.counter({ name: 'a_total', help: 'x' });
    registry.counter({ name: 'b_total', help: 'x' });
    expect(() => registry.mergeInto(prom)).toThrow(/already has a metric b_total/);
    expect(prom.getSingleMetric('a_total')).toBeUndefined();
    expect(() => registry.mergeInto({})).toThrow(/promRegistry must be an object with a method registerMetric/);
  });
});

describe('publishDiagnostics', () => {
  it('publishes each event on a channel of its name, until it is disposed', () => {
    const bus = new EventBus();
    const seen: unknown[] = [];
    const listener = (message: unknown) => void seen.push(message);
    subscribe('venuekit:budget.exhausted', listener);
    const published = publishDiagnostics(bus);
    bus.emit('budget.exhausted', { scope: 'v' });
    published[Symbol.dispose]();
    bus.emit('budget.exhausted', { scope: 'w' });
    unsubscribe('venuekit:budget.exhausted', listener);
    expect(seen).toEqual([{ scope: 'v' }]);
    expect(bus.has('budget.exhausted')).toBe(false);
  });
});
