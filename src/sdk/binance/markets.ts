import type { FetchAttempt } from '../../contracts/market-data.js';
import { unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, listOf, objectOf } from '../shared/json.js';
import type { Params } from './wire.js';

/** How symbols are called on this side, and what the venue says of them. */
export interface BinanceMarkets {
  /** Weight of the requests that the next name may cost. */
  readonly loadWeight: number;
  /** Weight of asking for one instrument, beside {@link loadWeight}. */
  readonly instrumentWeight: number;
  /** Resolves when names can be told. */
  load(): Promise<void>;
  /** The venue's own name, such as `BTCUSDT`. @throws an unknown symbol error where it is known that the venue lists none of that name */
  marketId(symbol: string): Promise<string>;
  symbolOf(marketId: string): string;
  /** The row of `exchangeInfo`. @throws an unknown symbol error. */
  instrument(symbol: string, attempt: FetchAttempt): Promise<Json>;
}

const WEIGHT_OF_EXCHANGE_INFO = 20;
const MARKET_ID = /^[A-Z0-9\-_.]{1,20}$/;

/** Symbols as Binance itself calls them, such as `BTCUSDT`: nothing has to be loaded, and the venue says what it does not list. */
export class OwnNames implements BinanceMarkets {
  readonly loadWeight = 0;
  readonly instrumentWeight: number = WEIGHT_OF_EXCHANGE_INFO;
  readonly #read: (path: string, params: Params, attempt: FetchAttempt) => Promise<unknown>;

  constructor(read: (path: string, params: Params, attempt: FetchAttempt) => Promise<unknown>) {
    this.#read = read;
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  async marketId(symbol: string): Promise<string> {
    // Binance answers "illegal characters" to these, before it looks for the symbol.
    if (!MARKET_ID.test(symbol)) throw unknownSymbolError('binance spot', symbol);
    return symbol;
  }

  symbolOf(marketId: string): string {
    return marketId;
  }

  async instrument(symbol: string, attempt: FetchAttempt): Promise<Json> {
    const info = objectOf(await this.#read('/api/v3/exchangeInfo', { symbol }, attempt), 'exchangeInfo');
    const row = listOf(info.symbols, 'symbols')[0];
    if (row === undefined) throw new VenueKitError('BAD_ANSWER', `exchangeInfo answered without ${symbol}`);
    return objectOf(row, 'symbol');
  }
}
