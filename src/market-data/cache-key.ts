import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import { requireInteger, requireObject, requireText, requireWithin } from '../core/options.js';

/** The last instant that a Date can name, epoch ms. */
const LAST_DATE_MS = 8.64e15;

/**
 * The parameters of a request beside its symbol, as `name=value`, sorted by name: two requests that
 * may be answered differently never share a key.
 */
export function paramsOf(request: object): string {
  const names = Object.keys(request)
    .filter((name) => name !== 'symbol' && (request as Record<string, unknown>)[name] !== undefined)
    .sort();
  return names.map((name) => `${name}=${textOf((request as Record<string, unknown>)[name])}`).join('&');
}

/** What could be taken for another parameter, or for what an object is written as, is quoted. */
function textOf(value: unknown): string {
  const isPlain =
    typeof value === 'string' ? !/[&="]/.test(value) : typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return isPlain ? String(value) : JSON.stringify(value);
}

/** @throws TypeError or RangeError that names the member of a request that no adapter could answer. */
export function requireRequest(kind: MarketKind, request: { readonly symbol: string }): void {
  requireObject('request', request);
  const { symbol, interval, limit, depth, since } = request as Partial<MarketKinds['bars']['request'] & MarketKinds['book']['request']>;
  requireText('request.symbol', symbol as string);
  if (kind === 'bars') requireText('request.interval', interval as string);
  if (limit !== undefined) requireInteger('request.limit', limit, 1);
  if (depth !== undefined) requireInteger('request.depth', depth, 1);
  if (since !== undefined) requireWithin('request.since', since, -LAST_DATE_MS, LAST_DATE_MS);
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
