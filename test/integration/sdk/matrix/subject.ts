import type { BrokerAdapter } from '../../../../src/contracts/broker.js';
import type { Fault, SimulatedVenue } from '../../../../src/testing/index.js';
import type { CompositeWriter } from '../binance/composite-writers.js';

/** Of an attempt: long enough for a machine that does much else, short enough to be waited for a hundred times. */
export const ATTEMPT_MS = 1_500;

/** Whatever a case is about, the start before it may take its time. */
export const READY_MS = 90_000;

/** What an SDK shows of an order, in one form. */
export interface ShownOrder {
  readonly venueOrderId: string;
  readonly clientOrderId?: string | undefined;
}

/** What becomes of an order that is looked up. */
export type ShownState = 'open' | 'filled' | 'canceled';

/** A wrapped SDK object at a venue of its own. */
export interface SubjectAtVenue extends AsyncDisposable {
  readonly venue: SimulatedVenue;
  ready(): Promise<unknown>;
  place(kind: string): Promise<ShownOrder>;
  state(order: ShownOrder): Promise<ShownState>;
  /** Rejects unless the SDK says that the order is cancelled. */
  cancel(order: ShownOrder): Promise<void>;
  quote(): Promise<number>;
  factsOf(error: unknown): { readonly code: string; readonly sent: string } | undefined;
  /** Places an order that the account can not pay. */
  placeUnaffordable(): Promise<ShownOrder>;
  /** Places a limit order under a client order id of the bot's own. */
  placeAs(clientOrderId: string): Promise<ShownOrder>;
  /** The SDK as an adapter, for the stream of own orders; the symbol of it. */
  readonly adapter: () => { readonly adapter: BrokerAdapter; readonly symbol: string; readonly qty: string; readonly restingPrice: string };
  /** Follows the SDK's own stream of own orders, as the bot does. @param heard - the state of an order by its latest event */
  readonly follow?: (heard: (order: { readonly venueOrderId: string; readonly state: ShownState }) => void) => Promise<unknown>;
  /** What makes and changes orders by other requests than one for a plain order. */
  readonly composites?: CompositeWriter;
  /** Cancels past venuekit, by an SDK object of its own. */
  cancelElsewhere(venueOrderId: string): Promise<unknown>;
}

/** One column of the matrix. */
export interface Subject {
  readonly name: string;
  /** The price of what it trades. */
  readonly price: number;
  /** The kinds of orders that it places, and what becomes of each; the last one rests. */
  readonly kinds: Readonly<Record<string, 'open' | 'filled'>>;
  /** How the venue says that it does not know what became of a request, and whether it bans. */
  readonly ambiguous: Omit<Fault, 'operation'>;
  readonly bans: boolean;
  /** Whether the venue may make two orders of one request that the network delivers twice: where nothing in it counts once only. */
  readonly doublesRequests: boolean;
  /** Whether it is one that can be asked for replacements, lists and trailing stops of Binance. */
  readonly hasComposites?: true;
  open(policy?: { readonly deadlineMs?: number }): Promise<SubjectAtVenue>;
}
