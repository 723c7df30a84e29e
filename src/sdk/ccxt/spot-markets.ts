import type { CcxtExchange, CcxtMarket } from './exchange.js';

/**
 * The spot markets of an instance. ccxt knows thousands of markets: they are gone through when it has
 * loaded them, and not for each order. It makes a new object whenever it loads them again.
 */
export class SpotMarkets {
  readonly #sdk: CcxtExchange;
  readonly #symbols = new Map<string, string>();
  #seen: CcxtExchange['markets'];

  constructor(sdk: CcxtExchange) {
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
    for (const { id, altname, spot, symbol } of all) {
      if (spot !== true) continue;
      this.#symbols.set(id, symbol);
      if (altname !== undefined) this.#symbols.set(altname, symbol);
    }
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

  /** The unified symbol of a market id such as `BTCUSDT`, or of the other name that Kraken has for it, such as `XBTUSD`. */
  symbolOf(marketId: string): string | undefined {
    return this.areLoaded ? this.#symbols.get(marketId) : undefined;
  }
}
