import type { BrokerAdapter } from '../../contracts/broker.js';
import type { OrderIntent, OrderView } from '../../contracts/orders.js';
import { factsOf, withFacts } from './error-facts.js';
import type { OrderAnswers } from './order-answers.js';
import type { SdkSession } from './sdk-session.js';

/** What the SDK's caller gets for an order where no answer to its own sending is at hand. */
export interface OrderFinder {
  /** For an order that was adopted by look-up. */
  placed(view: OrderView): Promise<unknown>;
  /** For an order that is known to be cancelled. */
  cancelled(view: OrderView): Promise<unknown>;
}

/** The order calls of an SDK through the order path, answered in the SDK's own words. */
export class OrderCalls {
  readonly #session: SdkSession;
  readonly #answers: OrderAnswers;
  readonly #finder: OrderFinder;

  constructor(session: SdkSession, answers: OrderAnswers, finder: OrderFinder) {
    this.#session = session;
    this.#answers = answers;
    this.#finder = finder;
  }

  /** @throws as {@link SdkSession.place}. */
  async place(intent: OrderIntent): Promise<unknown> {
    const { view, handle } = await this.#session.place(intent, (id) => this.#answers.of(id).placeError);
    const { clientOrderId } = view;
    try {
      return this.#answers.of(clientOrderId).placed ?? (await this.#finder.placed(view));
    } catch (error) {
      // What failed is the look for the venue's words, not the order.
      throw factsOf(error)?.handle === undefined ? withFacts(error, { code: 'DEADLINE', sent: 'yes', clientOrderId, handle }) : error;
    }
  }

  /**
   * @param ask - the same cancel, past the order path: of an order that was over before one was sent, the venue itself says so.
   * @throws as {@link SdkSession.place}; also where the order was over otherwise first.
   */
  async cancel(known: OrderView, ask: () => Promise<unknown>): Promise<unknown> {
    const { clientOrderId } = known;
    const view = await this.#session.cancel(known, (id) => this.#answers.of(id).cancelError);
    const { cancelled, cancelError, isCancelDoubtful, isCancelRejected } = this.#answers.of(clientOrderId);
    if (cancelled !== undefined) return cancelled;
    // Refused without any doubt, it was not this call that ended the order.
    const isOurs = isCancelRejected !== true || isCancelDoubtful === true;
    if (isOurs && (view.state === 'canceled' || view.state === 'expired')) return this.#finder.cancelled(view);
    if (isCancelRejected !== true) return ask();
    // Some SDKs throw plain objects.
    throw withFacts(cancelError, { code: 'REJECTED', sent: 'yes', clientOrderId });
  }

  /** An order of the order path that is not over, by either id. */
  open(ref: OrderName): OrderView | undefined {
    const view = this.#known(ref);
    return view === undefined || isOver(view) ? undefined : view;
  }

  #known({ clientOrderId, venueOrderId, symbol }: OrderName): OrderView | undefined {
    const { client } = this.#session;
    const byIntent = clientOrderId === undefined ? undefined : client.order(clientOrderId)?.view;
    if (byIntent !== undefined) return byIntent;
    return client
      .orders()
      .filter((view) => symbol === undefined || view.intent.symbol === symbol)
      .find((view) => (venueOrderId === undefined ? view.clientOrderId === clientOrderId : view.venueOrderIds.includes(venueOrderId)));
  }
}

/** How a call of the SDK names an order. */
interface OrderName {
  readonly clientOrderId?: string;
  readonly venueOrderId?: string;
  /** Needed with the venue's id where the venue counts its orders by symbol. */
  readonly symbol?: string;
}

function isOver({ state }: OrderView): boolean {
  return ['filled', 'canceled', 'expired', 'rejected', 'abandoned'].includes(state);
}

/**
 * The order side of an adapter alone. What the venue refuses must reach the bot as the SDK's own error, so the order path is not
 * told of instruments, and leaves their steps to the venue; nor of the stream, since it needs the SDK's own words.
 */
export function orderSideOf(adapter: BrokerAdapter): BrokerAdapter {
  return {
    venue: adapter.venue,
    capabilities: adapter.capabilities,
    limits: adapter.limits,
    cost: (operation) => adapter.cost(operation),
    place: (intent, clientOrderId, attempt) => adapter.place(intent, clientOrderId, attempt),
    cancel: (ref, attempt) => adapter.cancel(ref, attempt),
    ...(adapter.amend === undefined ? {} : { amend: (ref, to, attempt) => adapter.amend!(ref, to, attempt) }),
    find: (ref, attempt) => adapter.find(ref, attempt),
    openOrders: (attempt) => adapter.openOrders(attempt),
    history: (since, attempt) => adapter.history(since, attempt),
    fills: (since, attempt) => adapter.fills(since, attempt),
    ...(adapter.serverTime === undefined ? {} : { serverTime: (attempt) => adapter.serverTime!(attempt) }),
    ...(adapter.observe === undefined ? {} : { observe: (listener) => adapter.observe!(listener) }),
  };
}
