import type { OrderIntent } from '../../contracts/orders.js';
import { type Answer, done, refuse } from './answers.js';
import type { ListedSymbol } from './listed-symbol.js';
import type { OrderTerms } from './order-record.js';
import { toUnits } from './units.js';

const TYPES = ['market', 'limit', 'stop', 'stop_limit'] as const;
const TIMES = ['gtc', 'ioc', 'fok', 'day'] as const;

/** The venue's filters: an order that breaks one is refused, naming it. `reference` in price units stands in for the price of a market order. */
export function checkTerms(intent: OrderIntent, symbol: ListedSymbol, reference: number): Answer<OrderTerms> {
  if (intent.side !== 'buy' && intent.side !== 'sell') return refuse('bad_parameter', `side must be buy or sell, got ${String(intent.side)}`);
  if (!TYPES.includes(intent.type)) return refuse('bad_parameter', `type must be one of ${TYPES.join(', ')}, got ${String(intent.type)}`);
  const timeInForce = intent.timeInForce ?? 'gtc';
  if (!TIMES.includes(timeInForce)) return refuse('bad_parameter', `timeInForce must be one of ${TIMES.join(', ')}, got ${String(timeInForce)}`);
  const qty = toUnits(intent.qty, symbol.qtyPlaces);
  if (!(qty > 0) || qty % symbol.qtyStepUnits !== 0)
    return refuse('lot_size', `qty must be a multiple of ${symbol.qtyStep} above 0, got ${String(intent.qty)}`);
  const price = priceOf(intent.price, intent.type === 'limit' || intent.type === 'stop_limit', symbol);
  if (Number.isNaN(price)) return refuse('price_filter', `price must be a multiple of ${symbol.priceStep} above 0, got ${String(intent.price)}`);
  const stopPrice = priceOf(intent.stopPrice, intent.type === 'stop' || intent.type === 'stop_limit', symbol);
  if (Number.isNaN(stopPrice))
    return refuse('price_filter', `stopPrice must be a multiple of ${symbol.priceStep} above 0, got ${String(intent.stopPrice)}`);
  if (symbol.minNotionalAmount > 0n) {
    const notional = BigInt(qty) * BigInt(price || stopPrice || reference) * symbol.notionalFactor;
    if (notional < symbol.minNotionalAmount) return refuse('min_notional', `price times qty must be at least ${symbol.minNotional}`);
  }
  return done({ symbol, side: intent.side, type: intent.type, timeInForce, qty, price, stopPrice });
}

// 0 where the type takes no such price, NaN where it is missing or breaks the filter.
function priceOf(value: string | undefined, isNeeded: boolean, symbol: ListedSymbol): number {
  if (!isNeeded) return 0;
  if (value === undefined) return Number.NaN;
  const units = toUnits(value, symbol.pricePlaces);
  return units > 0 && units % symbol.priceStepUnits === 0 ? units : Number.NaN;
}
