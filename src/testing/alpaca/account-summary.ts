import { add, divide, isZero, multiply, sign, subtract } from '../../core/decimal.js';
import type { RequestContext } from '../served/request-line.js';
import type { Desk } from '../venue/desk.js';
import { fromUnits } from '../venue/units.js';
import type { Holding } from './wire-format.js';

/** What Alpaca's accounts are kept in. */
const CURRENCY = 'USD';

/** What an account has of each listed asset, with what was paid for it on average. */
export function holdingsOf({ core, account }: Pick<RequestContext, 'core' | 'account'>): readonly Holding[] {
  const balances = core.engine.account(account).ledger.balances();
  return [...core.desks.values()].flatMap((desk) => {
    const { symbol } = desk.market;
    const balance = balances[symbol.base];
    if (balance === undefined || symbol.quote !== CURRENCY) return [];
    const qty = add(balance.free, balance.held);
    if (sign(qty) <= 0) return [];
    const price = fromUnits(desk.market.bidUnits(core.agenda.now), symbol.pricePlaces);
    return [{ symbol, qty, available: balance.free, price, entryPrice: entryPriceOf(core, account, desk) ?? price }];
  });
}

// Average cost: what was bought moves it, what was sold does not. Undefined where nothing was bought.
function entryPriceOf(core: RequestContext['core'], account: string, desk: Desk): string | undefined {
  const { symbol } = desk.market;
  let held = '0';
  let price: string | undefined;
  for (const fill of core.engine.account(account).fills.since(-Infinity)) {
    if (fill.order.symbol !== symbol) continue;
    const qty = fromUnits(fill.qty, symbol.qtyPlaces);
    if (fill.order.side === 'sell') {
      held = subtract(held, qty);
      if (sign(held) < 0) held = '0';
      continue;
    }
    const paid = fromUnits(fill.price, symbol.pricePlaces);
    const cost = price === undefined ? '0' : multiply(held, price);
    held = add(held, qty);
    price = divide(add(cost, multiply(qty, paid)), held);
  }
  return price;
}

/** The account's own figures. */
export interface AccountSummary {
  readonly cash: string;
  readonly buyingPower: string;
  readonly longValue: string;
  readonly equity: string;
}

export function summaryOf(context: Pick<RequestContext, 'core' | 'account'>): AccountSummary {
  const { free, held } = context.core.engine.account(context.account).ledger.balances()[CURRENCY] ?? { free: '0', held: '0' };
  const cash = add(free, held);
  const longValue = holdingsOf(context).reduce((sum, { qty, price }) => add(sum, multiply(qty, price)), '0');
  return { cash, buyingPower: free, longValue, equity: isZero(longValue) ? cash : add(cash, longValue) };
}
