import type { VenueOrder } from 'venuekit';
import type { BotLog } from './bot.js';

/** The counts that only the venue's own order book can give. */
export interface Verdicts {
  readonly ordersAtVenue: number;
  /** Orders beyond the first for one intent. */
  readonly duplicates: number;
  /** Orders at the venue that the bot believes do not exist. */
  readonly orphans: number;
  /** Intents without any order at the venue, which the venue did not refuse. */
  readonly lost: number;
}

/**
 * Holds what the bot believes against what the venue has.
 * @param intentOf - the bot's number of a venue order, by its client order id; undefined when it is none of the bot's.
 */
export function judge(
  log: BotLog,
  venueOrders: readonly VenueOrder[],
  intentOf: (clientOrderId: string) => number | undefined,
  endedWithProof: (order: number) => boolean,
): Verdicts {
  const perIntent = new Map<number, number>();
  let strangers = 0;
  for (const { clientOrderId } of venueOrders) {
    const intent = clientOrderId === undefined ? undefined : intentOf(clientOrderId);
    if (intent === undefined) strangers++;
    else perIntent.set(intent, (perIntent.get(intent) ?? 0) + 1);
  }
  let duplicates = 0;
  let orphans = strangers;
  for (const [intent, count] of perIntent) {
    duplicates += count - 1;
    if (log.failedOrders.has(intent)) orphans += count;
  }
  const lost = log.orders.filter(({ number }) => !perIntent.has(number) && !endedWithProof(number)).length;
  return { ordersAtVenue: venueOrders.length, duplicates, orphans, lost };
}

/** Nearest-rank percentiles, in ms to the microsecond. */
export function percentiles(values: readonly number[]): { readonly p50: number; readonly p95: number; readonly p99: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => Math.round((sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0) * 1000) / 1000;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
