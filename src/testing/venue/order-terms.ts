import type { OrderIntent } from '../../contracts/orders.js';
import { type Answer, done, refuse } from './answers.js';
import type { ListedSymbol } from './listed-symbol.js';
import type { OrderTerms, Trail } from './order-record.js';
import { AMOUNT_PLACES, placesOf, toAmount, toUnits } from './units.js';

/** An order as the venue's faces hand it in: what only some protocols have beside what an intent names. */
export interface OrderRequest extends OrderIntent {
  readonly postOnly?: boolean;
  readonly trail?: Trail;
  /** Of a trailing stop with a limit, in place of its price. */
  readonly limitOffset?: Trail;
}

const TYPES = ['market', 'limit', 'stop', 'stop_limit'] as const;
const TIMES = ['gtc', 'ioc', 'fok', 'day'] as const;

/** The venue's filters: an order that breaks one is refused, naming it. `reference` in price units stands in for the price of a market order. */
export function checkTerms(intent: OrderRequest, symbol: ListedSymbol, reference: number): Answer<OrderTerms> {
  if (intent.side !== 'buy' && intent.side !== 'sell') return refuse('bad_parameter', `side must be buy or sell, got ${String(intent.side)}`);
  if (!TYPES.includes(intent.type)) return refuse('bad_parameter', `type must be one of ${TYPES.join(', ')}, got ${String(intent.type)}`);
  const timeInForce = intent.timeInForce ?? 'gtc';
  if (!TIMES.includes(timeInForce)) return refuse('bad_parameter', `timeInForce must be one of ${TIMES.join(', ')}, got ${String(timeInForce)}`);
  const { trail, limitOffset, postOnly = false } = intent;
  const price = priceOf(intent.price, intent.type === 'limit' || (intent.type === 'stop_limit' && limitOffset === undefined), symbol);
  if (Number.isNaN(price)) return refuse('price_filter', `price must be a multiple of ${symbol.priceStep} above 0, got ${String(intent.price)}`);
  const isStop = intent.type === 'stop' || intent.type === 'stop_limit';
  if (trail !== undefined && !(isStop && isTrail(trail))) return refuse('bad_parameter', 'a trail must be above 0, of a stop order');
  // A trail without a stop price follows from the start.
  const stopPrice = priceOf(intent.stopPrice, isStop && !(trail !== undefined && intent.stopPrice === undefined), symbol);
  if (Number.isNaN(stopPrice))
    return refuse('price_filter', `stopPrice must be a multiple of ${symbol.priceStep} above 0, got ${String(intent.stopPrice)}`);
  const { quoteQty } = intent;
  if (quoteQty !== undefined && !isAmount(quoteQty)) return refuse('bad_parameter', `quoteQty must be a decimal above 0, got ${String(quoteQty)}`);
  if (quoteQty !== undefined && toUnits(intent.qty, symbol.qtyPlaces) !== 0)
    return refuse('bad_parameter', `qty must be "0" where quoteQty is given, got ${String(intent.qty)}`);
  const qty = quoteQty === undefined ? toUnits(intent.qty, symbol.qtyPlaces) : affordable(quoteQty, price || stopPrice || reference, symbol);
  if (!(qty > 0) || qty % symbol.qtyStepUnits !== 0)
    return refuse(
      'lot_size',
      `qty must be a multiple of ${symbol.qtyStep} above 0, got ${quoteQty === undefined ? intent.qty : `${quoteQty} to spend`}`,
    );
  if (symbol.minNotionalAmount > 0n) {
    const notional = BigInt(qty) * BigInt(price || stopPrice || reference) * symbol.notionalFactor;
    if (notional < symbol.minNotionalAmount) return refuse('min_notional', `price times qty must be at least ${symbol.minNotional}`);
  }
  return done({ symbol, side: intent.side, type: intent.type, timeInForce, qty, quoteQty, price, stopPrice, postOnly, trail, limitOffset });
}

function isTrail(trail: Trail): boolean {
  const size = 'bips' in trail ? trail.bips : trail.units;
  return Number.isFinite(size) && size > 0 && (!('bips' in trail) || size < 10_000);
}

function isAmount(value: string): boolean {
  return /^\d+(?:\.\d+)?$/.test(value) && placesOf(value) <= AMOUNT_PLACES && toAmount(value) > 0n;
}

/** Quantity units, in whole steps, that an amount of money is enough for at `price`; NaN where they are more than can be counted. */
function affordable(quoteQty: string, price: number, { notionalFactor, qtyStepUnits }: ListedSymbol): number {
  const step = BigInt(qtyStepUnits);
  const units = Number((toAmount(quoteQty) / (BigInt(price) * notionalFactor * step)) * step);
  return units <= Number.MAX_SAFE_INTEGER ? units : Number.NaN;
}

// 0 where the type takes no such price, NaN where it is missing or breaks the filter.
function priceOf(value: string | undefined, isNeeded: boolean, symbol: ListedSymbol): number {
  if (!isNeeded) return 0;
  if (value === undefined) return Number.NaN;
  const units = toUnits(value, symbol.pricePlaces);
  return units > 0 && units % symbol.priceStepUnits === 0 ? units : Number.NaN;
}

/** An order that may be taken in, with the price that it would execute at. */
export interface CheckedOrder {
  readonly request: OrderRequest;
  readonly clientOrderId: string;
  readonly terms: OrderTerms;
  readonly executesAt: number;
}

/** Whether the market's price is one that the order takes. */
export function reaches({ side, price }: Pick<OrderTerms, 'side' | 'price'>, market: number): boolean {
  return price === 0 || (side === 'buy' ? market <= price : market >= price);
}

/** How much of {@link heldAsset} one unit of an order sets aside. @param price - in units of the symbol */
export function heldFor({ side, symbol }: Pick<OrderTerms, 'side' | 'symbol'>, price: number): bigint {
  return side === 'buy' ? BigInt(price) * symbol.notionalFactor : symbol.baseFactor;
}

/** The asset that an order sets aside: what it pays with. */
export function heldAsset(order: Pick<OrderTerms, 'side' | 'symbol'>): string {
  return order.side === 'buy' ? order.symbol.quote : order.symbol.base;
}
