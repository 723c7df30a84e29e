import type { Attempt, BrokerAdapter } from '../../contracts/broker.js';
import type { JournalRecord, OrderJournal } from '../../contracts/journal.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import type { OrderIntent } from '../../contracts/orders.js';
import type { Clock } from '../../core/clock.js';
import type { Cost } from '../../core/limits.js';

/** A request as it left for the venue. Times by the trial's monotonic clock. */
export interface SentRequest {
  readonly at: number;
  readonly operation: string;
  readonly costs: readonly Cost[];
  readonly intentId?: string;
  readonly clientOrderId?: string;
  /** Whether its `sending` record was durable then; absent where there is no journal to ask. */
  readonly isJournalled?: boolean;
}

/**
 * Stands where the network begins and writes down what passes: it sees what a kit really does,
 * whatever stands between the two and whatever the kit says of itself.
 */
export class Witness {
  readonly requests: SentRequest[] = [];
  readonly #clock: Clock;
  readonly #journalled = new Set<string>();
  readonly #sentAt = new WeakMap<object, number>();
  #hasJournal = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the request was sent that brought this value; undefined for one that was changed on its way. */
  sentAt(value: object): number | undefined {
    return this.#sentAt.get(value);
  }

  count(operation: string): number {
    return this.requests.reduce((sum, request) => sum + (request.operation === operation ? 1 : 0), 0);
  }

  broker(venue: BrokerAdapter & MarketDataAdapter): BrokerAdapter & MarketDataAdapter {
    const note = (operation: string, more: Partial<SentRequest> = {}): void => {
      this.requests.push({ at: this.#clock.monotonic(), operation, costs: venue.cost(operation), ...more });
    };
    const place = (intent: OrderIntent, clientOrderId: string, attempt: Attempt): ReturnType<BrokerAdapter['place']> => {
      const intentId = intent.intentId ?? '';
      const isJournalled = this.#journalled.has(recordName(intentId, attempt.number));
      note('place', { intentId, clientOrderId, ...(this.#hasJournal ? { isJournalled } : {}) });
      return venue.place(intent, clientOrderId, attempt);
    };
    return {
      venue: venue.venue,
      capabilities: venue.capabilities,
      limits: venue.limits,
      cost: (operation) => venue.cost(operation),
      place,
      cancel: (ref, attempt) => {
        note('cancel', { clientOrderId: ref.clientOrderId });
        return venue.cancel(ref, attempt);
      },
      find: (ref, attempt) => {
        note('find');
        return venue.find(ref, attempt);
      },
      openOrders: (attempt) => {
        note('openOrders');
        return venue.openOrders(attempt);
      },
      history: (since, attempt) => {
        note('history');
        return venue.history(since, attempt);
      },
      fills: (since, attempt) => {
        note('fills');
        return venue.fills(since, attempt);
      },
      events: (signal) => venue.events!(signal),
      serverTime: (attempt) => {
        note('serverTime');
        return venue.serverTime!(attempt);
      },
      observe: (listener) => venue.observe!(listener),
      batchLimit: (kind) => venue.batchLimit(kind),
      fetchCost: (kind, requests) => venue.fetchCost!(kind, requests),
      fetch: async (kind, requests, attempt) => {
        const at = this.#clock.monotonic();
        this.requests.push({ at, operation: 'fetch', costs: venue.fetchCost!(kind, requests) });
        const answers = await venue.fetch(kind, requests, attempt);
        for (const answer of answers) if (answer.status === 'fulfilled') this.#sentAt.set(answer.value, at);
        return answers;
      },
      stream: (kind, symbols, signal) => venue.stream!(kind, symbols, signal),
    };
  }

  journal(journal: OrderJournal): OrderJournal {
    this.#hasJournal = true;
    return {
      acquire: (account, owner, ttlMs) => journal.acquire(account, owner, ttlMs),
      append: async (records) => {
        await journal.append(records);
        for (const record of records) this.#durable(record);
      },
      byIntent: (id) => journal.byIntent(id),
      unresolved: (account) => journal.unresolved(account),
      cursor: (account, name) => journal.cursor(account, name),
      setCursor: (account, name, venueMs, epoch) => journal.setCursor(account, name, venueMs, epoch),
      compact: (account, before, epoch) => journal.compact(account, before, epoch),
      [Symbol.asyncDispose]: async () => journal[Symbol.asyncDispose](),
    };
  }

  #durable({ type, intentId, body }: Omit<JournalRecord, 'sequence'>): void {
    if (type === 'sending') this.#journalled.add(recordName(intentId, (body as { readonly attempt: number }).attempt));
  }
}

const recordName = (intentId: string, attempt: number): string => `${attempt} ${intentId}`;
