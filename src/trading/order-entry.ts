import type { VenueOrder } from '../contracts/broker.js';
import type { SettledBody } from '../contracts/journal-records.js';
import type { Fill, OrderIntent, OrderState } from '../contracts/orders.js';
import type { Decimal } from '../core/decimal.js';

/** Where a sighting of an order came from. */
export type EvidenceSource = 'answer' | 'stream' | 'find' | 'scan';

/** What a replacement asks for. */
export interface ReplaceTarget {
  readonly qty?: Decimal;
  readonly price?: Decimal;
}

/** What the journal records of an order, by type. Times named `venue…` and fences are in venue time. */
export interface EntryBodies {
  /** The intent is durable; nothing has been sent. */
  prepared: {
    readonly intent: OrderIntent & { readonly intentId: string };
    readonly clientOrderId: string;
    readonly payloadHash: string;
    readonly linkedFrom?: string;
  };
  /** Attempt `attempt` is about to be sent, signed with `venueNow`. Durable before the send. */
  sending: {
    readonly attempt: number;
    readonly venueNow: number;
    readonly fenceUntil?: number;
    /** How far off `venueNow` may be, ms; absent while the venue has never told its time. */
    readonly uncertaintyMs?: number;
  };
  /** The attempt is known not to have made an order: never sent, or refused by the venue. */
  unsent: { readonly attempt: number; readonly why: 'not_sent' | 'refused' | 'local'; readonly reason: string };
  /** The venue answered this attempt with a rejection. */
  rejected: { readonly attempt: number; readonly code: string; readonly reason: string };
  /** Nobody knows what became of the attempt. */
  unknown: {
    readonly attempt: number;
    readonly reason: string;
    readonly fenceUntil?: number;
    readonly duplicate?: boolean;
    /** The venue has made an order of it, though not the one that was asked for: its absence can't be proved any more. */
    readonly distorted?: boolean;
  };
  /** The venue shows an order of this intent. */
  seen: { readonly order: VenueOrder; readonly by: EvidenceSource };
  fill: { readonly venueOrderId: string; readonly clientOrderId?: string; readonly fill: Fill };
  /** All attempts up to `upTo` are proved to have made no order. */
  absent: { readonly upTo: number; readonly venueTime: number; readonly provenPast: number; readonly misses: number };
  /** The end of an intent that has no order at the venue, with the reason. */
  ended: { readonly state: Extract<OrderState, 'abandoned' | 'rejected'>; readonly reason: string };
  /** Nothing can prove what became of it; a later sighting still resolves it. */
  escalated: { readonly reason: string };
  /** Somebody asked for a cancel. Sticky: it holds over unknown outcomes and restarts. */
  cancel: { readonly reason: string };
  /** An amendment is about to be sent. Durable before the send. */
  amending: {
    readonly attempt: number;
    readonly to: ReplaceTarget;
    readonly newClientOrderId: string;
    readonly venueNow: number;
    readonly fenceUntil?: number;
  };
  /** The amendment is over; `applied` says which way. */
  amended: { readonly attempt: number; readonly applied: boolean; readonly reason: string };
  /** The order is being replaced by cancelling it and placing the remainder as the intent `linkedTo`. */
  replacing: { readonly to: ReplaceTarget; readonly linkedTo: string };
  /** The replacement is over: placed as a linked intent, or given up. */
  replaced: { readonly linkedTo?: string; readonly reason: string };
  /** The venue contradicts itself, or us. */
  conflict: { readonly reason: string; readonly live: readonly VenueOrder[] };
  settled: SettledBody;
  /** Account-wide, under an id of its own: what may be placed. */
  halt: {
    /** Counts up: of two halts the one with the higher number holds, however they came to be written. */
    readonly number: number;
    readonly mode: HaltMode;
    readonly reason: string;
    readonly symbol?: string;
  };
}

/** What may be placed. */
export type HaltMode = 'active' | 'reduce_only' | 'halted';

/** One journal record, as the order's reducer takes it. */
export type Entry = { [K in keyof EntryBodies]: { readonly type: K; readonly at: number; readonly body: EntryBodies[K] } }[keyof EntryBodies];

/** Builds an entry. @param at - epoch ms, our clock. */
export function entry<K extends keyof EntryBodies>(type: K, at: number, body: EntryBodies[K]): Entry {
  return { type, at, body } as Entry;
}
