import type { VenueOrder } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { Clock } from '../core/clock.js';
import { isDecimal, isZero, sign } from '../core/decimal.js';
import { FifoMap } from '../core/fifo-map.js';
import type { Logger } from '../core/logger.js';
import type { Halts } from './halts.js';
import type { LiveOrder } from './live-order.js';
import type { EvidenceSource } from './order-entry.js';
import { filledQty, isDistorted, isLive, legFilled, legState } from './order-model.js';
import { isVenueState, sameOr } from './order-states.js';
import type { OrderTable } from './order-table.js';
import { MARGIN_MS } from './trading-defaults.js';
import type { ListedFill } from './venue-shapes.js';

/** How many external orders are remembered as already reported. */
const REPORTED = 10_000;

const RESOLVED_BY = { answer: 'find', find: 'find', stream: 'stream', scan: 'scan' } as const;

/**
 * Where everything that the venue shows comes in, whichever way: it is matched with the order that
 * it belongs to, checked, and applied. Order of arrival means nothing.
 */
export class Evidence {
  readonly #account: string;
  readonly #table: OrderTable;
  readonly #journal: OrderJournal;
  readonly #halts: Halts;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #isLasting: boolean;
  readonly #reported = new FifoMap<string, true>();
  /** Called when an order that nobody knew about has been found at the venue, or that waits for a cancel. */
  onAdopted: (order: LiveOrder) => void = () => {};

  constructor(parts: {
    readonly account: string;
    readonly table: OrderTable;
    readonly journal: OrderJournal;
    readonly halts: Halts;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly logger: Logger;
    /** Whether a client order id makes one order for good. */
    readonly isLasting: boolean;
  }) {
    this.#account = parts.account;
    this.#table = parts.table;
    this.#journal = parts.journal;
    this.#halts = parts.halts;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
    this.#isLasting = parts.isLasting;
  }

  /**
   * Takes in an order that the venue shows.
   * @returns the order of ours that it is; `external` where it is none; `foreign` where it carries
   * our id but can't be ours.
   */
  async order(seen: VenueOrder, by: EvidenceSource): Promise<LiveOrder | 'external' | 'foreign'> {
    const known = this.#lookUp(seen);
    if (known !== undefined) return this.orderOf(known, seen, by);
    const ghost = seen.clientOrderId === undefined ? undefined : this.#table.ghost(seen.clientOrderId);
    // As it was when it left memory: nothing new. A second order by its id is.
    const isKnown = ghost?.venueOrderIds.includes(seen.venueOrderId) === true;
    if (isKnown && ghost.state === seen.state && ghost.filledQty === seen.filledQty) return 'foreign';
    if (seen.clientOrderId === undefined || this.#reported.has(nameOf(seen))) return this.#external(seen);
    const loaded = await this.#table.load(this.#journal, ghost?.intentId ?? seen.clientOrderId, this.#account);
    return loaded === undefined ? this.#external(seen) : this.orderOf(loaded, seen, by);
  }

  /** As {@link order}, where it is clear whose it is. */
  orderOf(order: LiveOrder, seen: VenueOrder, by: EvidenceSource): LiveOrder | 'foreign' {
    if (!isSane(seen)) {
      this.conflict(order, seen, 'the venue shows an order with a state or quantities that no order can have');
      return 'foreign';
    }
    if (this.isOfAnother(order, seen)) {
      this.#logger.warn(
        { intentId: order.id, venueOrderId: seen.venueOrderId },
        'an answer shows another order than was asked about; it says nothing',
      );
      return 'foreign';
    }
    const isNews = !order.model.legs.some((leg) => leg.venueOrderId === seen.venueOrderId && leg.order !== undefined);
    if (isNews) {
      const mismatch = order.model.final === undefined ? this.#mismatch(order, seen) : undefined;
      if (mismatch !== undefined) {
        this.conflict(order, seen, mismatch.why);
        if (mismatch.isDistorted && !order.isDriven) this.#distorted(order, mismatch.why);
        return 'foreign';
      }
    }
    const wasUnknown = order.state === 'unknown' || order.state === 'escalated';
    const { ended, final } = order.model;
    const endedAs = ended?.state ?? (final?.venueOrderIds.length === 0 ? final.state : undefined);
    const since = order.watch?.since;
    const filledBefore = filledQty(order.model);
    this.#table.record(order, 'seen', { order: seen, by });
    if (endedAs !== undefined && isNews && seen.state !== 'rejected') {
      this.conflict(order, seen, `the venue shows an order of an intent that had ended as ${endedAs}`);
    }
    if (seen.state === 'rejected') this.#afterRejection(order);
    this.#checkLegs(order, seen);
    this.#checkLinked(order, filledBefore);
    if (sameOr(seen.filledQty, seen.qty) > 0) this.conflict(order, seen, `the venue shows ${seen.filledQty} filled of an order over ${seen.qty}`);
    if (wasUnknown && order.state !== 'unknown' && order.state !== 'escalated') {
      order.watch = undefined;
      if (this.#bus.has('order.resolved')) {
        const tookMs = since === undefined ? 0 : this.#clock.monotonic() - since;
        this.#bus.emit('order.resolved', { order: order.view, by: RESOLVED_BY[by], tookMs });
      }
    }
    if (order.model.cancelReason !== undefined || order.model.replacing !== undefined) this.onAdopted(order);
    return order;
  }

  /** The venue answers our request with an order by an id that we never sent: something was made of the request, and no look-up will show it. */
  misnamed(order: LiveOrder, seen: VenueOrder): void {
    this.conflict(order, seen, `the venue accepted our order as ${seen.clientOrderId ?? 'none'}, an id that was never sent`);
  }

  /** Whether what is shown of one of our orders is another one of ours: an answer that went astray. */
  isOfAnother(order: LiveOrder, seen: VenueOrder): boolean {
    const owner =
      this.#table.byVenueId(seen.venueOrderId, seen.symbol) ??
      (seen.clientOrderId === undefined ? undefined : this.#table.byClientId(seen.clientOrderId));
    return owner !== undefined && owner !== order;
  }

  /** Takes in a fill. @returns whether it belongs to an order of ours. */
  fill({ venueOrderId, clientOrderId, symbol, fill }: ListedFill): boolean {
    const named = clientOrderId === undefined ? undefined : this.#table.byClientId(clientOrderId);
    const order = symbol === undefined ? (named ?? this.#table.byVenueId(venueOrderId)) : (this.#table.byVenueId(venueOrderId, symbol) ?? named);
    if (order === undefined) return false;
    if (!isDecimal(fill.qty) || !isDecimal(fill.price) || sign(fill.qty) <= 0) {
      this.#contradiction(order, `the venue shows a fill of ${fill.qty} at ${fill.price}, which no fill can be`, []);
      return true;
    }
    const filledBefore = filledQty(order.model);
    this.#table.record(order, 'fill', { venueOrderId, ...(clientOrderId === undefined ? undefined : { clientOrderId }), fill });
    this.#checkLinked(order, filledBefore);
    this.#checkFills(order, venueOrderId);
    return true;
  }

  /** The venue contradicts itself, or us: say so, and stop trading until somebody has looked. */
  conflict(order: LiveOrder, seen: VenueOrder, why: string): void {
    order.conflicts ??= new Set();
    if (order.conflicts.has(seen.venueOrderId)) return;
    order.conflicts.add(seen.venueOrderId);
    const live = order.model.legs.filter((leg) => leg.order !== undefined && isLive(leg, order.model.qty)).map((leg) => leg.order as VenueOrder);
    this.#contradiction(order, why, live.some((leg) => leg.venueOrderId === seen.venueOrderId) ? live : [...live, seen]);
  }

  /** More may be filled in all than was asked for. */
  filledAfterReplacement(order: LiveOrder): void {
    this.#contradiction(order, 'an order has filled after its remainder had been placed anew', []);
  }

  #contradiction(order: LiveOrder, why: string, live: readonly VenueOrder[]): void {
    this.#table.record(order, 'conflict', { reason: why, live });
    this.#logger.error({ intentId: order.id, venueOrderIds: order.view.venueOrderIds }, `conflict: ${why}`);
    if (this.#bus.has('order.conflict')) this.#bus.emit('order.conflict', { order: order.view, live });
    this.#halts.impose('halted', `conflict on ${order.id}: ${why}`);
  }

  #lookUp(seen: VenueOrder): LiveOrder | undefined {
    const byVenue = this.#table.byVenueId(seen.venueOrderId, seen.symbol);
    if (byVenue !== undefined || seen.clientOrderId === undefined) return byVenue;
    return this.#table.byClientId(seen.clientOrderId);
  }

  #external(seen: VenueOrder): 'external' {
    if (this.#reported.has(nameOf(seen))) return 'external';
    this.#reported.set(nameOf(seen), true);
    if (this.#reported.size > REPORTED) this.#reported.shift();
    if (this.#bus.has('order.external')) this.#bus.emit('order.external', { order: seen });
    return 'external';
  }

  /**
   * What speaks against taking an order with our id for ours; undefined where nothing does. `isDistorted`: it
   * may have been made of our request all the same, since nobody else would send that id.
   */
  #mismatch(order: LiveOrder, seen: VenueOrder): { readonly why: string; readonly isDistorted: boolean } | undefined {
    const first = order.model.attempts[0];
    if (first === undefined) return { why: 'our id is on an order although nothing was sent', isDistorted: false };
    // Only where the venue had told its time can ours be compared with it.
    const isEarlier = first.uncertaintyMs !== undefined && seen.venueTime < first.venueNow - MARGIN_MS - first.uncertaintyMs;
    const why = this.#difference(order, seen) ?? (isEarlier ? 'our id is on an order from before our first send' : undefined);
    return why === undefined ? undefined : { why, isDistorted: !isEarlier };
  }

  #difference(order: LiveOrder, seen: VenueOrder): string | undefined {
    const { intent, amendment, qty, price } = order.model;
    if (seen.symbol !== intent.symbol || seen.side !== intent.side) return `our id is on an order to ${seen.side} ${seen.symbol}`;
    const { quoteQty } = intent;
    if (quoteQty !== undefined && seen.quoteQty !== undefined && sameOr(quoteQty, seen.quoteQty) !== 0)
      return `our id is on an order over the amount ${seen.quoteQty}`;
    const quantities = [intent.qty, qty, amendment?.to.qty];
    // How much it is over may be for the venue to say.
    if (!isZero(intent.qty) && !quantities.some((wanted) => wanted !== undefined && sameOr(wanted, seen.qty) === 0))
      return `our id is on an order over ${seen.qty}`;
    const prices = [intent.price, price, amendment?.to.price];
    const hasPrice = seen.price !== undefined && sign(seen.price) > 0 && intent.price !== undefined;
    if (hasPrice && !prices.some((wanted) => wanted !== undefined && sameOr(wanted, seen.price as string) === 0))
      return `our id is on an order at ${seen.price}`;
    return undefined;
  }

  // Whatever look-ups miss from here on, something was made of the intent. What the venue refused as a duplicate made nothing.
  #distorted(order: LiveOrder, reason: string): void {
    const attempt = order.model.attempts.findLast(({ outcome, answer }) => outcome !== 'absent' && answer !== 'duplicate');
    if (attempt !== undefined && !isDistorted(order.model))
      this.#table.record(order, 'unknown', { attempt: attempt.number, reason, distorted: true });
  }

  // Where ids are unique for good, the one order by that id, rejected or not, keeps every other attempt out.
  #afterRejection(order: LiveOrder): void {
    const { attempts } = order.model;
    if (this.#isLasting) this.#table.record(order, 'absent', { upTo: order.lastAttempt, venueTime: 0, provenPast: 0, misses: 0 });
    else if (order.state === 'sending' && !order.isDriven) {
      for (const { number, outcome } of attempts)
        if (outcome === 'open') this.#table.record(order, 'unknown', { attempt: number, reason: 'another attempt was rejected' });
    }
  }

  // Its remainder was computed from what it had filled; what fills later is filled twice.
  #checkLinked(order: LiveOrder, filledBefore: string): void {
    if (order.model.linkedTo !== undefined && sameOr(filledQty(order.model), filledBefore) !== 0) this.filledAfterReplacement(order);
  }

  #checkFills(order: LiveOrder, venueOrderId: string): void {
    const { legs, qty, intent, amendment } = order.model;
    const leg = legs.find((one) => one.venueOrderId === venueOrderId);
    if (leg === undefined || isZero(intent.qty)) return;
    // An amendment may be known here before it shows, or the other way round.
    const sizes = [leg.order?.qty, qty, intent.qty, amendment?.to.qty].filter((size) => size !== undefined);
    if (sizes.some((size) => sameOr(leg.filled, size) <= 0) || order.conflicts?.has(venueOrderId) === true) return;
    order.conflicts ??= new Set();
    order.conflicts.add(venueOrderId);
    this.#contradiction(order, `the venue shows fills of ${leg.filled}, more than was ever asked for`, []);
  }

  #checkLegs(order: LiveOrder, seen: VenueOrder): void {
    const { legs, qty } = order.model;
    if (legs.length < 2) return;
    // One that was thrown out counts only for what it had filled.
    const counted = legs.filter((leg) => legState(leg, qty) !== 'rejected' || sign(legFilled(leg)) > 0);
    // An amendment may make a venue order of its own; it carries an id of its own.
    const ids = new Set(counted.map((leg) => leg.order?.clientOrderId ?? order.model.clientOrderId));
    if (counted.length > ids.size) this.conflict(order, seen, `the venue keeps ${counted.length} orders for one client order id`);
  }
}

// Some venues count their orders by symbol.
function nameOf({ symbol, venueOrderId }: VenueOrder): string {
  return `${symbol} ${venueOrderId}`;
}

function isSane(seen: VenueOrder): boolean {
  return (
    isVenueState(seen.state) &&
    isDecimal(seen.qty) &&
    isDecimal(seen.filledQty) &&
    (sign(seen.qty) > 0 || seen.quoteQty !== undefined) &&
    sign(seen.filledQty) >= 0 &&
    Number.isFinite(seen.venueTime)
  );
}
