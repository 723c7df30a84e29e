import type { VenueOrder } from '../../contracts/broker.js';
import type { OrderIntent } from '../../contracts/orders.js';
import { normalize } from '../../core/decimal.js';
import type { Ledger } from './ledger.js';
import type { ListedSymbol } from './listed-symbol.js';
import { fromUnits } from './units.js';

/** Whose order it is, and where that account's history is kept. */
export interface OrderOwner {
  readonly name: string;
  readonly ledger: Ledger;
  readonly open: Set<OrderRecord>;
  readonly fills: { push(fill: FillRecord): void };
  readonly changes: { push(version: OrderVersion): void };
}

/** `resting` in a book, `waiting` for its stop price, `pending` until another order has filled, `filling` piece by piece at a price already fixed. */
export type OrderPhase = 'resting' | 'waiting' | 'pending' | 'filling' | 'ended';

/** How far the stop price stays behind the best price since: a share in hundredths of a per cent, or price units. */
export type Trail = { readonly bips: number } | { readonly units: number };

/** One order cancels the other; one triggers the other; one triggers a pair of which one cancels the other. */
export type Contingency = 'oco' | 'oto' | 'otoco';

/** What is asked for, checked and in units. */
export interface OrderTerms {
  readonly symbol: ListedSymbol;
  readonly side: 'buy' | 'sell';
  readonly type: OrderIntent['type'];
  readonly timeInForce: 'gtc' | 'ioc' | 'fok' | 'day';
  /** Quantity units. */
  readonly qty: number;
  /** The amount of money that it is over, where that was given in place of a quantity. */
  readonly quoteQty: string | undefined;
  /** Price units; 0 where the type has none. */
  readonly price: number;
  readonly stopPrice: number;
  /** Refused where it would fill on arrival. */
  readonly postOnly: boolean;
  readonly trail: Trail | undefined;
  /** How far the limit price stays from the price that triggers a trailing stop; below 0: beneath it. */
  readonly limitOffset: Trail | undefined;
}

/** The order as it was from one moment on. */
export interface OrderVersion {
  readonly order: OrderRecord;
  /** Engine time. */
  readonly at: number;
  readonly venueTime: number;
  readonly state: VenueOrder['state'];
  readonly filled: number;
  /** Σ price units × quantity units of the fills. */
  readonly traded: bigint;
  view: VenueOrder | undefined;
}

export interface FillRecord {
  readonly tradeId: number;
  readonly order: OrderRecord;
  readonly qty: number;
  readonly price: number;
  readonly fee: bigint;
  readonly feeAsset: string;
  readonly at: number;
  readonly venueTime: number;
  readonly isMaker: boolean;
}

/** An order in the venue's engine. */
export class OrderRecord {
  readonly id: number;
  clientOrderId: string;
  readonly account: OrderOwner;
  readonly symbol: ListedSymbol;
  readonly side: 'buy' | 'sell';
  readonly type: OrderIntent['type'];
  readonly timeInForce: OrderTerms['timeInForce'];
  readonly isExternal: boolean;
  readonly createdVenueTime: number;
  readonly stopPrice: number;
  readonly postOnly: boolean;
  readonly trail: Trail | undefined;
  readonly limitOffset: Trail | undefined;
  readonly quoteQty: string | undefined;
  qty: number;
  price: number;
  phase: OrderPhase = 'ended';
  filled = 0;
  traded = 0n;
  /** What is set aside per quantity unit, and of which asset. */
  heldPerUnit = 0n;
  versions: OrderVersion[] = [];
  fills: FillRecord[] = [];
  /** The best price that its trail has seen, price units; 0 while it does not follow yet. */
  extreme = 0;
  list: OrderList | undefined;
  /** The order before it with the same client id. */
  previous: OrderRecord | undefined;

  constructor(id: number, clientOrderId: string, account: OrderOwner, terms: OrderTerms, venueTime: number, isExternal: boolean) {
    this.id = id;
    this.clientOrderId = clientOrderId;
    this.account = account;
    this.symbol = terms.symbol;
    this.side = terms.side;
    this.type = terms.type;
    this.timeInForce = terms.timeInForce;
    this.qty = terms.qty;
    this.price = terms.price;
    this.stopPrice = terms.stopPrice;
    this.postOnly = terms.postOnly;
    this.trail = terms.trail;
    this.limitOffset = terms.limitOffset;
    this.quoteQty = terms.quoteQty === undefined ? undefined : normalize(terms.quoteQty);
    this.createdVenueTime = venueTime;
    this.isExternal = isExternal;
  }

  get isLive(): boolean {
    return this.phase !== 'ended';
  }

  get latest(): OrderVersion {
    return this.versions[this.versions.length - 1]!;
  }

  /** As a replica shows it that has seen everything up to `at` (engine time); undefined before the order was there. */
  asOf(at: number): OrderVersion | undefined {
    for (let i = this.versions.length - 1; i >= 0; i--) if (this.versions[i]!.at <= at) return this.versions[i];
    return undefined;
  }
}

/** Orders that hang together: what becomes of one ends or begins the others. */
export class OrderList {
  readonly id: number;
  readonly clientId: string;
  readonly contingency: Contingency;
  readonly orders: readonly OrderRecord[];
  readonly createdVenueTime: number;

  constructor(id: number, clientId: string, contingency: Contingency, orders: readonly OrderRecord[], venueTime: number) {
    this.id = id;
    this.clientId = clientId;
    this.contingency = contingency;
    this.orders = orders;
    this.createdVenueTime = venueTime;
    for (const order of orders) order.list = this;
  }

  /** The order that the others wait for; undefined where none does. */
  get working(): OrderRecord | undefined {
    return this.contingency === 'oco' ? undefined : this.orders[0];
  }

  /** Those of which one ends the other as soon as it starts. */
  get pair(): readonly OrderRecord[] {
    return this.contingency === 'oco' ? this.orders : this.contingency === 'otoco' ? this.orders.slice(1) : [];
  }

  get isDone(): boolean {
    return this.orders.every((order) => !order.isLive);
  }

  /** As a replica shows it that has seen everything up to `at` (engine time): whether one of its orders is open; undefined before it was there. */
  isOpenAsOf(at: number): boolean | undefined {
    const versions = this.orders.map((order) => order.asOf(at));
    if (versions.some((version) => version === undefined)) return undefined;
    return versions.some((version) => version?.state === 'working' || version?.state === 'partially_filled');
  }
}

/** @param ended - how it has ended, unless it has filled. */
export function stateOf(order: OrderRecord, ended: 'canceled' | 'expired' | 'rejected' | undefined): VenueOrder['state'] {
  if (order.filled === order.qty) return 'filled';
  if (ended !== undefined) return ended;
  if (!order.isLive) return order.versions.length > 0 ? order.latest.state : 'canceled';
  return order.filled > 0 ? 'partially_filled' : 'working';
}

/** What the venue shows of a version. */
export function viewOf(version: OrderVersion): VenueOrder {
  if (version.view !== undefined) return version.view;
  const { order, filled, traded } = version;
  const { symbol } = order;
  const price = order.price > 0 ? { price: fromUnits(order.price, symbol.pricePlaces) } : undefined;
  const average = filled > 0 ? { avgPrice: averagePrice(traded, filled, symbol.pricePlaces) } : undefined;
  version.view = Object.freeze({
    clientOrderId: order.clientOrderId,
    venueOrderId: String(order.id),
    state: version.state,
    symbol: symbol.name,
    side: order.side,
    qty: fromUnits(order.qty, symbol.qtyPlaces),
    ...(order.quoteQty === undefined ? undefined : { quoteQty: order.quoteQty }),
    ...price,
    filledQty: fromUnits(filled, symbol.qtyPlaces),
    ...average,
    venueTime: version.venueTime,
  });
  return version.view;
}

const EXTRA_PLACES = 10;
const EXTRA = 10n ** BigInt(EXTRA_PLACES);

// Ten places beyond the price step, half up: more than any venue prints.
function averagePrice(traded: bigint, filled: number, pricePlaces: number): string {
  const quantity = BigInt(filled);
  return fromUnits((2n * traded * EXTRA + quantity) / (2n * quantity), pricePlaces + EXTRA_PLACES);
}
