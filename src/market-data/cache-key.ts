import type { MarketKind } from '../contracts/market-data.js';

/**
 * The parameters of a request beside its symbol, as `name=value`, sorted by name: two requests that
 * may be answered differently never share a key.
 */
export function paramsOf(request: object): string {
  const names = Object.keys(request)
    .filter((name) => name !== 'symbol' && (request as Record<string, unknown>)[name] !== undefined)
    .sort();
  return names.map((name) => `${name}=${String((request as Record<string, unknown>)[name])}`).join('&');
}

/** `v1|account/feed|kind|venue:symbol|sorted params`. */
export function cacheKey(
  scope: { readonly account: string; readonly feed: string; readonly venue: string },
  kind: MarketKind,
  symbol: string,
  params: string,
): string {
  // Joined, since V8 keeps all parts of a string that was put together by templates: 8 objects for each key held.
  return ['v1|', scope.account, '/', scope.feed, '|', kind, '|', scope.venue, ':', symbol, '|', params].join('');
}
