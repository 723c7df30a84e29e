import { type Decimal, fromNumber, requireDecimal, sign } from '../../core/decimal.js';
import { requireKnown, requirePositive } from '../../core/options.js';
import { AMOUNT_PLACES, placesOf, toAmount, toUnits } from './units.js';

/** How a symbol of a simulated venue is listed. */
export interface SymbolOptions {
  /** Around which it trades while no bars are replayed. */
  readonly price: number;
  /** @defaultValue "0.01", or "0.00000001" for prices below 1 */
  readonly priceStep?: Decimal;
  /** Also the smallest quantity. @defaultValue "0.00001" */
  readonly qtyStep?: Decimal;
  /** Smallest price × quantity of an order. @defaultValue none */
  readonly minNotional?: Decimal;
  /** The asset that is bought and sold. @defaultValue read from the symbol: BTC of BTC/USDT, BTC-USD or BTCUSDT */
  readonly base?: string;
  /** The asset that is paid with. @defaultValue read from the symbol; USD where it names none */
  readonly quote?: string;
}

const QUOTES = ['USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD', 'USD', 'EUR', 'GBP', 'JPY', 'BTC', 'ETH', 'BNB'];

/** A symbol with its filters in the units that the venue counts in. */
export interface ListedSymbol {
  /** As configured, e.g. `BTC/USDT`. */
  readonly name: string;
  /** Letters and digits only, e.g. `BTCUSDT`. */
  readonly id: string;
  readonly base: string;
  readonly quote: string;
  readonly index: number;
  readonly price: number;
  readonly priceStep: Decimal;
  readonly qtyStep: Decimal;
  readonly minNotional: Decimal | undefined;
  readonly pricePlaces: number;
  readonly qtyPlaces: number;
  readonly priceStepUnits: number;
  readonly qtyStepUnits: number;
  /** Price units × quantity units × this = quote amount; quantity units × `baseFactor` = base amount. */
  readonly notionalFactor: bigint;
  readonly baseFactor: bigint;
  readonly minNotionalAmount: bigint;
}

/** @throws RangeError or TypeError that names symbol and option. */
export function listSymbol(name: string, options: SymbolOptions, index: number): ListedSymbol {
  const where = `symbols[${JSON.stringify(name)}]`;
  requireKnown(where, options, ['price', 'priceStep', 'qtyStep', 'minNotional', 'base', 'quote']);
  const price = requirePositive(`${where}.price`, options.price);
  const priceStep = requireStep(`${where}.priceStep`, options.priceStep ?? (price < 1 ? '0.00000001' : '0.01'));
  const qtyStep = requireStep(`${where}.qtyStep`, options.qtyStep ?? '0.00001');
  const minNotional = options.minNotional === undefined ? undefined : requireDecimal(`${where}.minNotional`, options.minNotional);
  const pricePlaces = placesOf(priceStep);
  const qtyPlaces = placesOf(qtyStep);
  if (pricePlaces + qtyPlaces > AMOUNT_PLACES)
    throw new RangeError(
      `${where}: priceStep and qtyStep must have at most ${AMOUNT_PLACES} decimal places together, got ${priceStep} and ${qtyStep}`,
    );
  const [base, quote] = assetsOf(name);
  return {
    name,
    id: name.replace(/[^A-Za-z0-9]/g, '').toUpperCase(),
    base: options.base ?? base,
    quote: options.quote ?? quote,
    index,
    price,
    priceStep,
    qtyStep,
    minNotional,
    pricePlaces,
    qtyPlaces,
    priceStepUnits: toUnits(priceStep, pricePlaces),
    qtyStepUnits: toUnits(qtyStep, qtyPlaces),
    notionalFactor: 10n ** BigInt(AMOUNT_PLACES - pricePlaces - qtyPlaces),
    baseFactor: 10n ** BigInt(AMOUNT_PLACES - qtyPlaces),
    minNotionalAmount: minNotional === undefined ? 0n : toAmount(minNotional),
  };
}

/** Steps that suit a price of which nothing else is known. */
export function listingFor(price: number): SymbolOptions {
  return { price, priceStep: price < 1 ? '0.00000001' : fromNumber(0.01), qtyStep: '0.00000001' };
}

function requireStep(name: string, value: Decimal): Decimal {
  requireDecimal(name, value);
  if (sign(value) <= 0) throw new RangeError(`${name} must be above 0, got ${JSON.stringify(value)}`);
  return value;
}

function assetsOf(name: string): readonly [base: string, quote: string] {
  const parts = name.split(/[^A-Za-z0-9]/);
  if (parts.length >= 2 && parts[0] && parts[1]) return [parts[0], parts[1]];
  const quote = QUOTES.find((asset) => name.length > asset.length && name.endsWith(asset));
  return quote === undefined ? [name, 'USD'] : [name.slice(0, -quote.length), quote];
}
