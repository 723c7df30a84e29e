import { unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { asError } from '../../core/errors.js';
import { redactError } from '../../core/logger.js';
import type { BinanceMarkets } from '../binance/markets.js';
import { type Json, objectOf } from '../shared/json.js';
import type { CcxtBinance, CcxtMarket } from './exchange.js';
import { SpotMarkets } from './spot-markets.js';

const WEIGHT_OF_ALL_MARKETS = 20;

/** Symbols as ccxt unifies them, such as `BTC/USDT`, from its own list of all markets. */
export class CcxtMarkets implements BinanceMarkets {
  /** Instruments come with the list, which is loaded once. */
  readonly instrumentWeight = 0;
  readonly #sdk: CcxtBinance;
  readonly #markets: SpotMarkets;
  #loading: Promise<void> | undefined;

  constructor(sdk: CcxtBinance) {
    this.#sdk = sdk;
    this.#markets = new SpotMarkets(sdk);
  }

  get loadWeight(): number {
    return this.#markets.areLoaded ? 0 : WEIGHT_OF_ALL_MARKETS;
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
    if (market === undefined) throw unknownSymbolError('binance spot', symbol);
    return market;
  }
}
