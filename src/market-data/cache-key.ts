import type { MarketKind, MarketKinds } from '../contracts/market-data.js';

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

/** @throws TypeError or RangeError that names the member of a request that no adapter could answer. */
export function requireRequest(kind: MarketKind, request: { readonly symbol: string }): void {
  const { symbol, interval, limit, depth, since } = request as Partial<MarketKinds['bars']['request'] & MarketKinds['book']['request']>;
  if (typeof symbol !== 'string' || symbol === '') throw new TypeError(`request.symbol must be a non-empty string, got ${String(symbol)}`);
  if (kind === 'bars' && (typeof interval !== 'string' || interval === ''))
    throw new TypeError(`request.interval must be a non-empty string such as "1m", got ${String(interval)}`);
  for (const [name, count] of [
    ['limit', limit],
    ['depth', depth],
  ] as const) {
    if (count !== undefined && !(Number.isInteger(count) && count > 0))
      throw new RangeError(`request.${name} must be a whole number of 1 or more, got ${count}`);
  }
  if (since !== undefined && !Number.isFinite(since)) throw new RangeError(`request.since must be epoch milliseconds, got ${since}`);
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
