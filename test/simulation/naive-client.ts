import type { BrokerAdapter, Verdict } from '../../src/contracts/broker.js';
import type { OrderIntent } from '../../src/contracts/orders.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { seededRandom } from '../../src/core/random.js';
import { simulatedBroker } from '../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../src/testing/simulated-venue.js';
import { faultsAt } from './hostility.js';
import { PROFILES, type ProfileName } from './profiles.js';

/** What came of the retry loop that bots write. */
export interface NaiveCount {
  readonly orders: number;
  /** Orders at the venue beyond the first of their intent. */
  readonly duplicates: number;
  /** Orders at the venue that the bot believes to have failed. */
  readonly orphans: number;
}

const TRIES = 4;
const RETRY_MS = 1_500;
const TIMEOUT_MS = 10_000;

/**
 * The same venue with the same faults, and a client that does what bots do: on any failure wait and
 * send again, a few times, then call it failed. It shows that the venue really is hostile.
 */
export async function runNaive(options: {
  readonly seed: number;
  readonly orders: number;
  readonly profile: ProfileName;
  readonly faults: number;
}): Promise<NaiveCount> {
  const clock = new ManualClock();
  const random = seededRandom(options.seed);
  const venue = new SimulatedVenue({ clock, seed: options.seed, latency: { p50Ms: 15, p99Ms: 120 }, log: 'hash', ...PROFILES[options.profile] });
  for (const fault of faultsAt(options.faults, options.profile === 'fence')) venue.fault(fault);
  const broker = simulatedBroker(venue);
  const believedFailed = new Set<string>();
  let pending = 0;
  for (let number = 1; number <= options.orders; number++) {
    const intentId = `n${number}`;
    const intent: OrderIntent = { intentId, symbol: 'BTC/USDT', side: random() < 0.5 ? 'buy' : 'sell', type: 'market', qty: '0.01' };
    pending++;
    void place(broker, clock, intent, intentId).then((isPlaced) => {
      pending--;
      if (!isPlaced) believedFailed.add(intentId);
    });
    await clock.advance(random() * 250);
  }
  while (pending > 0) await clock.advance(1_000);
  await clock.advance(60_000);
  const perIntent = new Map<string, number>();
  for (const order of venue.orders()) {
    if (order.state === 'rejected') continue;
    const id = order.clientOrderId as string;
    perIntent.set(id, (perIntent.get(id) ?? 0) + 1);
  }
  let duplicates = 0;
  let orphans = 0;
  for (const [id, count] of perIntent) {
    duplicates += count - 1;
    if (believedFailed.has(id)) orphans++;
  }
  return { orders: options.orders, duplicates, orphans };
}

async function place(broker: BrokerAdapter, clock: ManualClock, intent: OrderIntent, clientOrderId: string): Promise<boolean> {
  for (let number = 1; number <= TRIES; number++) {
    const verdict = await once(broker, clock, intent, clientOrderId, number);
    if (verdict === 'accepted') return true;
    if (verdict === 'rejected' || verdict === 'duplicate') return false;
    await clock.sleep(RETRY_MS);
  }
  return false;
}

async function once(broker: BrokerAdapter, clock: ManualClock, intent: OrderIntent, clientOrderId: string, number: number): Promise<Verdict['kind']> {
  const over = new AbortController();
  const timer = clock.schedule(TIMEOUT_MS, () => over.abort(new Error('timeout')));
  const { fence } = broker.capabilities;
  try {
    const attempt = { signal: over.signal, number, venueNow: clock.now(), ...(fence === undefined ? undefined : { fenceMs: fence.defaultMs }) };
    return (await broker.place(intent, clientOrderId, attempt)).kind;
  } catch {
    return 'unknown';
  } finally {
    timer[Symbol.dispose]();
  }
}
