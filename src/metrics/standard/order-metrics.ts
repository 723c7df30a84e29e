import type { OrderState } from '../../contracts/orders.js';
import type { Instrumentation } from '../instrumentation.js';

const OPEN: readonly OrderState[] = [
  'prepared',
  'sending',
  'unknown',
  'escalated',
  'working',
  'partially_filled',
  'pending_cancel',
  'pending_replace',
];
const FINAL: readonly OrderState[] = ['filled', 'canceled', 'expired', 'rejected', 'abandoned'];
const AT_THE_VENUE: readonly OrderState[] = ['working', 'partially_filled', 'filled', 'canceled', 'expired', 'rejected'];

/** An order that has not ended. */
interface Tracked {
  state: OrderState;
  readonly since: number;
  acked: boolean;
}

/** Orders: how many, where they stand, how long they take, and every one whose outcome was in doubt. */
export function orderMetrics({ metrics, clock, on }: Instrumentation): void {
  const transitions = metrics.counter({
    name: 'venuekit_order_transitions_total',
    help: 'Changes of state, by the state entered.',
    labels: ['state'],
  });
  const open = metrics.gauge({ name: 'venuekit_orders_open', help: 'Orders that have not ended, by state.', labels: ['state'] });
  const finished = metrics.counter({ name: 'venuekit_orders_finished_total', help: 'Orders that ended, by how.', labels: ['state', 'side'] });
  const fills = metrics.counter({ name: 'venuekit_order_fills_total', help: 'Fills, by symbol and side.', labels: ['symbol', 'side'] });
  const attempts = metrics.histogram({ name: 'venuekit_order_attempts', help: 'Sends that an order needed until it ended.' });
  const ack = metrics.histogram({
    name: 'venuekit_order_ack_seconds',
    help: 'From the first state of an order to the first that the venue knows of.',
    unit: 'seconds',
  });
  const life = metrics.histogram({
    name: 'venuekit_order_life_seconds',
    help: 'From the first state of an order to its end.',
    unit: 'seconds',
    labels: ['state'],
  });
  for (const state of [...OPEN, ...FINAL]) transitions.with({ state });
  for (const state of OPEN) open.with({ state });
  for (const state of FINAL) {
    life.with({ state });
    for (const side of ['buy', 'sell']) finished.with({ state, side });
  }

  const tracked = new Map<string, Tracked>();
  on('order.state', ({ order }) => {
    const { state, intent } = order;
    const now = clock.monotonic();
    transitions.with({ state }).inc();
    let known = tracked.get(intent.intentId);
    if (known === undefined) tracked.set(intent.intentId, (known = { state, since: now, acked: false }));
    else open.with({ state: known.state }).add(-1);
    known.state = state;
    if (!known.acked && AT_THE_VENUE.includes(state)) {
      known.acked = true;
      ack.observe((now - known.since) / 1000);
    }
    if (!FINAL.includes(state)) return open.with({ state }).add(1);
    tracked.delete(intent.intentId);
    finished.with({ state, side: intent.side }).inc();
    attempts.observe(order.attempts);
    life.with({ state }).observe((now - known.since) / 1000);
  });
  on('order.fill', ({ order }) => fills.with({ symbol: order.intent.symbol, side: order.intent.side }).inc());
  doubts({ metrics, on });
}

function doubts({ metrics, on }: Pick<Instrumentation, 'metrics' | 'on'>): void {
  const unknown = metrics.counter({
    name: 'venuekit_order_unknown_total',
    help: 'Sends whose outcome could not be told: the order may be at the venue or not.',
  });
  const resolved = metrics.counter({
    name: 'venuekit_order_resolved_total',
    help: 'Unknown outcomes that were proved, by the proof.',
    labels: ['by'],
  });
  const seconds = metrics.histogram({
    name: 'venuekit_order_resolve_seconds',
    help: 'From the unknown outcome to its proof.',
    unit: 'seconds',
    labels: ['by'],
  });
  const escalated = metrics.counter({ name: 'venuekit_order_escalated_total', help: 'Orders handed to a person, because nothing could be proved.' });
  const external = metrics.counter({ name: 'venuekit_order_external_total', help: 'Orders seen at the venue that this journal did not place.' });
  const conflicts = metrics.counter({ name: 'venuekit_order_conflicts_total', help: 'Intents found with more than one live order at the venue.' });
  for (const by of ['stream', 'find', 'scan', 'absence_proof']) {
    resolved.with({ by });
    seconds.with({ by });
  }
  on('order.unknown', () => unknown.inc());
  on('order.resolved', ({ by, tookMs }) => {
    resolved.with({ by }).inc();
    seconds.with({ by }).observe(tookMs / 1000);
  });
  on('order.escalated', () => escalated.inc());
  on('order.external', () => external.inc());
  on('order.conflict', () => conflicts.inc());
}
