import type { Bus } from '../contracts/events.js';
import type { JournalRecord, OrderJournal } from '../contracts/journal.js';
import { SETTLED, type SettledBody } from '../contracts/journal-records.js';
import type { OrderState } from '../contracts/orders.js';
import type { Clock } from '../core/clock.js';
import { FifoMap } from '../core/fifo-map.js';
import type { JournalWriter } from './journal-writer.js';
import { LiveOrder } from './live-order.js';
import { type Entry, type EntryBodies, entry } from './order-entry.js';
import { hasAllFills, liveLegs, type OrderModel } from './order-model.js';
import { reduce, replay } from './order-reducer.js';
import { isTerminal } from './order-states.js';

/** How many settled orders stay in memory whole, for `orders()` and handles that look back. */
const RETAINED = 1_000;
/** How many more are remembered by id alone, so that listings that still show them cost no look-up. */
const REMEMBERED = 20_000;

/** What is left in memory of an order that was settled long ago. */
export interface Ghost {
  readonly intentId: string;
  readonly state: OrderState;
  readonly filledQty: string;
  readonly venueOrderIds: readonly string[];
}

/**
 * The orders in memory, and the one place where one changes: every entry goes through {@link record},
 * which journals it, indexes it and tells who listens.
 */
export class OrderTable {
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #writer: JournalWriter;
  readonly #byIntent = new Map<string, LiveOrder>();
  readonly #byClientId = new Map<string, LiveOrder>();
  readonly #byVenueId = new Map<string, LiveOrder>();
  // Some venues count their orders by symbol: Binance. Only fills may come without one.
  readonly #bySymbolAndVenueId = new Map<string, LiveOrder>();
  readonly #ghosts = new FifoMap<string, Ghost>();
  readonly #retired = new FifoMap<LiveOrder, true>();
  /** Orders whose outcome is unknown or escalated. */
  readonly unknown: Set<LiveOrder> = new Set();
  /** Orders that the venue has and that can still fill. */
  readonly working: Set<LiveOrder> = new Set();
  /** Orders that are over but whose fills don't yet add up. */
  readonly incomplete: Set<LiveOrder> = new Set();

  constructor(parts: { readonly clock: Clock; readonly bus: Bus; readonly writer: JournalWriter }) {
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#writer = parts.writer;
  }

  get size(): number {
    return this.#byIntent.size;
  }

  get(intentId: string): LiveOrder | undefined {
    return this.#byIntent.get(intentId);
  }

  byClientId(id: string): LiveOrder | undefined {
    return this.#byClientId.get(id);
  }

  byVenueId(id: string, symbol?: string): LiveOrder | undefined {
    return symbol === undefined ? this.#byVenueId.get(id) : this.#bySymbolAndVenueId.get(`${symbol} ${id}`);
  }

  ghost(id: string): Ghost | undefined {
    return this.#ghosts.get(id);
  }

  values(): IterableIterator<LiveOrder> {
    return this.#byIntent.values();
  }

  /** Takes in an order that is not in memory yet. */
  add(model: OrderModel): LiveOrder {
    const order = new LiveOrder(model);
    this.#byIntent.set(order.id, order);
    this.#index(order);
    return order;
  }

  /** Lets the journal find an order by an id that it was sent under and that is not the intent's. */
  noteAlias(clientOrderId: string, intentId: string): void {
    this.#writer.note(clientOrderId, entry('settled', this.#clock.now(), { aliasOf: intentId }));
  }

  /** Forgets an order that never became durable. */
  drop(order: LiveOrder): void {
    this.#byIntent.delete(order.id);
    for (const id of order.model.clientOrderIds) this.#byClientId.delete(id);
    for (const { venueOrderId } of order.model.legs) {
      this.#bySymbolAndVenueId.delete(`${order.model.intent.symbol} ${venueOrderId}`);
      if (this.#byVenueId.get(venueOrderId) === order) this.#byVenueId.delete(venueOrderId);
    }
    for (const set of [this.unknown, this.working, this.incomplete, this.#retired]) set.delete(order);
  }

  /** Takes an order back from the journal; undefined where the journal has none by that id for this account. */
  async load(journal: OrderJournal, id: string, account: string): Promise<LiveOrder | undefined> {
    const own = (await journal.byIntent(id)).filter((record) => record.account === account);
    const alias = own.at(-1)?.body as SettledBody | undefined;
    if (own.at(-1)?.type === SETTLED && alias !== undefined && 'aliasOf' in alias)
      return this.#byIntent.get(alias.aliasOf) ?? this.load(journal, alias.aliasOf, account);
    const known = this.#byIntent.get(id);
    if (known !== undefined) return known;
    return this.restore(own);
  }

  /** The order that these records tell of, in memory. */
  restore(records: readonly JournalRecord[]): LiveOrder | undefined {
    const model = replay(records as readonly unknown[] as readonly Entry[]);
    if (model === undefined) return undefined;
    // Two live orders of one intent would be two senders.
    const known = this.#byIntent.get(model.intent.intentId);
    if (known !== undefined) return known;
    const order = this.add(model);
    order.isSettled = records.at(-1)?.type === SETTLED;
    if (order.isSettled) this.#retire(order);
    return order;
  }

  /**
   * Applies an entry. @returns whether it said anything new.
   * @param isDurable - it has been appended already; otherwise it is noted.
   */
  record<K extends keyof EntryBodies>(order: LiveOrder, type: K, body: EntryBodies[K], isDurable = false): boolean {
    return this.apply(order, entry(type, this.#clock.now(), body), isDurable);
  }

  apply(order: LiveOrder, made: Entry, isDurable = false): boolean {
    const from = order.state;
    const next = reduce(order.model, made);
    if (next === order.model) return false;
    if (order.isSettled) this.#revive(order);
    order.model = next;
    if (!isDurable) this.#writer.note(order.id, made);
    this.#index(order);
    if (made.type === 'fill' && this.#bus.has('order.fill')) this.#bus.emit('order.fill', { order: order.view, fill: made.body.fill });
    if (order.state !== from && this.#bus.has('order.state')) this.#bus.emit('order.state', { order: order.view, from });
    this.settleIfOver(order);
    order.changed();
    return true;
  }

  /** Writes the record that ends an order, once nothing is missing from it. */
  settleIfOver(order: LiveOrder, evenWithoutFills = false): void {
    const { model } = order;
    if (order.isSettled || !isTerminal(order.state) || model.replacing !== undefined) return;
    if (!evenWithoutFills && !hasAllFills(model)) return;
    order.isSettled = true;
    this.incomplete.delete(order);
    this.#writer.note(order.id, entry('settled', this.#clock.now(), { state: order.state, payloadHash: model.payloadHash, view: order.view }));
    this.#retire(order);
  }

  #index(order: LiveOrder): void {
    const { model, state } = order;
    for (const id of model.clientOrderIds) this.#byClientId.set(id, order);
    for (const { venueOrderId } of model.legs) {
      this.#byVenueId.set(venueOrderId, order);
      this.#bySymbolAndVenueId.set(`${model.intent.symbol} ${venueOrderId}`, order);
    }
    toggle(this.unknown, order, state === 'unknown' || state === 'escalated');
    toggle(this.working, order, model.final === undefined && liveLegs(model).length > 0);
    toggle(this.incomplete, order, isTerminal(state) && !hasAllFills(model) && !order.isSettled);
  }

  #retire(order: LiveOrder): void {
    this.#retired.set(order, true);
    while (this.#retired.size > RETAINED) this.#bury((this.#retired.shift() as readonly [LiveOrder, true])[0]);
  }

  #bury(order: LiveOrder): void {
    const { view, model } = order;
    const ghost: Ghost = { intentId: order.id, state: view.state, filledQty: view.filledQty, venueOrderIds: view.venueOrderIds };
    for (const id of model.clientOrderIds) this.#ghosts.set(id, ghost);
    this.drop(order);
    while (this.#ghosts.size > REMEMBERED) this.#ghosts.shift();
  }

  #revive(order: LiveOrder): void {
    order.isSettled = false;
    this.#retired.delete(order);
  }
}

function toggle<T>(set: Set<T>, item: T, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}
