import { createVenueKit, ManualClock, seededRandom } from 'venuekit';
import { standardRules } from 'venuekit/alerts';
import { SimulatedVenue, simulatedBroker } from 'venuekit/testing';

/**
 * A venue that begins to fail, an alert that notices, and a breaker that the alert trips; then both
 * recover by themselves. Ten minutes of virtual time, in seconds:
 *
 *     npx tsx examples/alert-trips-breaker.ts
 */
const clock = new ManualClock();
const venue = new SimulatedVenue({ clock, seed: 7, symbols: { 'BTC/USD': { price: 7_000 } }, balances: { USD: '10000000', BTC: '1000' } });
const broker = simulatedBroker(venue);

// The standard rule, allowed to act: by default it only says what it would do.
const rules = standardRules().map((rule) =>
  rule.id === 'error-rate' && rule.severity === 'critical'
    ? { ...rule, actions: [{ do: 'trip_breaker', with: { operations: 'place', forMs: 20_000 }, mode: 'auto' as const }] }
    : rule,
);
// The client's own breaker would open first; here it is set to trust the venue longer than the alert does.
const policy = { breaker: { failureRate: 1, minCalls: 10_000, openMs: 5_000 } };
const kit = await createVenueKit({ broker, clock, random: seededRandom(7), policy, rules: rules.filter(({ id }) => id === 'error-rate') });

const started = clock.now();
const say = (what: string): void => console.log(`${String(Math.round((clock.now() - started) / 1_000)).padStart(4)} s  ${what}`);
kit.bus.on('alert', ({ alert, from }) =>
  say(`alert ${alert.rule} (${alert.severity}): ${from} → ${alert.state}, ${(alert.value * 100).toFixed(0)} % of ${alert.labels.operation} fail`),
);
kit.bus.on('alert.action', ({ action, mode, ok }) => say(`action ${action} (${mode}): ${ok ? 'done' : 'failed'}`));
kit.bus.on('breaker.state', ({ scope, state }) => say(`breaker of ${scope}: ${state}`));

const starting = kit.start();
await clock.advance(1_000);
await starting;

/** Places an order a second, and lets the second pass. */
let placed = 0;
async function trade(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    const intent = {
      intentId: `order-${++placed}`,
      symbol: 'BTC/USD',
      side: placed % 2 === 0 ? 'sell' : 'buy',
      type: 'market',
      qty: '0.01',
    } as const;
    kit.trading?.submit(intent, { deadlineMs: 10_000 }).catch(() => {});
    await clock.advance(1_000);
  }
}

await trade(60);
say('the venue begins to answer 503');
const failing = venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 503, probability: 0.7 });
await trade(75);
failing[Symbol.dispose]();
say('the venue works again');
await trade(240);

const open = kit.alerts.instances().filter(({ state }) => state !== 'inactive');
const { place } = kit.trading?.guards() ?? {};
say(`${open.length} alerts are open, and the breaker of placements is ${place?.breaker}`);
const closing = kit.close();
await clock.advance(60_000);
await closing;
