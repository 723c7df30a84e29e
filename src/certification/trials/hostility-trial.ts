import type { VenueOrder } from '../../contracts/broker.js';
import type { OrderHandle, OrderIntent, OrderView } from '../../contracts/orders.js';
import { add, compare } from '../../core/decimal.js';
import { seededRandom } from '../../core/random.js';
import type { Fault, SimulatedVenueOptions } from '../../testing/index.js';
import type { ResilientTradingClient } from '../../trading/index.js';
import { TRIAL_SYMBOLS, Trial, type TrialGround } from './trial.js';

/** Three kinds of venue, by what they guarantee; what the host's own is like is one of them. */
const VENUES = {
  'ids unique among open orders, and a fence': {
    fence: { maxMs: 60_000, defaultMs: 2_000 },
    clientIdUniqueness: 'open_orders',
    visibilityLagMs: 1_000,
  },
  'ids unique for good, no fence': { fence: false, clientIdUniqueness: 'forever', visibilityLagMs: 1_000 },
  neither: { fence: false, clientIdUniqueness: 'open_orders', visibilityLagMs: 1_000 },
} as const satisfies Record<string, SimulatedVenueOptions>;

/** What was found on all venues together. */
export interface HostilityResult {
  /** Orders that the bot wanted, and those of them that the kit took. */
  readonly wanted: number;
  readonly intents: number;
  readonly struck: number;
  readonly duplicates: number;
  readonly orphans: number;
  readonly lost: number;
  readonly wronglyFilled: number;
  /** On the venue that gives no proof only; elsewhere they count as lost. */
  readonly escalated: number;
  /** Placements beyond the first of an intent, over all intents. */
  readonly repeats: number;
  /** Placements whose record was not durable when they were sent. */
  readonly unjournalled: number;
  readonly placements: number;
  /** Ids of what is wrong. */
  readonly findings: readonly string[];
}

const INTENTS = 120;
const FAULTS: readonly Fault[] = [
  { operation: 'place', when: 'before', kind: 'drop', ms: 20_000, probability: 0.03 },
  { operation: 'place', when: 'after', kind: 'drop', ms: 20_000, probability: 0.04 },
  { operation: 'place', when: 'after', kind: 'reset', probability: 0.05 },
  { operation: 'place', when: 'after', kind: 'status', status: 503, probability: 0.04 },
  { operation: 'place', when: 'before', kind: 'delay', ms: 1_700, probability: 0.02 },
  { operation: 'place', when: 'before', kind: 'status', status: 429, ms: 500, probability: 0.01 },
  { operation: 'cancel', when: 'after', kind: 'reset', probability: 0.1 },
  { operation: 'cancel', when: 'before', kind: 'status', status: 503, probability: 0.2 },
  { operation: 'find', when: 'after', kind: 'html', probability: 0.1 },
  { operation: 'find', when: 'before', kind: 'stale_read', probability: 0.2 },
  { operation: 'history', when: 'after', kind: 'half_body', probability: 0.1 },
  { operation: 'events', when: 'before', kind: 'stream_gap', probability: 0.03 },
  { operation: 'events', when: 'before', kind: 'stream_duplicate', probability: 0.05 },
  { operation: 'events', when: 'before', kind: 'stream_reorder', probability: 0.05 },
  { operation: 'events', when: 'before', kind: 'stream_drop', probability: 0.01 },
];
const SETTLE_MS = 180_000;
const OPEN: readonly string[] = ['working', 'partially_filled'];
const IN_DOUBT = ['prepared', 'sending', 'unknown', 'pending_cancel', 'pending_replace'] as const;

/** Orders against venues of three kinds that lose, delay and garble requests, answers and events; then the books compared. */
export async function runHostility(ground: TrialGround): Promise<HostilityResult> {
  const total = {
    wanted: 0,
    intents: 0,
    struck: 0,
    duplicates: 0,
    orphans: 0,
    lost: 0,
    wronglyFilled: 0,
    escalated: 0,
    repeats: 0,
    unjournalled: 0,
    placements: 0,
  };
  const findings: string[] = [];
  for (const [name, venue] of Object.entries(VENUES)) {
    await using trial = await Trial.start(ground, { venue });
    const handles = await trade(trial, ground.seed);
    await settleAll(trial);
    const audit = auditOf(trial, handles, name === 'neither');
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += audit[key];
    findings.push(...audit.findings.map((finding) => `${finding} (${name})`));
  }
  return { ...total, findings };
}

type Handles = ReadonlyMap<string, OrderHandle>;

async function trade(trial: Trial, seed: number): Promise<Handles> {
  const faults = FAULTS.map((fault) => trial.venue.fault(fault));
  const random = seededRandom(seed * 7 + 3);
  const handles = new Map<string, OrderHandle>();
  const trading = trial.kit.trading as ResilientTradingClient;
  for (let number = 0; number < INTENTS; number++) {
    const intent = intentOf(`safety-${number}`, random);
    trading.place(intent, { deadlineMs: 60_000 }).then(
      (handle) => handles.set(intent.intentId, handle),
      () => {},
    );
    if (random() < 0.6) {
      const live = trading.orders({ state: ['working', 'partially_filled'] });
      const one = live[Math.floor(random() * live.length)];
      if (one !== undefined) trading.cancel(one.intent.intentId, { deadlineMs: 60_000 }).catch(() => {});
    }
    // An operator who lets go on what stopped for want of proof: a symbol, or all of it where the policy says so.
    if (number % 10 === 0)
      for (const where of [{}, ...TRIAL_SYMBOLS.map((symbol) => ({ symbol }))]) trading.halt('active', 'the trial goes on', where).catch(() => {});
    await trial.advance(random() * 400);
  }
  for (const fault of faults) fault[Symbol.dispose]();
  return handles;
}

async function settleAll(trial: Trial): Promise<void> {
  const trading = trial.kit.trading as ResilientTradingClient;
  for (let waited = 0; waited < SETTLE_MS && trading.orders({ state: IN_DOUBT }).length > 0; waited += 1_000) await trial.advance(1_000);
  // Late fills come within a second; what a reader sees may be a second old.
  await trial.advance(5_000);
  await trial.settle(trading.reconcile({ deadlineMs: 60_000 }).catch(() => {}));
  await trial.advance(5_000);
}

function auditOf({ venue, witness }: Trial, handles: Handles, mayEscalate: boolean): HostilityResult {
  const findings: string[] = [];
  const counts = { duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0, escalated: 0 };
  const note = (kind: keyof typeof counts, what: string): void => {
    counts[kind]++;
    if (kind !== 'escalated' && findings.length < 10) findings.push(`${kind}: ${what}`);
  };
  const byClientId = new Map<string, VenueOrder[]>();
  for (const order of venue.orders()) {
    const id = order.clientOrderId ?? '';
    byClientId.set(id, [...(byClientId.get(id) ?? []), order]);
  }
  for (const [intentId, { view }] of handles) {
    const orders = byClientId.get(view.clientOrderId) ?? [];
    byClientId.delete(view.clientOrderId);
    auditOne(intentId, view, orders, mayEscalate, note);
  }
  for (const [id, orders] of byClientId) for (const order of orders) note('orphans', `${order.venueOrderId} (${id}) is unknown here`);
  const placements = witness.requests.filter(({ operation }) => operation === 'place');
  const repeats = placements.length - new Set(placements.map(({ intentId }) => intentId)).size;
  return {
    ...counts,
    findings,
    wanted: INTENTS,
    intents: handles.size,
    struck: venue.log().filter(({ type }) => type === 'fault').length,
    repeats,
    placements: placements.length,
    unjournalled: placements.filter(({ isJournalled }) => isJournalled === false).length,
  };
}

function auditOne(
  intentId: string,
  view: OrderView,
  orders: readonly VenueOrder[],
  mayEscalate: boolean,
  note: (kind: 'duplicates' | 'orphans' | 'lost' | 'wronglyFilled' | 'escalated', what: string) => void,
): void {
  const made = orders.filter(({ state, filledQty }) => state !== 'rejected' || compare(filledQty, '0') > 0);
  for (const extra of made.slice(1)) note('duplicates', `${intentId} has order ${extra.venueOrderId}, too`);
  const { state } = view;
  if (state === 'escalated') note(mayEscalate ? 'escalated' : 'lost', `${intentId} is escalated: ${view.reason ?? ''}`);
  else if ((IN_DOUBT as readonly string[]).includes(state)) note('lost', `${intentId} is still ${state}`);
  else if (state === 'abandoned' || state === 'rejected')
    for (const order of made) note('orphans', `${order.venueOrderId} although ${intentId} is ${state}`);
  else if (made.length === 0) note('lost', `${intentId} is ${state}, and the venue has no such order`);
  else {
    const filled = made.reduce((sum, order) => add(sum, order.filledQty), '0');
    if (compare(filled, view.filledQty) !== 0) note('wronglyFilled', `${intentId} has filled ${filled}, ${view.filledQty} here`);
    const isOpenThere = made.some((order) => OPEN.includes(order.state));
    if (isOpenThere && !OPEN.includes(state)) note('orphans', `${made[0]!.venueOrderId} is open, although ${intentId} is ${state}`);
    else if (!isOpenThere && OPEN.includes(state)) note('lost', `${intentId} is ${state}, and ${made[0]!.venueOrderId} is ${made[0]!.state}`);
  }
}

function intentOf(intentId: string, random: () => number): OrderIntent & { readonly intentId: string } {
  const symbol = TRIAL_SYMBOLS[Math.floor(random() * TRIAL_SYMBOLS.length)]!;
  const side = random() < 0.5 ? 'buy' : 'sell';
  const qty = (0.01 * (1 + Math.floor(random() * 20))).toFixed(4);
  const isMarket = random() < 0.6;
  if (isMarket) return { intentId, symbol, side, type: 'market', qty };
  const price = { 'BTC/USDT': 60_000, 'ETH/USDT': 3_000, 'SOL/USDT': 150 }[symbol];
  return { intentId, symbol, side, type: 'limit', qty, price: (price * (side === 'buy' ? 0.95 : 1.05)).toFixed(2) };
}
