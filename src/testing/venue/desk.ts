import type { Market } from '../market/market.js';
import type { OrderRecord } from './order-record.js';
import { RestingOrders } from './resting-orders.js';

/** One symbol's market and the orders that wait in it. */
export class Desk {
  readonly market: Market;
  readonly #bids = new RestingOrders('resting', (a, b) => a > b);
  readonly #asks = new RestingOrders('resting', (a, b) => a < b);
  readonly #buyStops = new RestingOrders('waiting', (a, b) => a < b);
  readonly #sellStops = new RestingOrders('waiting', (a, b) => a > b);
  /** When it is next looked at; a look that was planned before for another time is void. */
  nextLookAt: number = Infinity;

  constructor(market: Market) {
    this.market = market;
  }

  add(order: OrderRecord): void {
    this.#side(order, order.phase === 'waiting').add(order);
  }

  /** @param wasWaiting - it waited for its stop price until now. */
  noteEnded(order: OrderRecord, wasWaiting: boolean): void {
    this.#side(order, wasWaiting).noteEnded();
  }

  /** A resting order has another price than before. */
  reorder(order: OrderRecord): void {
    this.#side(order, false).rebuild();
  }

  /** A resting order whose price is met at `at`. */
  reached(at: number): OrderRecord | undefined {
    const bid = this.#bids.peek();
    if (bid !== undefined && this.market.askUnits(at) <= bid.price) return bid;
    const ask = this.#asks.peek();
    return ask !== undefined && this.market.bidUnits(at) >= ask.price ? ask : undefined;
  }

  /** A stop order whose stop price is met at `at`. */
  triggered(at: number): OrderRecord | undefined {
    const buy = this.#buyStops.peek();
    if (buy !== undefined && this.market.askUnits(at) >= buy.stopPrice) return buy;
    const sell = this.#sellStops.peek();
    return sell !== undefined && this.market.bidUnits(at) <= sell.stopPrice ? sell : undefined;
  }

  /** When one of them may next be reached, or when to ask again; Infinity: never. */
  nextReach(from: number): number {
    const { market } = this;
    let next = Infinity;
    const bid = this.#bids.peek();
    if (bid !== undefined) next = Math.min(next, market.firstReach(from, 'buy', bid.price).at);
    const ask = this.#asks.peek();
    if (ask !== undefined) next = Math.min(next, market.firstReach(from, 'sell', ask.price).at);
    // A buy stop waits for the ask to rise to it: for the bid to rise to a spread below, as a sell order there does.
    const buyStop = this.#buyStops.peek();
    if (buyStop !== undefined) next = Math.min(next, market.firstReach(from, 'sell', buyStop.stopPrice - market.spreadUnits).at);
    const sellStop = this.#sellStops.peek();
    if (sellStop !== undefined) next = Math.min(next, market.firstReach(from, 'buy', sellStop.stopPrice + market.spreadUnits).at);
    return next;
  }

  #side(order: OrderRecord, isWaiting: boolean): RestingOrders {
    if (isWaiting) return order.side === 'buy' ? this.#buyStops : this.#sellStops;
    return order.side === 'buy' ? this.#bids : this.#asks;
  }
}
