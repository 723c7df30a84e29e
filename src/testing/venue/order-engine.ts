import { AccountBooks } from './account-books.js';
import { type Amendment, amendTerms } from './amendment.js';
import { type Answer, done, refuse } from './answers.js';
import type { Desk } from './desk.js';
import type { EngineListener, EngineParts, OrderName } from './engine-parts.js';
import { Ledger } from './ledger.js';
import { type ListRequest, pairRefusal } from './order-list.js';
import { type FillRecord, OrderList, OrderRecord, type OrderVersion, stateOf } from './order-record.js';
import { type CheckedOrder, checkTerms, heldAsset, heldFor, type OrderRequest, reaches } from './order-terms.js';
import { limitPriceAt, TRAIL_EVERY_MS, TrailingStops } from './trailing-stops.js';
import { fromUnits } from './units.js';

const SOON_MS = 1_000;
const DAY_MS = 86_400_000;

/** The matching engine: synchronous, alone with its clock, its random numbers and its agenda. */
export class OrderEngine {
  readonly accounts: Map<string, AccountBooks> = new Map();
  readonly listeners: Set<EngineListener> = new Set();
  readonly #parts: EngineParts;
  #lastOrderId = 0;
  #lastTradeId = 0;
  #lastListId = 0;
  readonly #trails = new TrailingStops();
  #isTrailPlanned = false;
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

  place(accountName: string, request: OrderRequest, clientOrderId: string, isExternal = false): Answer<OrderRecord> {
    this.catchUp();
    const account = this.account(accountName);
    const taken = this.#take(account, request, clientOrderId);
    if (!taken.ok) {
      this.#log('order.refused', { account: accountName, clientOrderId, reason: taken.reason });
      return taken;
    }
    return done(this.#accept(account, ...taken.value, isExternal));
  }

  /** Places several orders that hang together, or none of them. Those that wait for another set no money aside before it is their turn. */
  placeList(accountName: string, { contingency, clientId, legs }: ListRequest): Answer<OrderList> {
    this.catchUp();
    const account = this.account(accountName);
    const checked: CheckedOrder[] = [];
    for (const { request, clientOrderId } of legs) {
      const leg = this.#check(account, request, clientOrderId);
      if (!leg.ok) return leg;
      checked.push(leg.value);
    }
    if (account.listOf(clientId)?.isDone === false || new Set(legs.map((leg) => leg.clientOrderId)).size < legs.length)
      return refuse('duplicate_client_id', 'Duplicate order sent.');
    const pair = contingency === 'oto' ? [] : checked.slice(-2);
    const unsound = pairRefusal(pair, contingency === 'oco');
    if (unsound !== undefined) return unsound;
    const first = (contingency === 'oco' ? pair.find(({ terms }) => terms.stopPrice === 0 && terms.trail === undefined) : checked[0]) as CheckedOrder;
    const dearest = Math.max(...(contingency === 'oco' ? pair : [first]).map(({ terms }) => terms.price || terms.stopPrice));
    const held = this.#hold(account, first, dearest);
    if (!held.ok) return held;
    const orders = checked.map((leg) => {
      const order = this.#admit(account, leg, leg === first ? held.value : 0n, false);
      order.phase = 'pending';
      return order;
    });
    const list = new OrderList(++this.#lastListId, clientId, contingency, orders, this.#parts.clock.venueNow(this.#now));
    account.lists.set(list.id, list);
    this.#log('list.accepted', { id: list.id, contingency, orders: orders.map(({ id }) => id) });
    for (const listener of this.listeners) listener.list?.(list);
    for (const order of orders) if (contingency !== 'oco' && order !== list.working) this.#publish(order);
    for (const [index, order] of orders.entries())
      if ((contingency === 'oco' || order === list.working) && order.phase === 'pending') this.#begin(order, checked[index]!.executesAt);
    return done(list);
  }

  /**
   * Puts a new order in the place of an open one at once, or leaves that as it is.
   * @param replaced - hears the new order's number before anybody hears of the change.
   */
  replace(
    accountName: string,
    name: OrderName,
    request: OrderRequest,
    clientOrderId: string,
    replaced: (newId: number) => void,
  ): Answer<OrderRecord> {
    this.catchUp();
    const old = this.find(accountName, name);
    if (old === undefined || !old.isLive) return refuse('unknown_order', 'Unknown order sent.');
    const account = this.account(accountName);
    // What the old one sets aside is there for the new one.
    const held = old.heldPerUnit * BigInt(old.qty - old.filled);
    account.ledger.release(heldAsset(old), held);
    const taken = this.#take(account, request, clientOrderId);
    if (!taken.ok) {
      account.ledger.hold(heldAsset(old), held);
      return taken;
    }
    old.heldPerUnit = 0n;
    replaced(this.#lastOrderId + 1);
    this.#end(old, 'canceled');
    return done(this.#accept(account, ...taken.value, false));
  }

  #accept(account: AccountBooks, checked: CheckedOrder, heldPerUnit: bigint, isExternal: boolean): OrderRecord {
    const order = this.#admit(account, checked, heldPerUnit, isExternal);
    this.#begin(order, checked.executesAt);
    return order;
  }

  #admit(account: AccountBooks, { request, clientOrderId, terms }: CheckedOrder, heldPerUnit: bigint, isExternal: boolean): OrderRecord {
    const order = new OrderRecord(++this.#lastOrderId, clientOrderId, account, terms, this.#parts.clock.venueNow(this.#now), isExternal);
    order.heldPerUnit = heldPerUnit;
    this.#log('order.accepted', {
      id: order.id,
      account: account.name,
      clientOrderId,
      symbol: terms.symbol.name,
      side: terms.side,
      type: terms.type,
      qty: order.quoteQty === undefined ? request.qty : fromUnits(order.qty, terms.symbol.qtyPlaces),
      ...(order.quoteQty !== undefined && { quoteQty: order.quoteQty }),
      ...(terms.price > 0 && { price: request.price }),
      ...(isExternal && { external: true }),
    });
    account.add(order);
    account.open.add(order);
    if (terms.timeInForce === 'day') this.#planExpiry(order);
    return order;
  }

  #begin(order: OrderRecord, market: number): void {
    if (order.stopPrice > 0 || order.trail !== undefined) this.#rest(order, 'waiting');
    else this.#execute(order, market);
  }

  /** Changes an open order in its place. */
  amend(order: OrderRecord, change: Amendment): Answer<OrderRecord> {
    this.catchUp();
    const account = this.account(order.account.name);
    const { clientOrderId = order.clientOrderId } = change;
    if (clientOrderId !== order.clientOrderId && account.hasOpen(clientOrderId)) return refuse('duplicate_client_id', 'Duplicate order sent.');
    const amended = amendTerms(order, change);
    if (!amended.ok) return amended;
    account.rename(order, clientOrderId);
    this.#log('order.amended', { id: order.id, ...change });
    this.#publish(order);
    if (change.price === undefined || order.phase !== 'resting') return amended;
    this.#desk(order).reorder(order);
    this.#planLook(this.#desk(order), this.#now);
    return amended;
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
      order.heldPerUnit = heldFor(order, price);
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

  #check(account: AccountBooks, request: OrderRequest, clientOrderId: string): Answer<CheckedOrder> {
    const { desks, clientIds } = this.#parts;
    const desk = desks.get(request.symbol);
    if (desk === undefined) return refuse('unknown_symbol', `Invalid symbol: ${String(request.symbol)}`);
    if (clientOrderId.length > clientIds.maxLength || !clientIds.pattern.test(clientOrderId))
      return refuse('bad_client_id', `clientOrderId must match ${clientIds.pattern} and have at most ${clientIds.maxLength} characters`);
    const market = request.side === 'buy' ? desk.market.askUnits(this.#now) : desk.market.bidUnits(this.#now);
    const checked = checkTerms(request, desk.market.symbol, market);
    if (!checked.ok) return checked;
    const { unique } = clientIds;
    if (unique === 'forever' ? account.hasUsed(clientOrderId) : unique === 'open_orders' && account.hasOpen(clientOrderId))
      return refuse('duplicate_client_id', 'Duplicate order sent.');
    const terms = checked.value;
    if (terms.postOnly && reaches(terms, market)) return refuse('would_match', 'Order would immediately match and take.');
    return done({ request, clientOrderId, terms, executesAt: market });
  }

  #take(account: AccountBooks, request: OrderRequest, clientOrderId: string): Answer<readonly [CheckedOrder, heldPerUnit: bigint]> {
    const checked = this.#check(account, request, clientOrderId);
    if (!checked.ok) return checked;
    const held = this.#hold(account, checked.value);
    return held.ok ? done([checked.value, held.value]) : held;
  }

  /** Sets its money aside. @returns how much for each unit */
  #hold({ ledger }: AccountBooks, { terms, executesAt }: CheckedOrder, price = terms.price || terms.stopPrice || executesAt): Answer<bigint> {
    const heldPerUnit = heldFor(terms, price);
    if (ledger.hold(heldAsset(terms), heldPerUnit * BigInt(terms.qty))) return done(heldPerUnit);
    return refuse('insufficient_funds', 'Account has insufficient balance for requested action.');
  }

  // A taker's part first; what is left rests, goes on filling at the price that was met, or expires.
  #execute(order: OrderRecord, market: number): void {
    if (!reaches(order, market)) {
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
    if (phase === 'waiting' && order.trail !== undefined) {
      this.#trails.add(order, this.#marketPrice(order));
      this.#publish(order);
      this.#planTrails();
      return;
    }
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

  #planTrails(): void {
    if (this.#isTrailPlanned || this.#trails.size === 0) return;
    this.#isTrailPlanned = true;
    this.#parts.agenda.plan((Math.floor(this.#now / TRAIL_EVERY_MS) + 1) * TRAIL_EVERY_MS, () => {
      this.#isTrailPlanned = false;
      for (const order of this.#trails.met((each) => this.#marketPrice(each))) if (order.phase === 'waiting') this.#trigger(this.#desk(order), order);
      this.#planTrails();
    });
  }

  #trigger(desk: Desk, order: OrderRecord): void {
    this.#stopWaiting(desk, order);
    this.#endPartner(order);
    const { ledger } = order.account;
    const market = this.#marketPrice(order);
    ledger.release(heldAsset(order), order.heldPerUnit * BigInt(order.qty));
    order.price ||= limitPriceAt(order, market);
    order.heldPerUnit = heldFor(order, order.price || market);
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
    this.#endPartner(order);
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
    if (order.filled !== order.qty) return;
    this.#leave(order);
    const { list } = order;
    // The answer to a list still shows the others waiting, however soon the first has filled.
    if (list?.working === order) this.#parts.agenda.plan(now + 1, () => this.#beginPending(list));
  }

  /** Of a pair one ends the other as soon as it starts. */
  #endPartner(order: OrderRecord): void {
    const pair = order.list?.pair;
    if (pair?.includes(order) === true) for (const other of pair) if (other !== order && other.isLive) this.#endAlone(other, 'expired');
  }

  /** It is the turn of the orders that have waited for another one. */
  #beginPending(list: OrderList): void {
    const orders = list.orders.filter(({ phase }) => phase === 'pending');
    const [first] = orders.length > 1 ? orders.filter(({ stopPrice, trail }) => stopPrice === 0 && trail === undefined) : orders;
    if (first === undefined) return;
    const market = this.#marketPrice(first);
    first.heldPerUnit = heldFor(first, Math.max(...orders.map(({ price, stopPrice }) => price || stopPrice)) || market);
    const isRefused = first.postOnly && reaches(first, market);
    if (isRefused || !first.account.ledger.hold(heldAsset(first), first.heldPerUnit * BigInt(first.qty))) {
      first.heldPerUnit = 0n;
      this.#end(first, 'expired');
      return;
    }
    for (const order of orders) if (order.phase === 'pending') this.#begin(order, market);
  }

  /** Ends an order, and those that hang on it. */
  #end(order: OrderRecord, state: 'canceled' | 'expired' | 'rejected'): void {
    this.#endAlone(order, state);
    for (const other of order.list?.orders ?? []) if (other.isLive) this.#endAlone(other, state === 'canceled' ? state : 'expired');
  }

  #endAlone(order: OrderRecord, state: 'canceled' | 'expired' | 'rejected'): void {
    order.account.ledger.release(heldAsset(order), order.heldPerUnit * BigInt(order.qty - order.filled));
    this.#leave(order);
    this.#log(`order.${state}`, { id: order.id });
    this.#publish(order, state);
  }

  #leave(order: OrderRecord): void {
    const { phase, list } = order;
    order.phase = 'ended';
    order.account.open.delete(order);
    if (phase === 'waiting') this.#stopWaiting(this.#desk(order), order);
    else if (phase === 'resting') this.#desk(order).noteEnded(order, false);
    if (list?.isDone === true) for (const listener of this.listeners) listener.list?.(list);
  }

  #stopWaiting(desk: Desk, order: OrderRecord): void {
    if (order.trail === undefined) desk.noteEnded(order, true);
    else this.#trails.delete(order);
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
