import type { ListedSymbol } from '../venue/listed-symbol.js';

/** What Kraken's older assets are called; the others go by their common name. Source: Kraken REST API, Assets. */
const LEGACY: Readonly<Record<string, { readonly id: string; readonly altname: string }>> = {
  BTC: { id: 'XXBT', altname: 'XBT' },
  ETH: { id: 'XETH', altname: 'ETH' },
  LTC: { id: 'XLTC', altname: 'LTC' },
  XRP: { id: 'XXRP', altname: 'XRP' },
  XLM: { id: 'XXLM', altname: 'XLM' },
  DOGE: { id: 'XXDG', altname: 'XDG' },
  USD: { id: 'ZUSD', altname: 'USD' },
  EUR: { id: 'ZEUR', altname: 'EUR' },
  GBP: { id: 'ZGBP', altname: 'GBP' },
  CAD: { id: 'ZCAD', altname: 'CAD' },
  JPY: { id: 'ZJPY', altname: 'JPY' },
};

/** Such as `XXBT`. */
export function assetId(asset: string): string {
  return LEGACY[asset]?.id ?? asset;
}

/** Such as `XBT`. */
export function assetAltname(asset: string): string {
  return LEGACY[asset]?.altname ?? asset;
}

/** Such as `XXBTZUSD`; pairs with a newer asset go by their altname. */
export function pairId(symbol: ListedSymbol): string {
  const [base, quote] = [LEGACY[symbol.base], LEGACY[symbol.quote]];
  return base === undefined || quote === undefined ? pairAltname(symbol) : base.id + quote.id;
}

/** Such as `XBTUSD`. */
export function pairAltname({ base, quote }: ListedSymbol): string {
  return assetAltname(base) + assetAltname(quote);
}

/** Such as `XBT/USD`. */
export function pairWsname({ base, quote }: ListedSymbol): string {
  return `${assetAltname(base)}/${assetAltname(quote)}`;
}
