import type { Json } from '../shared/json.js';

/** How symbols are called on this side, and what the venue says of them. */
export interface KrakenMarkets {
  /** Resolves when names can be told. */
  load(): Promise<void>;
  /** Such as `XXBTZUSD`. @throws an unknown symbol error */
  marketId(symbol: string): Promise<string>;
  /** By id or altname, such as `XBTUSD`. */
  symbolOf(name: string): string;
  /** The asset that is paid with, which fees are in. */
  quoteAsset(symbol: string): string | undefined;
  /** The row of AssetPairs. @throws an unknown symbol error */
  instrument(symbol: string): Promise<Json>;
}
