import type { VenueOrder } from '../../contracts/broker.js';
import type { OrderIntent } from '../../contracts/orders.js';
import type { Random } from '../../core/random.js';
import { AccountBooks } from './account-books.js';
import type { Agenda } from './agenda.js';
import { type Answer, done, refuse } from './answers.js';
import type { Desk } from './desk.js';
import { Ledger } from './ledger.js';
import { type FillRecord, OrderRecord, type OrderTerms, type OrderVersion } from './order-record.js';
import { checkTerms } from './order-terms.js';
import { fromUnits } from './units.js';
import type { VenueClock } from './venue-clock.js';
import type { VenueLog } from './venue-log.js';

/** What the engine is built of and how it behaves; see the options of `SimulatedVenue`. */
export interface EngineParts {
  readonly clock: VenueClock;
  readonly agenda: Agenda;
  readonly log: VenueLog;
  readonly random: Random;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly opening: bigint | Readonly<Record<string, string>>;
  readonly clientIds: { readonly maxLength: number; readonly pattern: RegExp; readonly unique: 'forever' | 'open_orders' | 'none' };
  readonly partialFills: boolean;
  /** Parts per million of the asset received. */
  readonly makerFeePpm: bigint;
  readonly takerFeePpm: bigint;
  readonly cancelLosesToFill: number;
  readonly lateFill: number;
  readonly archiveAfterMs: number;
  readonly onArchive: (order: OrderRecord) => void;
}

/** What an order is named by: either id will do. */
export interface OrderName {
  readonly clientOrderId?: string;
  readonly venueOrderId?: string;
}

/** An order that may be taken in: its money is set aside. */
interface CheckedOrder {
  readonly terms: OrderTerms;
  readonly heldPerUnit: bigint;
  readonly executesAt: number;
}

export interface EngineListener {
  order(version: OrderVersion): void;
  fill(fill: FillRecord): void;
}

const SOON_MS = 1_000;
const DAY_MS = 86_400_000;

/** The matching engine: synchronous, alone with its clock, its random numbers and its agenda. */
export class OrderEngine {
  readonly accounts: Map<string, AccountBooks> = new Map();
  readonly listeners: Set<EngineListener> = new Set();
  readonly #parts: EngineParts;
  #lastOrderId = 0;
  #lastTradeId = 0;
  #archivedUntil: number;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#archivedUntil = parts.agenda.now;
  }

  account(name: string): AccountBooks {
    const known = this.accounts.get(name);
    if (known !== undefined) return known;
    const remembers = this.#parts.clientIds.unique === 'forever';
    const books = new AccountBooks(name, new Ledger(this.#parts.opening), remembers);
    this.accounts.set(name, books);
    return books;
  }

  /** Brings the venue up to the present. */
  catchUp(): void {
    this.#parts.agenda.catchUp();
    this.#archive();
  }

  place(accountName: string, intent: OrderIntent, clientOrderId: string, isExternal = false): Answer<OrderRecord> {
    this.catchUp();
    const account = this.account(accountName);
    const checked = this.#check(account, intent, clientOrderId);
    if (!checked.ok) {
      this.#log('order.refused', { account: accountName, clientOrderId, reason: checked.reason });
      return checked;
    }
    return done(this.#accept(account, intent, clientOrderId, checked.value, isExternal));
  }

  /**
   * Puts a new order in the place of an open one at once, or leaves that as it is.
   * @param replaced - hears the new order's number before anybody hears of the change.
   */
  replace(accountName: string, name: OrderName, intent: OrderIntent, clientOrderId: string, replaced: (newId: number) => void): Answer<OrderRecord> {
    this.catchUp();
    const old = this.find(accountName, name);
    if (old === undefined || !old.isLive) return refuse('unknown_order', 'Unknown order sent.');
    const account = this.account(accountName);
    // What the old one sets aside is there for the new one.
    const held = old.heldPerUnit * BigInt(old.qty - old.filled);
    account.ledger.release(heldAsset(old), held);
    const checked = this.#check(account, intent, clientOrderId);
    if (!checked.ok) {
      account.ledger.hold(heldAsset(old), held);
      return checked;
    }
    old.heldPerUnit = 0n;
    replaced(this.#lastOrderId + 1);
    this.#end(old, 'canceled');
    return done(this.#accept(account, intent, clientOrderId, checked.value, false));
  }

  #accept(
    account: AccountBooks,
    intent: OrderIntent,
    clientOrderId: string,
    { terms, heldPerUnit, executesAt }: CheckedOrder,
    isExternal: boolean,
  ): OrderRecord {
    const order = new OrderRecord(++this.#lastOrderId, clientOrderId, account, terms, this.#parts.clock.venueNow(this.#now), isExternal);
    order.heldPerUnit = heldPerUnit;
    this.#log('order.accepted', {
      id: order.id,
      account: account.name,
      clientOrderId,
      symbol: terms.symbol.name,
      side: terms.side,
      type: terms.type,
      qty: intent.qty,
      ...(terms.price > 0 && { price: intent.price }),
      ...(isExternal && { external: true }),
    });
    account.add(order);
    account.open.add(order);
    if (terms.timeInForce === 'day') this.#planExpiry(order);
    if (terms.stopPrice > 0) this.#rest(order, 'waiting');
    else this.#execute(order, executesAt);
    return order;
  }

  /** Cancels; an order that is not open can't be told from one that never was. */
  cancel(accountName: string, name: OrderName): Answer<OrderRecord> {
    this.catchUp();
    const order = this.find(accountName, name);
    if (order === undefined || !order.isLive) return refuse('unknown_order', 'Unknown order sent.');
    const { random, cancelLosesToFill, lateFill, agenda } = this.#parts;
    if (cancelLosesToFill > 0 && order.phase === 'resting' && random() < cancelLosesToFill) {
      this.#fill(order, order.qty - order.filled, order.price, true);
      this.#publish(order);
      return refuse('unknown_order', 'Unknown order sent.');
    }
    const fillsLater = lateFill > 0 && order.phase === 'resting' && random() < lateFill;
    this.#end(order, 'canceled');
    if (fillsLater) agenda.plan(this.#now + 1 + Math.floor(random() * SOON_MS), () => this.fill(order));
    return done(order);
  }

  /** The live order of that name, else the newest. */
  find(accountName: string, name: OrderName): OrderRecord | undefined {
    const account = this.account(accountName);
    if (name.venueOrderId !== undefined) return account.byId.get(Number(name.venueOrderId));
    let newest: OrderRecord | undefined;
    for (const order of account.withClientId(name.clientOrderId ?? '')) {
      if (order.isLive) return order;
      newest ??= order;
    }
    return newest;
  }

  /**
   * Fills a resting order now, wholly or in part, at its price; one that was cancelled too: a late
   * fill. False where it can't be: it is neither, or the money has gone elsewhere since.
   */
  fill(order: OrderRecord, qty: number = order.qty - order.filled): boolean {
    this.catchUp();
    const quantity = Math.min(qty, order.qty - order.filled);
    const isLate = !order.isLive && order.latest.state === 'canceled';
    if (quantity <= 0 || (order.phase !== 'resting' && !isLate)) return false;
    const price = order.price || this.#marketPrice(order);
    if (isLate) {
      order.heldPerUnit = this.#heldPerUnit(order, price);
      if (!order.account.ledger.hold(heldAsset(order), order.heldPerUnit * BigInt(quantity))) return false;
    }
    this.#fill(order, quantity, price, true);
    this.#publish(order);
    return true;
  }

  /** Takes an accepted order back. */
  rejectLater(order: OrderRecord, afterMs: number): void {
    this.#parts.agenda.plan(this.#now + afterMs, () => {
      if (order.isLive) this.#end(order, 'rejected');
    });
  }

  /** After a desk's market has changed its course. */
  look(desk: Desk): void {
    desk.nextLookAt = Infinity;
    this.#planLook(desk, desk.nextReach(this.#now));
  }

  get #now(): number {
    return this.#parts.agenda.now;
  }

  #check(account: AccountBooks, intent: OrderIntent, clientOrderId: string): Answer<CheckedOrder> {
    const { desks, clientIds } = this.#parts;
    const desk = desks.get(intent.symbol);
    if (desk === undefined) return refuse('unknown_symbol', `Invalid symbol: ${String(intent.symbol)}`);
    if (clientOrderId.length > clientIds.maxLength || !clientIds.pattern.test(clientOrderId))
      return refuse('bad_client_id', `clientOrderId must match ${clientIds.pattern} and have at most ${clientIds.maxLength} characters`);
    const market = intent.side === 'buy' ? desk.market.askUnits(this.#now) : desk.market.bidUnits(this.#now);
    const checked = checkTerms(intent, desk.market.symbol, market);
    if (!checked.ok) return checked;
    const { unique } = clientIds;
    if (unique === 'forever' ? account.hasUsed(clientOrderId) : unique === 'open_orders' && account.hasOpen(clientOrderId))
      return refuse('duplicate_client_id', 'Duplicate order sent.');
    const terms = checked.value;
    const heldPerUnit = this.#heldPerUnit(terms, terms.price || terms.stopPrice || market);
    if (!account.ledger.hold(heldAsset(terms), heldPerUnit * BigInt(terms.qty)))
      return refuse('insufficient_funds', 'Account has insufficient balance for requested action.');
    return done({ terms, heldPerUnit, executesAt: market });
  }

  // A taker's part first; what is left rests, goes on filling at the price that was met, or expires.
  #execute(order: OrderRecord, market: number): void {
    const isMarketable = order.price === 0 || (order.side === 'buy' ? market <= order.price : market >= order.price);
    if (!isMarketable) {
      if (order.timeInForce === 'ioc' || order.timeInForce === 'fok') this.#end(order, 'expired');
      else this.#rest(order, 'resting');
      return;
    }
    this.#fill(order, order.timeInForce === 'fok' ? order.qty : this.#portion(order), market, false);
    if (order.filled === order.qty) this.#publish(order);
    else if (order.timeInForce === 'ioc') this.#end(order, 'expired');
    else if (order.price > 0) this.#rest(order, 'resting', this.#soon());
    else this.#keepFilling(order, market);
  }

  #keepFilling(order: OrderRecord, price: number): void {
    order.phase = 'filling';
    this.#publish(order);
    this.#parts.agenda.plan(this.#soon(), () => {
      if (order.phase !== 'filling') return;
      this.#fill(order, this.#portion(order), price, false);
      if (order.filled === order.qty) this.#publish(order);
      else this.#keepFilling(order, price);
    });
  }

  #rest(order: OrderRecord, phase: 'resting' | 'waiting', lookAt = this.#now): void {
    order.phase = phase;
    const desk = this.#desk(order);
    desk.add(order);
    this.#publish(order);
    this.#planLook(desk, Math.max(lookAt, desk.nextReach(this.#now)));
  }

  #planLook(desk: Desk, at: number): void {
    if (at >= desk.nextLookAt) return;
    desk.nextLookAt = at;
    this.#parts.agenda.plan(at, () => {
      if (desk.nextLookAt !== at) return;
      desk.nextLookAt = Infinity;
      this.#lookNow(desk);
    });
  }

  #lookNow(desk: Desk): void {
    const now = this.#now;
    for (let order = desk.triggered(now); order !== undefined; order = desk.triggered(now)) this.#trigger(desk, order);
    for (let order = desk.reached(now); order !== undefined; order = desk.reached(now)) {
      this.#fill(order, this.#portion(order), order.price, true);
      this.#publish(order);
      if (order.isLive) {
        this.#planLook(desk, this.#soon());
        return;
      }
    }
    this.#planLook(desk, desk.nextReach(now + 1));
  }

  #trigger(desk: Desk, order: OrderRecord): void {
    desk.noteEnded(order, true);
    const { ledger } = order.account;
    const market = this.#marketPrice(order);
    ledger.release(heldAsset(order), order.heldPerUnit * BigInt(order.qty));
    order.heldPerUnit = this.#heldPerUnit(order, order.price || market);
    this.#log('order.triggered', { id: order.id });
    order.phase = 'filling';
    if (ledger.hold(heldAsset(order), order.heldPerUnit * BigInt(order.qty))) {
      this.#execute(order, market);
      return;
    }
    order.heldPerUnit = 0n;
    this.#end(order, 'expired');
  }

  #fill(order: OrderRecord, qty: number, price: number, isMaker: boolean): void {
    const { symbol, account, side } = order;
    const { makerFeePpm, takerFeePpm, clock } = this.#parts;
    const quantity = BigInt(qty);
    const traded = BigInt(price) * quantity;
    const paid = side === 'buy' ? traded * symbol.notionalFactor : quantity * symbol.baseFactor;
    const received = side === 'buy' ? quantity * symbol.baseFactor : traded * symbol.notionalFactor;
    const fee = (received * (isMaker ? makerFeePpm : takerFeePpm)) / 1_000_000n;
    const held = order.heldPerUnit * quantity;
    const heldIn = heldAsset(order);
    const feeAsset = side === 'buy' ? symbol.base : symbol.quote;
    account.ledger.spendHeld(heldIn, held);
    account.ledger.receive(heldIn, held - paid);
    account.ledger.receive(feeAsset, received - fee);
    order.filled += qty;
    order.traded += traded;
    const now = this.#now;
    const fill: FillRecord = { tradeId: ++this.#lastTradeId, order, qty, price, fee, feeAsset, at: now, venueTime: clock.venueNow(now), isMaker };
    order.fills.push(fill);
    account.fills.push(fill);
    this.#log('order.fill', {
      id: order.id,
      tradeId: fill.tradeId,
      qty: fromUnits(qty, symbol.qtyPlaces),
      price: fromUnits(price, symbol.pricePlaces),
    });
    for (const listener of this.listeners) listener.fill(fill);
    if (order.filled === order.qty) this.#leave(order);
  }

  #end(order: OrderRecord, state: 'canceled' | 'expired' | 'rejected'): void {
    order.account.ledger.release(heldAsset(order), order.heldPerUnit * BigInt(order.qty - order.filled));
    this.#leave(order);
    this.#log(`order.${state}`, { id: order.id });
    this.#publish(order, state);
  }

  #leave(order: OrderRecord): void {
    const { phase } = order;
    order.phase = 'ended';
    order.account.open.delete(order);
    if (phase === 'resting' || phase === 'waiting') this.#desk(order).noteEnded(order, phase === 'waiting');
  }

  #publish(order: OrderRecord, ended?: 'canceled' | 'expired' | 'rejected'): void {
    const now = this.#now;
    const { filled, traded, versions } = order;
    const version: OrderVersion = {
      order,
      at: now,
      venueTime: this.#parts.clock.venueNow(now),
      state: stateOf(order, ended),
      filled,
      traded,
      view: undefined,
    };
    if (versions.length > 0 && order.latest.at === now) versions[versions.length - 1] = version;
    else versions.push(version);
    order.account.changes.push(version);
    for (const listener of this.listeners) listener.order(version);
  }

  #portion(order: OrderRecord): number {
    const open = order.qty - order.filled;
    if (!this.#parts.partialFills) return open;
    const steps = open / order.symbol.qtyStepUnits;
    const { random } = this.#parts;
    if (steps < 2 || random() < 0.4) return open;
    return Math.max(1, Math.floor(steps * random())) * order.symbol.qtyStepUnits;
  }

  #soon(): number {
    return this.#now + 1 + Math.floor(this.#parts.random() * SOON_MS);
  }

  #heldPerUnit(terms: Pick<OrderTerms, 'side' | 'symbol'>, price: number): bigint {
    return terms.side === 'buy' ? BigInt(price) * terms.symbol.notionalFactor : terms.symbol.baseFactor;
  }

  #marketPrice(order: OrderRecord): number {
    const { market } = this.#desk(order);
    return order.side === 'buy' ? market.askUnits(this.#now) : market.bidUnits(this.#now);
  }

  #desk(order: OrderRecord): Desk {
    return this.#parts.desks.get(order.symbol.name) as Desk;
  }

  #planExpiry(order: OrderRecord): void {
    this.#parts.agenda.plan((Math.floor(this.#now / DAY_MS) + 1) * DAY_MS, () => {
      if (order.isLive) this.#end(order, 'expired');
    });
  }

  #archive(): void {
    const { archiveAfterMs, onArchive } = this.#parts;
    const before = this.#now - archiveAfterMs;
    if (before < this.#archivedUntil + archiveAfterMs / 4) return;
    this.#archivedUntil = before;
    for (const account of this.accounts.values()) account.archiveBefore(before, onArchive);
  }

  #log(type: string, body: object): void {
    this.#parts.log.append(this.#now, type, body);
  }
}

/** The asset that an order sets aside: what it pays with. */
function heldAsset(order: Pick<OrderTerms, 'side' | 'symbol'>): string {
  return order.side === 'buy' ? order.symbol.quote : order.symbol.base;
}

function stateOf(order: OrderRecord, ended: 'canceled' | 'expired' | 'rejected' | undefined): VenueOrder['state'] {
  if (order.filled === order.qty) return 'filled';
  if (ended !== undefined) return ended;
  if (!order.isLive) return order.versions.length > 0 ? order.latest.state : 'canceled';
  return order.filled > 0 ? 'partially_filled' : 'working';
}
