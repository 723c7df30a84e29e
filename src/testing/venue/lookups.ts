import type { AccountBooks } from './account-books.js';
import type { FillRecord, OrderRecord, OrderVersion } from './order-record.js';

/**
 * What a replica answers that has seen everything up to `asOf` (engine time) and nothing after it.
 * Times from callers are venue times; `aheadMs` is how far those may be ahead of the engine's.
 */

export function openAsOf(account: AccountBooks, asOf: number, symbol?: string): readonly OrderVersion[] {
  const found: OrderVersion[] = [];
  const look = (order: OrderRecord): void => {
    const version = symbol === undefined || order.symbol.name === symbol ? order.asOf(asOf) : undefined;
    if (version !== undefined && (version.state === 'working' || version.state === 'partially_filled')) found.push(version);
  };
  for (const order of account.open) look(order);
  // Orders that have ended since are open still, to a replica that has not seen it.
  const seen = new Set<OrderRecord>();
  for (const { order } of account.changes.since(asOf + 1)) {
    if (order.isLive || seen.has(order)) continue;
    seen.add(order);
    look(order);
  }
  return found.sort((a, b) => a.order.id - b.order.id);
}

export function changedSince(account: AccountBooks, sinceVenueMs: number, asOf: number, aheadMs: number, symbol?: string): readonly OrderVersion[] {
  const found: OrderVersion[] = [];
  for (const version of account.changes.since(sinceVenueMs - aheadMs)) {
    if (version.at > asOf) break;
    if (version.order.asOf(asOf) !== version || version.venueTime < sinceVenueMs) continue;
    if (symbol === undefined || version.order.symbol.name === symbol) found.push(version);
  }
  return found;
}

export function fillsSince(account: AccountBooks, sinceVenueMs: number, asOf: number, aheadMs: number, symbol?: string): readonly FillRecord[] {
  const found: FillRecord[] = [];
  for (const fill of account.fills.since(sinceVenueMs - aheadMs)) {
    if (fill.at > asOf) break;
    if (fill.venueTime >= sinceVenueMs && (symbol === undefined || fill.order.symbol.name === symbol)) found.push(fill);
  }
  return found;
}
