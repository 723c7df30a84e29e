import type { Random } from '../../core/random.js';
import type { Agenda } from './agenda.js';
import type { Desk } from './desk.js';
import type { FillRecord, OrderList, OrderRecord, OrderVersion } from './order-record.js';
import type { VenueClock } from './venue-clock.js';
import type { VenueLog } from './venue-log.js';

/** What the engine is built of and how it behaves; see the options of `SimulatedVenue`. */
export interface EngineParts {
  readonly clock: VenueClock;
  readonly agenda: Agenda;
  readonly log: VenueLog;
  readonly random: Random;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly opening: bigint | Readonly<Record<string, string>>;
  readonly clientIds: { readonly maxLength: number; readonly pattern: RegExp; readonly unique: 'forever' | 'open_orders' | 'none' };
  readonly partialFills: boolean;
  /** Parts per million of the asset received. */
  readonly makerFeePpm: bigint;
  readonly takerFeePpm: bigint;
  readonly cancelLosesToFill: number;
  readonly lateFill: number;
  readonly archiveAfterMs: number;
  readonly onArchive: (order: OrderRecord) => void;
}

/** What an order is named by: either id will do. */
export interface OrderName {
  readonly clientOrderId?: string;
  readonly venueOrderId?: string;
}

export interface EngineListener {
  order(version: OrderVersion): void;
  fill(fill: FillRecord): void;
  /** A list has begun, or all of its orders are over. */
  list?(list: OrderList): void;
}
