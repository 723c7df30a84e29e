import type { Attempt, BrokerAdapter, Limit, LimitObservation, VenueOrder } from '../../src/contracts/broker.js';
import type { JournalRecord } from '../../src/contracts/journal.js';
import type { OrderIntent, OrderView } from '../../src/contracts/orders.js';
import type { Clock } from '../../src/core/clock.js';
import { add, compare } from '../../src/core/decimal.js';
import type { SimulatedVenue } from '../../src/testing/simulated-venue.js';
import type { Entry, EntryBodies } from '../../src/trading/order-entry.js';
import { filledQty, type OrderModel, stateOf } from '../../src/trading/order-model.js';
import { replay } from '../../src/trading/order-reducer.js';
import { isTerminal } from '../../src/trading/order-states.js';

/** What a run came to, counted as docs/concepts/order-safety.md counts. */
export interface Count {
  orders: number;
  duplicates: number;
  orphans: number;
  lost: number;
  escalated: number;
  /** Escalated because they were to be stopped (cancel, validUntil, halt) while nothing was provable. */
  escalatedWhenStopped: number;
  abandoned: number;
  transientErrors: number;
  deadlineErrors: number;
  /** What the venue itself doubled, and how many of those the client reported. */
  venueDoubled: number;
  venueDoubledSeen: number;
  kills: number;
  resubmissions: number;
}

export function emptyCount(): Count {
  return {
    orders: 0,
    duplicates: 0,
    orphans: 0,
    lost: 0,
    escalated: 0,
    escalatedWhenStopped: 0,
    abandoned: 0,
    transientErrors: 0,
    deadlineErrors: 0,
    venueDoubled: 0,
    venueDoubledSeen: 0,
    kills: 0,
    resubmissions: 0,
  };
}

/** Watches a run from outside and says which invariant broke. Names as in the specification, I1 to I16. */
export class Judge {
  readonly violations: string[] = [];
  readonly count: Count = emptyCount();
  readonly doubled = new Set<string>();
  readonly conflicts = new Set<string>();
  newestEpoch = 0;
  readonly #clock: Clock;
  readonly #adapter: BrokerAdapter;
  readonly #records = new Map<string, Entry[]>();
  readonly #epochs = new Map<string, number>();
  readonly #sent: { readonly at: number; readonly limit: string; readonly units: number }[] = [];
  readonly #filled = new Map<string, string>();
  readonly #halts = new Map<string, { readonly number: number; readonly mode: string }>();
  #retries = 0;
  #placements = 0;
  readonly #blocks = new Map<string, number>();
  readonly #levels = new Map<string, { readonly level: number; readonly at: number }>();

  constructor(clock: Clock, adapter: BrokerAdapter) {
    this.#clock = clock;
    this.#adapter = adapter;
  }

  /** Until when the venue lets nothing through, monotonic ms: nothing can settle before. */
  get blockedUntil(): number {
    return Math.max(-Infinity, ...this.#blocks.values());
  }

  get intents(): readonly string[] {
    return [...this.#records.keys()].filter((id) => !id.startsWith('@') && this.#records.get(id)?.[0]?.type === 'prepared');
  }

  violated(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${what} (at ${this.#clock.monotonic().toFixed(0)} ms)`);
  }

  durable(records: readonly Omit<JournalRecord, 'sequence'>[]): void {
    for (const record of records) {
      const entry = { type: record.type, at: record.at, body: record.body } as Entry;
      const known = this.#records.get(record.intentId);
      if (known === undefined) this.#records.set(record.intentId, [entry]);
      else known.push(entry);
      this.#epochs.set(record.intentId, record.epoch);
      if (entry.type === 'absent' && entry.body.misses > 0) this.#checkProof(record.intentId, entry.body);
      if (entry.type !== 'halt') continue;
      const key = entry.body.symbol ?? '*';
      if ((this.#halts.get(key)?.number ?? 0) < entry.body.number) this.#halts.set(key, entry.body);
    }
  }

  /** The durable records of an intent, in short. */
  story(intentId: string): string {
    const short = (entry: Entry): string => ('attempt' in entry.body ? `${entry.type}(${entry.body.attempt})` : entry.type);
    return (this.#records.get(intentId) ?? []).map(short).join(' ');
  }

  model(intentId: string): OrderModel | undefined {
    return replay(this.#records.get(intentId) ?? []);
  }

  /** The client is about to send: everything that must be true before. */
  place(intent: OrderIntent, clientOrderId: string, attempt: Attempt, epoch: number): void {
    const intentId = intent.intentId as string;
    const model = this.model(intentId);
    const sending = model?.attempts.find(({ number }) => number === attempt.number);
    if (sending === undefined || sending.venueNow !== attempt.venueNow || model?.clientOrderId !== clientOrderId)
      this.violated(`I5: attempt ${attempt.number} of ${intentId} was sent without its durable record`);
    const isLasting = this.#adapter.capabilities.clientId.unique === 'forever';
    const earlier = model?.attempts.filter(({ number }) => number < attempt.number) ?? [];
    if (!isLasting && earlier.some(({ outcome }) => outcome !== 'absent'))
      this.violated(`I6: ${intentId} was sent again without proof: ${this.story(intentId)}`);
    if (intent.validUntil !== undefined && this.#clock.now() > intent.validUntil) this.violated(`I8: ${intentId} was sent after its validUntil`);
    if (epoch !== this.newestEpoch) this.violated(`I10: epoch ${epoch} sent ${intentId}, the newest is ${this.newestEpoch}`);
    if (this.#halts.get('*')?.mode === 'halted' || this.#halts.get(intent.symbol)?.mode === 'halted')
      this.violated(`I7: ${intentId} was sent while halted`);
    this.#placements++;
    if (attempt.number > 1) this.count.resubmissions++;
    const previous = this.#records.get(intentId)?.findLast((entry) => entry.type === 'unsent');
    if (attempt.number > 1 && previous?.type === 'unsent' && previous.body.attempt === attempt.number - 1 && previous.body.why !== 'local') {
      this.#retries++;
      const allowed = 0.2 * this.#placements + this.#clock.monotonic() / 1000 + 10 * this.count.kills + 10;
      if (this.#retries > allowed) this.violated(`I12: ${this.#retries} retries, ${allowed.toFixed(0)} allowed`);
    }
  }

  /** Units that go out now. */
  call(operation: string): void {
    const now = this.#clock.monotonic();
    for (const { limit, units } of this.#adapter.cost(operation)) {
      if (units === 0) continue;
      this.#sent.push({ at: now, limit, units });
      const rule = this.#adapter.limits.find(({ id }) => id === limit);
      if (rule?.kind === 'decay') this.#count(rule, units, now);
      else if (rule !== undefined) this.#checkLimit(rule, now);
    }
    for (const { limit, units } of this.#adapter.cost(operation)) {
      const until = this.#blocks.get(limit) ?? -Infinity;
      if (units > 0 && until > now + 1e-6) this.violated(`I4: ${operation} was sent ${(until - now).toFixed(0)} ms before the end of a block`);
    }
    if (this.#sent.length > 20_000) this.#sent.splice(0, 10_000);
  }

  /** What the venue says of a limit: nothing that costs it may go out before the end of a block. */
  observed({ limit, blockedUntil }: LimitObservation): void {
    if (blockedUntil === undefined) return;
    const until = this.#clock.monotonic() + (blockedUntil - this.#clock.now());
    this.#blocks.set(limit, Math.max(this.#blocks.get(limit) ?? -Infinity, until));
  }

  /** A process forgets what it has sent and heard; the venue's refusals tell the next one. */
  newLife(): void {
    this.#blocks.clear();
    this.#sent.length = 0;
    this.#levels.clear();
    // What was only in memory may be gone; it comes back from the venue.
    this.#filled.clear();
  }

  seen(view: OrderView): void {
    const id = view.intent.intentId;
    const before = this.#filled.get(id);
    if (before !== undefined && compare(view.filledQty, before) < 0) this.violated(`I9: filledQty of ${id} fell from ${before} to ${view.filledQty}`);
    this.#filled.set(id, view.filledQty);
  }

  /** After faults have stopped and the client has settled: what is at the venue against what is known. */
  final(venue: SimulatedVenue, external: ReadonlySet<string>): void {
    const byClientId = new Map<string, VenueOrder[]>();
    for (const order of venue.orders('main')) {
      if (external.has(order.venueOrderId)) continue;
      const list = byClientId.get(order.clientOrderId as string) ?? [];
      list.push(order);
      byClientId.set(order.clientOrderId as string, list);
    }
    const fills = new Map<string, Map<string, string>>();
    for (const { venueOrderId, fill } of venue.fills('main')) {
      const known = fills.get(venueOrderId) ?? new Map<string, string>();
      known.set(fill.tradeId, fill.qty);
      fills.set(venueOrderId, known);
    }
    for (const intentId of this.intents) {
      const model = this.model(intentId) as OrderModel;
      this.#checkIntent(
        model,
        model.clientOrderIds.flatMap((id) => byClientId.get(id) ?? []),
        fills,
      );
      for (const id of model.clientOrderIds) byClientId.delete(id);
      const twice = replay([...(this.#records.get(intentId) ?? []), ...(this.#records.get(intentId) ?? [])]);
      if (
        twice === undefined ||
        stateOf(twice) !== stateOf(model) ||
        filledQty(twice) !== filledQty(model) ||
        twice.fills.length !== model.fills.length
      )
        this.violated(`I16: replaying ${intentId} twice differs from once`);
    }
    this.#checkLinks(this.intents.map((id) => this.model(id) as OrderModel));
    for (const [id, orders] of byClientId) {
      this.count.orphans += orders.length;
      this.violated(`I2: ${orders.length} orders at the venue by id ${id}, of which the journal knows nothing`);
    }
  }

  // Absence counts as proved only past the fence of every attempt that may have landed, the lag and the margin.
  #checkProof(intentId: string, proof: EntryBodies['absent']): void {
    const { fence, visibilityLagMs } = this.#adapter.capabilities;
    const attempts = this.model(intentId)?.attempts.filter(({ number }) => number <= proof.upTo) ?? [];
    const lastSent = Math.max(...attempts.map(({ venueNow }) => venueNow));
    const provable = fence === undefined ? Infinity : lastSent + fence.defaultMs + visibilityLagMs + 1_000;
    const isSent = this.#records.get(intentId)?.some((entry) => entry.type === 'unsent' && entry.body.attempt === proof.upTo) !== true;
    if (isSent && proof.venueTime <= provable)
      this.violated(`I3: absence of ${intentId} was taken as proved ${provable - proof.venueTime} ms too early`);
    if (proof.misses < 2) this.violated(`I3: absence of ${intentId} was taken as proved after ${proof.misses} miss`);
  }

  #checkIntent(model: OrderModel, atVenue: readonly VenueOrder[], fills: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
    const id = model.intent.intentId;
    const state = stateOf(model);
    this.count.orders++;
    const made = atVenue.filter((order) => order.state !== 'rejected' || compare(order.filledQty, '0') > 0);
    if (made.length > 1) {
      if (this.doubled.has(model.clientOrderId)) {
        this.count.venueDoubled++;
        if (this.conflicts.has(id)) this.count.venueDoubledSeen++;
        else this.violated(`the venue doubled ${id} and nobody said so`);
      } else {
        this.count.duplicates += made.length - 1;
        this.violated(`I1: ${made.length} orders at the venue for ${id}`);
      }
    }
    if (state === 'escalated') {
      this.count.escalated++;
      if (/cancel|valid|halt|reduce-only/i.test(model.escalated ?? '')) this.count.escalatedWhenStopped++;
      return;
    }
    if (state === 'abandoned') this.count.abandoned++;
    const isWorking = state === 'working' || state === 'partially_filled';
    if (!isTerminal(state) && !isWorking) {
      this.count.lost++;
      this.violated(`lost: ${id} is ${state} although faults have stopped: ${this.story(id)}`);
      return;
    }
    // An order that fills in part and is then thrown out is rejected there and here.
    const contrary = state === 'abandoned' ? made.length : state === 'rejected' ? made.filter((order) => order.state !== 'rejected').length : 0;
    if (contrary > 0) {
      this.count.orphans += contrary;
      this.violated(`I3: ${id} is ${state}, yet the venue has ${contrary} order(s) of it`);
    }
    if ((isWorking || state === 'filled' || state === 'canceled' || state === 'expired') && made.length === 0) {
      this.count.lost++;
      this.violated(`I3: ${id} is ${state}, yet the venue has none`);
    }
    for (const order of atVenue) this.#checkLeg(model, order, fills.get(order.venueOrderId));
  }

  #checkLeg(model: OrderModel, order: VenueOrder, fills: ReadonlyMap<string, string> | undefined): void {
    const id = model.intent.intentId;
    const leg = model.legs.find(({ venueOrderId }) => venueOrderId === order.venueOrderId);
    if (leg === undefined) {
      if (order.state !== 'rejected') this.violated(`I2: venue order ${order.venueOrderId} of ${id} is not in the journal`);
      return;
    }
    const known = model.fills.filter(({ venueOrderId }) => venueOrderId === order.venueOrderId);
    if (new Set(known.map(({ fill }) => fill.tradeId)).size !== known.length) this.violated(`I9: a fill of ${id} is counted twice`);
    if (compare(leg.filled, order.filledQty) !== 0)
      this.violated(`I2: ${id} has filled ${order.filledQty} at the venue, ${leg.filled} by its fills here`);
    for (const { fill } of known) if (fills?.get(fill.tradeId) !== fill.qty) this.violated(`I2: fill ${fill.tradeId} of ${id} is not the venue's`);
    const isOver = isTerminal(order.state);
    if (isOver !== isTerminal(stateOf(model)) && model.legs.length === 1)
      this.violated(`I2: ${id} is ${order.state} at the venue, ${stateOf(model)} here`);
  }

  // One order may be replaced by one other at most, and both together must not be over more than was asked for.
  #checkLinks(models: readonly OrderModel[]): void {
    const byId = new Map(models.map((model) => [model.intent.intentId, model]));
    const heirs = new Map<string, number>();
    for (const heir of models) {
      const { linkedFrom } = heir;
      if (linkedFrom === undefined) continue;
      heirs.set(linkedFrom, (heirs.get(linkedFrom) ?? 0) + 1);
      const first = byId.get(linkedFrom);
      if (first === undefined || (heirs.get(linkedFrom) ?? 0) > 1)
        this.violated(`I1: ${heirs.get(linkedFrom)} remainders of ${linkedFrom} were placed`);
      // A replacement of a replacement has its own quantity; here only prices are replaced.
      else if (heir.attempts.length > 0 && !this.conflicts.has(linkedFrom) && compare(add(filledQty(first), heir.intent.qty), first.intent.qty) > 0)
        this.violated(`I1: ${linkedFrom} filled ${filledQty(first)} of ${first.intent.qty}, and ${heir.intent.qty} more were placed`);
    }
  }

  #checkLimit(rule: Extract<Limit, { kind: 'window' }>, now: number): void {
    let units = 0;
    for (let i = this.#sent.length - 1; i >= 0; i--) {
      const sent = this.#sent[i]!;
      // Virtual time is a float: what is exactly a window ago must not count for a rounding.
      if (sent.at <= now - rule.perMs + 1e-6) break;
      if (sent.limit === rule.id) units += sent.units;
    }
    if (units > rule.units) this.violated(`I4: ${units} units of ${rule.id} within ${rule.perMs} ms, ${rule.units} allowed`);
  }

  // A counter that each unit raises and that falls all the time, never above what the venue bears.
  #count({ id, max, decayPerSecond }: Extract<Limit, { kind: 'decay' }>, units: number, now: number): void {
    const last = this.#levels.get(id) ?? { level: 0, at: now };
    const level = Math.max(0, last.level - ((now - last.at) / 1_000) * decayPerSecond) + units;
    this.#levels.set(id, { level, at: now });
    if (level > max + 1e-6) this.violated(`I4: the counter of ${id} is at ${level.toFixed(1)}, at most ${max} allowed`);
  }
}
