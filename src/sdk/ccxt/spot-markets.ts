import type { CcxtBinance, CcxtMarket } from './exchange.js';

/**
 * The spot markets of an instance. ccxt knows thousands of markets: they are gone through when it has
 * loaded them, and not for each order. It makes a new object whenever it loads them again.
 */
export class SpotMarkets {
  readonly #sdk: CcxtBinance;
  readonly #symbols = new Map<string, string>();
  #seen: CcxtBinance['markets'];

  constructor(sdk: CcxtBinance) {
    this.#sdk = sdk;
  }

  get areLoaded(): boolean {
    const { markets } = this.#sdk;
    if (markets === undefined || markets === null) return false;
    if (markets === this.#seen) return true;
    const all = Object.values(markets);
    if (all.length === 0) return false;
    this.#seen = markets;
    this.#symbols.clear();
    for (const { id, spot, symbol } of all) if (spot === true) this.#symbols.set(id, symbol);
    return true;
  }

  /**
   * Asked by exact name: ccxt's own market() also takes ids, and ids are shared by spot and derivatives,
   * whose orders would then go to the spot endpoint.
   */
  get(symbol: string): CcxtMarket | undefined {
    const market = this.#sdk.markets?.[symbol];
    return market?.spot === true ? market : undefined;
  }

  /** The unified symbol of a market id such as `BTCUSDT`. */
  symbolOf(marketId: string): string | undefined {
    return this.areLoaded ? this.#symbols.get(marketId) : undefined;
  }
}
