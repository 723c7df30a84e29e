import { TypedEventBus } from '../core/event-bus.js';
import type { AlertInstance, Severity } from './alerts.js';
import type { LimitObservation, VenueOrder, Verdict } from './broker.js';
import type { Read } from './cache-store.js';
import type { MarketKind } from './market-data.js';
import type { Fill, OrderState, OrderView } from './orders.js';

/** Every event on the shared bus. Names and payloads are API: semver holds for them. */
export interface VenueKitEvents {
  'order.state': { readonly order: OrderView; readonly from: OrderState };
  'order.fill': { readonly order: OrderView; readonly fill: Fill };
  'order.unknown': { readonly order: OrderView; readonly cause: unknown };
  'order.resolved': { readonly order: OrderView; readonly by: 'stream' | 'find' | 'scan' | 'absence_proof'; readonly tookMs: number };
  'order.escalated': { readonly order: OrderView; readonly why: string };
  'order.external': { readonly order: VenueOrder };
  'order.conflict': { readonly order: OrderView; readonly live: readonly VenueOrder[] };
  /** Failures are not_sent, refused, unknown and failed; a rejection or a duplicate is the venue's answer. */
  'venue.call': {
    readonly venue: string;
    readonly operation: string;
    readonly attempt: number;
    readonly ms: number;
    readonly outcome: 'ok' | 'failed' | Verdict['kind'];
    readonly hedge: boolean;
  };
  'limit.observed': LimitObservation;
  'breaker.state': { readonly scope: string; readonly state: 'closed' | 'open' | 'half_open'; readonly reason?: string };
  /** How many calls may be in flight was lowered, or that was taken back. `limit` is what counts now. */
  'concurrency.state': { readonly scope: string; readonly limit: number; readonly isLowered: boolean; readonly reason: string };
  'budget.exhausted': { readonly scope: string };
  'stream.state': { readonly venue: string; readonly state: 'live' | 'gap' | 'recovering' | 'down' };
  /**
   * A market stream under `resilient` was interrupted, and what it missed has been read and told. `rows`: how many that were. Not
   * `isWhole`: a part could not be read, or lies beyond the bounds of `recovery`; `symbol` is `*` where all symbols are meant.
   */
  'stream.recovered': {
    readonly venue: string;
    readonly channel: string;
    readonly symbol: string;
    readonly rows: number;
    readonly isWhole: boolean;
  };
  reconcile: { readonly phase: 'start' | 'done' | 'failed'; readonly unresolved: number; readonly ms: number };
  /** Whether this client is the one that sends orders for the account: it waits for another to end, leads, or has lost the lease. */
  'leader.state': { readonly account: string; readonly state: 'standby' | 'leader' | 'lost'; readonly epoch: number };
  halt: { readonly mode: string; readonly reason: string };
  /** Orders are kept in memory only: what was under way when the process ends is not resolved by the next one. */
  'journal.volatile': { readonly venue: string; readonly account: string };
  /** A setting of the database with which what it has acknowledged may be lost; told once, when the journal is opened. */
  'journal.durability': { readonly setting: string; readonly value: string; readonly effect: string };
  'journal.append': { readonly records: number; readonly ms: number };
  /** `ms`: how long the opening took, where that is known. */
  'pool.created': { readonly pool: string; readonly ms?: number };
  'pool.destroyed': { readonly pool: string; readonly why: string };
  /** After every change of what the pool holds. */
  'pool.state': { readonly pool: string; readonly max: number; readonly size: number; readonly inUse: number; readonly waiting: number };
  'pool.acquired': { readonly pool: string; readonly waitedMs: number; readonly reused: boolean };
  /** A caller gave its connection back, or up. */
  'pool.released': { readonly pool: string; readonly heldMs: number };
  'pool.leak': { readonly pool: string; readonly heldMs: number; readonly takenAt?: string };
  'pool.create_failed': { readonly pool: string; readonly error: Error };
  'cache.read': {
    readonly kind: MarketKind;
    readonly key: string;
    readonly outcome: Read<unknown>['outcome'];
    readonly level: 'memory' | 'shared' | 'none';
    readonly ageMs: number;
    /** From the call to the value. */
    readonly waitedMs?: number;
    /** What the reader asked for, where it said so. */
    readonly maxAgeMs?: number | undefined;
    readonly consumer?: string | undefined;
  };
  /** A value was put in the place of what was held of its key. */
  'cache.kept': {
    readonly kind: MarketKind;
    readonly key: string;
    readonly origin: 'read' | 'scan' | 'prefetch' | 'stream';
    readonly value: unknown;
  };
  /**
   * Reads that memory answered, and peeks that found nothing, told together when metrics are collected, and only those that were not
   * told by a `cache.read` each: while nobody asks for that, a cached read costs no event. `ages` says how many were how old, to the
   * millisecond up to 127 ms and within 1 % above; reads through a handle are in `reads` alone.
   */
  'cache.reads': {
    readonly kind: MarketKind;
    readonly outcome: Read<unknown>['outcome'];
    readonly level: 'memory' | 'shared' | 'none';
    readonly reads: number;
    readonly ages: readonly (readonly [ageMs: number, times: number])[];
  };
  'cache.load': { readonly kind: MarketKind; readonly keys: number; readonly ms: number; readonly ok: boolean };
  'cache.prefetch': { readonly key: string; readonly useful: boolean };
  /** Whether anything is fetched ahead; `why` says what began or ended it: the host's call, or a limit of the venue. */
  'cache.prefetch_state': { readonly venue: string; readonly state: 'paused' | 'running'; readonly why: 'asked' | 'limit' };
  'cache.gap': { readonly key: string };
  /** The wall clocks of two hosts differ by more than was declared: what the other one wrote into the shared level is not read. */
  'cache.skew': { readonly apartMs: number; readonly allowedMs: number };
  'feed.update': { readonly feed: string; readonly symbol: string; readonly at: number };
  'fetch.state': { readonly running: number; readonly queued: number; readonly concurrency: number };
  /** A function still runs, and holds its slot, long after its caller was answered. */
  'fetch.stuck': { readonly group: string; readonly heldMs: number };
  /** A result was parsed; `ms` from the bytes to the value, the wait for a thread included. */
  'fetch.parse': { readonly bytes: number; readonly ms: number; readonly thread: 'main' | 'worker' };
  'fetch.task': { readonly group: string; readonly waitMs: number; readonly runMs: number; readonly ok: boolean };
  /** Metrics are about to be read: who counts by himself tells his counts before this returns. */
  'metrics.collect': { readonly at: number };
  alert: { readonly alert: AlertInstance; readonly from: AlertInstance['state'] };
  'alert.action': { readonly alert: AlertInstance; readonly action: string; readonly mode: 'dry_run' | 'auto'; readonly ok: boolean };
  /** A tick: how many rules were due, how many could not be evaluated, and how long all took. */
  'alert.evaluated': { readonly rules: number; readonly failed: number; readonly ms: number };
  /** A rule could not be evaluated. */
  'alert.failed': { readonly rule: string; readonly severity: Severity; readonly error: Error };
  /** One group of alerts was handed to a notifier, or could not be after all attempts. */
  'alert.notification': {
    readonly notifier: string;
    readonly status: 'firing' | 'resolved';
    readonly alerts: number;
    readonly attempts: number;
    readonly ms: number;
    readonly ok: boolean;
  };
}

/** What a module asks of a bus: an interface, so that mocks and a second copy of the package fit. */
export interface Bus<E extends object = VenueKitEvents> {
  /** @param how - `quiet`: takes what is told anyway, and {@link has} does not count it. @defaultValue heard */
  on<K extends keyof E>(event: K, listener: (payload: E[K]) => void, how?: 'heard' | 'quiet'): Disposable;
  emit<K extends keyof E>(event: K, payload: E[K]): void;
  has(event: keyof E): boolean;
  /** {@link has} for hot paths: a count that the bus keeps up to date. A bus without it is asked by name. */
  demand?(event: keyof E): { readonly asking: number };
}

/** The typed bus that all modules share; see {@link TypedEventBus}. */
export type EventBus<E extends object = VenueKitEvents> = TypedEventBus<E>;
/** {@inheritDoc TypedEventBus} */
export const EventBus: {
  new <E extends object = VenueKitEvents>(options?: ConstructorParameters<typeof TypedEventBus>[0]): TypedEventBus<E>;
} = TypedEventBus;
