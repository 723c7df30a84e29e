import type { BrokerAdapter, VenueOrder } from '../contracts/broker.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Evidence } from './evidence.js';
import type { JournalWriter } from './journal-writer.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { LiveOrder } from './live-order.js';
import type { OrderTable } from './order-table.js';
import { MARGIN_MS } from './trading-defaults.js';
import type { LookOptions, VenueCalls } from './venue-calls.js';
import { requireFillShape, requireOrderShape } from './venue-shapes.js';

/** What one round of listings showed. */
export interface Sweep {
  /** Whether open orders and history were both read to their end. */
  readonly isComplete: boolean;
  /** The venue's time, by an answer that came before the listings were asked for; -Infinity without one. */
  readonly notBefore: number;
  readonly seen: ReadonlySet<LiveOrder>;
  readonly external: readonly VenueOrder[];
  readonly error?: Error;
}

const CURSOR = 'history';
const CURSOR_EVERY_MS = 5_000;

/**
 * Reads what the venue has, all at once: its time, open orders, history, fills. One sweep serves
 * every order that waits for news, so its cost does not grow with their number.
 */
export class Sweeper {
  readonly #adapter: BrokerAdapter;
  readonly #calls: VenueCalls;
  readonly #table: OrderTable;
  readonly #evidence: Evidence;
  readonly #journal: OrderJournal;
  readonly #writer: JournalWriter;
  readonly #lease: LeaseKeeper;
  readonly #clock: Clock;
  readonly #account: string;
  #cursor: number | undefined;
  #cursorSavedAt = -Infinity;
  #count = 0;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly calls: VenueCalls;
    readonly table: OrderTable;
    readonly evidence: Evidence;
    readonly journal: OrderJournal;
    readonly writer: JournalWriter;
    readonly lease: LeaseKeeper;
    readonly clock: Clock;
    readonly account: string;
  }) {
    this.#adapter = parts.adapter;
    this.#calls = parts.calls;
    this.#table = parts.table;
    this.#evidence = parts.evidence;
    this.#journal = parts.journal;
    this.#writer = parts.writer;
    this.#lease = parts.lease;
    this.#clock = parts.clock;
    this.#account = parts.account;
  }

  get count(): number {
    return this.#count;
  }

  /** Where the last run stopped reading. */
  async open(): Promise<void> {
    this.#cursor = await this.#journal.cursor(this.#account, CURSOR);
  }

  async sweep(options: Omit<LookOptions, 'symbol'>): Promise<Sweep> {
    this.#count++;
    const started = this.#calls.clock.now();
    let notBefore = -Infinity;
    if (this.#calls.tellsTime) {
      try {
        notBefore = await this.#calls.syncClock(options);
      } catch (error) {
        return { isComplete: false, notBefore, seen: new Set(), external: [], error: asError(error) };
      }
    }
    const from = this.#from(started);
    if (this.#cursor === undefined) {
      try {
        await this.#begin(from);
      } catch (error) {
        return { isComplete: false, notBefore, seen: new Set(), external: [], error: asError(error) };
      }
    }
    const since = Math.max(0, from - this.#slack());
    const [open, history, fills] = await Promise.allSettled([
      this.#calls.list('openOrders', (attempt) => this.#adapter.openOrders(attempt), { ...options, check: requireOrderShape }),
      this.#calls.list('history', (attempt) => this.#adapter.history(since, attempt), { ...options, check: requireOrderShape }),
      this.#calls.list('fills', (attempt) => this.#adapter.fills(since, attempt), { ...options, check: requireFillShape }),
    ]);
    const seen = new Set<LiveOrder>();
    const external: VenueOrder[] = [];
    for (const listing of [open, history]) {
      if (listing.status !== 'fulfilled') continue;
      for (const shown of listing.value) {
        const whose = await this.#evidence.order(shown, 'scan');
        if (whose instanceof LiveOrder) seen.add(whose);
        else if (whose === 'external') external.push(shown);
      }
    }
    if (fills.status === 'fulfilled') for (const fill of fills.value) this.#evidence.fill(fill);
    const failed = [open, history, fills].find((listing) => listing.status === 'rejected');
    if (failed === undefined) await this.#advance(notBefore > -Infinity ? notBefore : started);
    return {
      isComplete: open.status === 'fulfilled' && history.status === 'fulfilled',
      notBefore,
      seen,
      external,
      ...(failed === undefined ? undefined : { error: asError(failed.reason) }),
    };
  }

  /** Since when something of interest may have happened that was not read, by the venue's time. */
  #from(venueNow: number): number {
    let from = this.#cursor ?? venueNow;
    for (const set of [this.#table.unknown, this.#table.incomplete]) {
      for (const order of set) from = Math.min(from, order.model.attempts[0]?.venueNow ?? from);
    }
    // Listings go by last change: what works since before the cursor shows up when something becomes of it.
    if (this.#cursor === undefined) for (const order of this.#table.working) from = Math.min(from, order.model.attempts[0]?.venueNow ?? from);
    return from;
  }

  /** What may not have been visible when it was read. */
  #slack(): number {
    return this.#adapter.capabilities.visibilityLagMs + MARGIN_MS + Math.min(this.#calls.clock.uncertaintyMs, 60_000);
  }

  // The next run must begin here even if this one never reads a listing to its end: an order that was over may
  // still fill while nobody looks.
  async #begin(from: number): Promise<void> {
    await this.#journal.setCursor(this.#account, CURSOR, from, this.#lease.epoch);
    this.#cursor = from;
  }

  // What was read to its end need not be read again, but for what may not have been visible yet.
  async #advance(venueMs: number): Promise<void> {
    this.#cursor = Math.max(this.#cursor ?? 0, venueMs);
    const now = this.#clock.monotonic();
    if (now - this.#cursorSavedAt < CURSOR_EVERY_MS) return;
    // What was read must be in the journal before it says that it need not be read again.
    if (!(await this.#writer.flushNoted())) return;
    this.#cursorSavedAt = now;
    await this.#journal.setCursor(this.#account, CURSOR, this.#cursor, this.#lease.epoch).catch(() => {});
  }
}
