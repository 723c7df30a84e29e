import type { OrderRecord } from './order-record.js';

const ALL_BIPS = 10_000;

/** How often the venue looks at them. */
export const TRAIL_EVERY_MS = 1_000;

/** Stop orders whose stop price follows the market. */
export class TrailingStops {
  readonly #orders = new Set<OrderRecord>();

  get size(): number {
    return this.#orders.size;
  }

  /** @param price - of the market now, in price units: where it begins to follow, unless it waits for a stop price first */
  add(order: OrderRecord, price: number): void {
    if (order.stopPrice === 0) order.extreme = price;
    this.#orders.add(order);
  }

  delete(order: OrderRecord): void {
    this.#orders.delete(order);
  }

  /** Those whose trail is met, in order of arrival. */
  met(priceOf: (order: OrderRecord) => number): readonly OrderRecord[] {
    return [...this.#orders].filter((order) => isMet(order, priceOf(order)));
  }
}

function isMet(order: OrderRecord, price: number): boolean {
  const isSell = order.side === 'sell';
  if (order.extreme === 0) {
    if (isSell ? price > order.stopPrice : price < order.stopPrice) return false;
    order.extreme = price;
  }
  order.extreme = isSell ? Math.max(order.extreme, price) : Math.min(order.extreme, price);
  return isSell ? price <= trailedPrice(order) : price >= trailedPrice(order);
}

/** The limit price of a trailing stop that has one, once it is triggered at `price`; 0 where it has none. */
export function limitPriceAt({ limitOffset, symbol }: OrderRecord, price: number): number {
  if (limitOffset === undefined) return 0;
  const limit = 'bips' in limitOffset ? (price * (ALL_BIPS + limitOffset.bips)) / ALL_BIPS : price + limitOffset.units;
  return Math.max(1, Math.round(limit / symbol.priceStepUnits)) * symbol.priceStepUnits;
}

/** The stop price as its trail has it by now, price units. */
export function trailedPrice({ side, trail, extreme }: OrderRecord): number {
  if (trail === undefined) return 0;
  const sign = side === 'sell' ? -1 : 1;
  return 'bips' in trail ? Math.round((extreme * (ALL_BIPS + sign * trail.bips)) / ALL_BIPS) : extreme + sign * trail.units;
}
