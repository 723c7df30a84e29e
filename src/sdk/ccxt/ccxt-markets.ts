import { unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { asError } from '../../core/errors.js';
import { redactError } from '../../core/logger.js';
import type { BinanceMarkets } from '../binance/markets.js';
import type { KrakenMarkets } from '../kraken/markets.js';
import { type Json, objectOf } from '../shared/json.js';
import type { CcxtExchange, CcxtMarket } from './exchange.js';
import { SpotMarkets } from './spot-markets.js';

/** Whose markets they are. */
export interface CcxtVenue {
  /** As errors call it. */
  readonly name: string;
  /** What the list of all markets costs of the venue's limits. */
  readonly listWeight: number;
}

export const BINANCE_SPOT: CcxtVenue = { name: 'binance spot', listWeight: 20 };
export const KRAKEN_SPOT: CcxtVenue = { name: 'kraken spot', listWeight: 0 };

/** Symbols as ccxt unifies them, such as `BTC/USDT`, from its own list of all markets. */
export class CcxtMarkets implements BinanceMarkets, KrakenMarkets {
  /** Instruments come with the list, which is loaded once. */
  readonly instrumentWeight = 0;
  readonly #sdk: CcxtExchange;
  readonly #venue: CcxtVenue;
  readonly #markets: SpotMarkets;
  #loading: Promise<void> | undefined;

  constructor(sdk: CcxtExchange, venue: CcxtVenue) {
    this.#sdk = sdk;
    this.#venue = venue;
    this.#markets = new SpotMarkets(sdk);
  }

  get loadWeight(): number {
    return this.#markets.areLoaded ? 0 : this.#venue.listWeight;
  }

  async marketId(symbol: string): Promise<string> {
    return (await this.#market(symbol)).id;
  }

  symbolOf(marketId: string): string {
    return this.#markets.symbolOf(marketId) ?? marketId;
  }

  async instrument(symbol: string): Promise<Json> {
    return objectOf((await this.#market(symbol)).info, 'market');
  }

  quoteAsset(symbol: string): string | undefined {
    return this.#markets.get(symbol)?.quote;
  }

  // A failed loadMarkets() sticks in ccxt until it is asked to reload.
  async load(): Promise<void> {
    if (this.#markets.areLoaded) return;
    this.#loading ??= this.#sdk.loadMarkets(true).then(
      () => {},
      (error: unknown) => {
        this.#loading = undefined;
        throw asError(redactError(error));
      },
    );
    await this.#loading;
  }

  async #market(symbol: string): Promise<CcxtMarket> {
    await this.load();
    const market = this.#markets.get(symbol);
    if (market === undefined) throw unknownSymbolError(this.#venue.name, symbol);
    return market;
  }
}
