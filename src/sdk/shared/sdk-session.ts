import type { BrokerAdapter } from '../../contracts/broker.js';
import type { CallOptions } from '../../contracts/calls.js';
import { type Bus, EventBus } from '../../contracts/events.js';
import type { OrderHandle, OrderIntent, OrderView } from '../../contracts/orders.js';
import { TradingError, type TradingErrorCode } from '../../contracts/trading-error.js';
import type { ReconcileReport } from '../../contracts/trading-policy.js';
import { Cleanup } from '../../core/cleanup.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { isVenueKitError } from '../../core/errors.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { instrument } from '../../metrics/instrument.js';
import { MemoryOrderJournal } from '../../stores/memory/memory-order-journal.js';
import { ResilientTradingClient } from '../../trading/resilient-trading-client.js';
import { type ErrorFacts, withFacts } from './error-facts.js';
import type { ResilientOptions } from './resilient-options.js';

const DEADLINE_MS = 30_000;
const ACCOUNT = 'main';

/** What became of an order call. */
export interface PlacedOrder {
  readonly handle: OrderHandle;
  readonly view: OrderView;
}

/**
 * The order path under one SDK object: started when it is first needed, shared by all its calls, and
 * closed by `release`.
 */
export class SdkSession {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlineMs: number;
  readonly client: ResilientTradingClient;
  readonly #made = new Cleanup();
  readonly #venue: string;
  readonly #canSign: () => boolean;

  /** @param timeoutMs - of one attempt: the SDK's own. @param canSign - whether the SDK has credentials now. */
  constructor(adapter: BrokerAdapter, timeoutMs: number, options: ResilientOptions, canSign: () => boolean = () => true) {
    this.#venue = adapter.venue;
    this.#canSign = canSign;
    const { clock = systemClock, random, policy = {} } = options;
    this.clock = clock;
    this.bus = options.bus ?? new EventBus();
    this.logger = redactingLogger(options.logger);
    this.deadlineMs = policy.deadlineMs ?? DEADLINE_MS;
    const journal = options.journal ?? this.#made.use(new MemoryOrderJournal({ clock }));
    const client = new ResilientTradingClient({
      adapter,
      journal,
      account: ACCOUNT,
      policy: { ...policy, timeoutMs },
      bus: this.bus,
      clock,
      ...(random === undefined ? {} : { random }),
      ...(options.logger === undefined ? {} : { logger: options.logger }),
    });
    // After the client, which may refuse its options: a bus of the host's that was listened to would be for good, and counted twice.
    if (options.metrics !== undefined) this.#made.use(instrument(this.bus, options.metrics, { clock }));
    this.client = this.#made.use(client);
    if (options.journal === undefined) {
      this.logger.warn(
        { venue: adapter.venue, option: 'journal' },
        'orders are journalled in memory only: what is under way when this process ends is not resolved by the next one; give a SqliteOrderJournal of venuekit/sqlite to survive that',
      );
      if (this.bus.has('journal.volatile')) this.bus.emit('journal.volatile', { venue: adapter.venue, account: ACCOUNT });
    }
  }

  /** Lease, replay, stream, reconciliation: once. A start that failed is tried again by whoever needs it next. */
  async ready(options: CallOptions = {}): Promise<ReconcileReport> {
    // Asked for an account that it has no key to, the venue would be asked until the deadline.
    if (!this.#canSign())
      throw new TradingError(
        'AUTH',
        `the SDK object has no credentials for ${this.#venue}: give it API key and secret; without them there is public data alone`,
        {
          sent: 'no',
        },
      );
    return this.client.start({ deadlineMs: this.deadlineMs, ...options });
  }

  /**
   * Places an order and waits until the venue has it, it is over, or the deadline has come.
   * @param causeOf - the SDK's own error of the latest sending, which is what a caller expects to catch.
   * @throws the SDK's error, or a TradingError where the SDK had none, with {@link ErrorFacts} beside it.
   */
  async place(intent: OrderIntent, causeOf: (clientOrderId: string) => unknown): Promise<PlacedOrder> {
    const until = this.clock.monotonic() + this.deadlineMs;
    const left = (): number => Math.max(1, until - this.clock.monotonic());
    let handle: OrderHandle | undefined;
    try {
      await this.ready({ deadlineMs: left() });
      handle = await this.client.place(intent, { deadlineMs: left() });
      const view = await handle.acked({ deadlineMs: left() });
      const failure = failureOf(view);
      if (failure === undefined) return { handle, view };
      const { clientOrderId } = view;
      throw withFacts(causeOf(clientOrderId) ?? tradingError(view, failure), { ...failure, clientOrderId, handle });
    } catch (error) {
      throw this.#told(error, handle, causeOf);
    }
  }

  /**
   * Cancels an order of the order path.
   * @returns the order once it is over; it may have filled first.
   * @throws as {@link SdkSession.place}.
   */
  async cancel({ intent, clientOrderId }: OrderView, causeOf: (clientOrderId: string) => unknown): Promise<OrderView> {
    try {
      return await this.client.cancel(intent.intentId, { deadlineMs: this.deadlineMs });
    } catch (error) {
      throw this.#told(error, this.client.order(intent.intentId), () => causeOf(clientOrderId));
    }
  }

  /**
   * Amends an order of the order path in its place.
   * @throws as {@link SdkSession.place}.
   */
  async amend({ intent }: OrderView, to: { readonly qty?: string; readonly price?: string }, causeOf: () => unknown): Promise<OrderView> {
    try {
      return await this.client.replace(intent.intentId, to, { deadlineMs: this.deadlineMs });
    } catch (error) {
      throw this.#told(error, this.client.order(intent.intentId), causeOf);
    }
  }

  release(): Promise<void> {
    return this.#made[Symbol.asyncDispose]();
  }

  // An error of the order path itself becomes the SDK's own where there was one.
  #told(error: unknown, placed: OrderHandle | undefined, causeOf: (clientOrderId: string) => unknown): unknown {
    if (!isVenueKitError(error)) return error;
    const { code, sent, handle = placed } = error as Partial<TradingError>;
    if (code === undefined || sent === undefined) return error;
    const clientOrderId = handle?.view.clientOrderId;
    const isVenues = code === 'OUTCOME_UNKNOWN' || code === 'REJECTED';
    const own = clientOrderId === undefined || !isVenues ? undefined : causeOf(clientOrderId);
    return withFacts(own ?? error, {
      code,
      sent,
      ...(clientOrderId === undefined ? {} : { clientOrderId }),
      ...(handle === undefined ? {} : { handle }),
    });
  }
}

type Failure = Pick<ErrorFacts, 'code' | 'sent'>;

function failureOf({ state, attempts }: OrderView): Failure | undefined {
  switch (state) {
    case 'rejected':
      return { code: 'REJECTED', sent: 'yes' };
    case 'abandoned':
      // With proof of absence, whatever was sent has made no order.
      return { code: attempts === 0 ? 'NOT_SENT' : 'DEADLINE', sent: 'no' };
    case 'escalated':
      return { code: 'OUTCOME_UNKNOWN', sent: 'maybe' };
    default:
      return undefined;
  }
}

function tradingError({ intent, state, reason }: OrderView, { code, sent }: { code: TradingErrorCode; sent: ErrorFacts['sent'] }): TradingError {
  return new TradingError(code, `Order ${intent.intentId} is ${state}${reason === undefined ? '' : `: ${reason}`}.`, {
    sent,
    intentId: intent.intentId,
  });
}
