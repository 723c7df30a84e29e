import type { OrderJournal } from '../contracts/journal.js';
import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import type { ClientOrderIds } from './client-order-ids.js';
import type { Halts } from './halts.js';
import type { InstrumentFilters } from './instrument-filters.js';
import type { LiveOrder } from './live-order.js';
import { entry } from './order-entry.js';
import { reduce } from './order-reducer.js';
import type { OrderTable } from './order-table.js';
import { checkedIntent, payloadHash } from './payload.js';
import type { Placer } from './placer.js';
import { requireSendable } from './sendable.js';

/** How long a caller has to try again after the journal failed. */
const DOUBT_MS = 10_000;

/** Turns what a caller wants into an order, or into the order that it has become already. */
export class IntentIntake {
  readonly #account: string;
  readonly #table: OrderTable;
  readonly #journal: OrderJournal;
  readonly #halts: Halts;
  readonly #filters: InstrumentFilters;
  readonly #placer: Placer;
  readonly #ids: ClientOrderIds;
  readonly #clock: Clock;
  readonly #resuming: (order: LiveOrder) => void;
  readonly #taking = new Map<string, Promise<LiveOrder>>();
  // Intents whose first write failed: nothing of them was sent, but the record may be durable.
  readonly #doubtful = new Set<string>();
  #placed = 0;

  constructor(parts: {
    readonly account: string;
    readonly table: OrderTable;
    readonly journal: OrderJournal;
    readonly halts: Halts;
    readonly filters: InstrumentFilters;
    readonly placer: Placer;
    readonly ids: ClientOrderIds;
    readonly clock: Clock;
    readonly resume: (order: LiveOrder) => void;
  }) {
    this.#account = parts.account;
    this.#table = parts.table;
    this.#journal = parts.journal;
    this.#halts = parts.halts;
    this.#filters = parts.filters;
    this.#placer = parts.placer;
    this.#ids = parts.ids;
    this.#clock = parts.clock;
    this.#resuming = parts.resume;
  }

  /** Orders made so far. */
  get placed(): number {
    return this.#placed;
  }

  /** @throws TradingError INVALID, IDEMPOTENCY_CONFLICT, INTENT_EXPIRED, HALTED. */
  async take(wanted: OrderIntent, deadlineMs: number, linkedFrom?: string): Promise<LiveOrder> {
    const intent = checkedIntent(wanted, this.#account);
    const hash = payloadHash(intent);
    const { intentId } = intent;
    if (intentId === undefined) return this.#make({ ...intent, intentId: this.#ids.next(this.#clock.now()) }, hash, deadlineMs, linkedFrom);
    const known = this.#table.get(intentId);
    if (known !== undefined) return this.#same(known, hash);
    // Several calls with one id at once: the first asks the journal, all get its order.
    const taking = this.#taking.get(intentId);
    if (taking !== undefined) return this.#same(await taking, hash);
    const taken = this.#takeNew({ ...intent, intentId }, hash, deadlineMs, linkedFrom);
    this.#taking.set(intentId, taken);
    try {
      return this.#same(await taken, hash);
    } finally {
      this.#taking.delete(intentId);
    }
  }

  /** The order of an id that is not in memory, if the journal has it. */
  async fromJournal(intentId: string): Promise<LiveOrder | undefined> {
    const order = await this.#table.load(this.#journal, intentId, this.#account);
    if (order !== undefined && !order.isSettled) this.#resuming(order);
    return order;
  }

  async #takeNew(intent: OrderIntent & { readonly intentId: string }, hash: string, deadlineMs: number, linkedFrom?: string): Promise<LiveOrder> {
    const isDoubtful = this.#doubtful.delete(intent.intentId);
    const known = isDoubtful ? await this.#unsent(intent.intentId) : await this.fromJournal(intent.intentId);
    if (known === undefined) return this.#make(intent, hash, deadlineMs, linkedFrom);
    if (isDoubtful && known.state === 'prepared') this.#placer.resume(known, this.#clock.monotonic() + deadlineMs);
    return known;
  }

  /** The order of a write that was reported as failed, if it is in the journal: known never to have been sent. */
  async #unsent(intentId: string): Promise<LiveOrder | undefined> {
    const order = await this.#table.load(this.#journal, intentId, this.#account);
    if (order === undefined || order.isSettled || order.isDriven) return order;
    for (const { number, outcome } of order.model.attempts) {
      if (outcome === 'open')
        this.#table.record(order, 'unsent', { attempt: number, why: 'local', reason: 'the journal failed before it could be sent' });
    }
    return order;
  }

  // Unless the caller tries again, what the journal may have kept must not stay open until the next start.
  #doubt(intentId: string): void {
    this.#doubtful.add(intentId);
    this.#clock.schedule(DOUBT_MS, () => {
      if (!this.#doubtful.delete(intentId)) return;
      this.#unsent(intentId).then(
        (order) => {
          if (order?.state === 'prepared' && !order.isDriven)
            this.#table.record(order, 'ended', { state: 'abandoned', reason: 'the journal failed before it could be sent' });
        },
        () => this.#doubt(intentId),
      );
    });
  }

  async #make(intent: OrderIntent & { readonly intentId: string }, hash: string, deadlineMs: number, linkedFrom?: string): Promise<LiveOrder> {
    if (!this.#filters.isReady(intent.symbol)) await this.#filters.learn(intent.symbol);
    // What was asked meanwhile may have taken until the client was closed.
    this.#placer.requireOpen();
    const now = this.#clock.now();
    requireSendable(intent, now, this.#halts, 'nothing was written');
    this.#filters.check(intent);
    const clientOrderId = this.#ids.fits(intent.intentId) ? intent.intentId : this.#ids.next(now);
    const prepared = entry('prepared', now, {
      intent: Object.freeze(intent),
      clientOrderId,
      payloadHash: hash,
      ...(linkedFrom === undefined ? undefined : { linkedFrom }),
    });
    const order = this.#table.add(reduce(undefined, prepared));
    order.deadlineAt = this.#clock.monotonic() + deadlineMs;
    this.#placed++;
    if (clientOrderId !== intent.intentId) this.#table.noteAlias(clientOrderId, intent.intentId);
    order.durable = this.#placer.begin(order, prepared).catch((error: unknown) => {
      this.#table.drop(order);
      this.#doubt(order.id);
      throw error;
    });
    order.durable.catch(() => {});
    return order;
  }

  #same(order: LiveOrder, hash: string): LiveOrder {
    // Versions before this one hashed numbers and texts apart.
    if (order.model.payloadHash === hash || payloadHash(order.model.intent) === hash) return order;
    throw new TradingError('IDEMPOTENCY_CONFLICT', `Intent ${order.id} was placed before with another payload: an id names one order for good.`, {
      intentId: order.id,
      sent: order.model.attempts.length > 0 ? 'maybe' : 'no',
    });
  }
}
