import type { VenueOrder } from '../contracts/broker.js';
import type { Fill, OrderIntent } from '../contracts/orders.js';
import { requireFunction, requireKnown, requirePositive } from '../core/options.js';
import type { Fault } from './faults.js';
import { mapSession, type ReplayBar, type ReplayOptions } from './market/replay-session.js';
import { ReplayedPrice } from './market/replayed-price.js';
import { fillOf } from './venue/fill-view.js';
import type { AssetBalance } from './venue/ledger.js';
import { listingFor } from './venue/listed-symbol.js';
import { viewOf } from './venue/order-record.js';
import { VenueCore } from './venue/venue-core.js';
import type { VenueLogEntry } from './venue/venue-log.js';
import { requireVenueOptions, type SimulatedVenueOptions } from './venue/venue-options.js';

/** A fill with the order that it belongs to. */
export interface VenueFill {
  readonly venueOrderId: string;
  readonly clientOrderId: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly fill: Fill;
}

/** Totals since the venue was made, archived orders included. */
export interface VenueStats {
  readonly orders: number;
  readonly openOrders: number;
  readonly fills: number;
  readonly logged: number;
  /** Requests refused for a limit or a ban. */
  readonly refused: number;
  readonly bans: number;
}

/**
 * A venue to test against: order matching, balances, limits and market data that behave as a real
 * one's, and misbehave on demand. It is pure and synchronous; bots reach it through a face,
 * `simulatedBroker` in memory or `serveBinance` over HTTP. The clock and the seed decide
 * everything: under a `ManualClock`, equal seeds give equal logs on every runtime.
 *
 * @example
 * const venue = new SimulatedVenue({ clock, seed: 7, symbols: { 'BTC/USDT': { price: 50_000 } } });
 * venue.fault({ operation: 'place', when: 'after', kind: 'drop', probability: 0.05 });
 * const broker = simulatedBroker(venue);
 */
export class SimulatedVenue {
  /** @internal What the faces drive. */
  readonly core: VenueCore;
  readonly #totals = { orders: 0, fills: 0 };

  /** @throws RangeError or TypeError that names the option. */
  constructor(options: SimulatedVenueOptions = {}) {
    requireVenueOptions(options);
    if (options.onArchive !== undefined) requireFunction('onArchive', options.onArchive);
    this.core = new VenueCore(options);
    this.core.engine.listeners.add({
      order: ({ order }) => {
        this.#totals.orders = Math.max(this.#totals.orders, order.id);
      },
      fill: ({ tradeId }) => {
        this.#totals.fills = Math.max(this.#totals.fills, tradeId);
      },
    });
  }

  /**
   * Puts a fault in force until the result is disposed, or it has struck `times` times.
   * @throws RangeError or TypeError that names the member, when it could never strike.
   */
  fault(fault: Fault): Disposable {
    if (fault.kind === 'stale_read' && fault.ms === undefined && this.core.visibilityLagMs === 0)
      throw new RangeError('fault.ms must say how old a stale_read is, since the venue has no visibilityLagMs to take it from');
    const isLasting = fault.kind === 'clock_skew' && fault.operation === undefined && fault.probability === undefined && fault.times === undefined;
    const registered = this.core.faults.add(fault);
    if (!isLasting) return registered;
    registered[Symbol.dispose]();
    const { ms = 0 } = fault;
    const { venueClock } = this.core;
    venueClock.setSkew(venueClock.skewMs + ms);
    let isActive = true;
    return {
      [Symbol.dispose]: () => {
        if (isActive) venueClock.setSkew(venueClock.skewMs - ms);
        isActive = false;
      },
    };
  }

  /** Ends all faults, but not a ban that one has brought, nor a lasting clock_skew. */
  clearFaults(): void {
    this.core.faults.clear();
  }

  /**
   * Trades along recorded bars from now on; symbols that are not listed are, with fine steps. All
   * times that the venue shows are the clock's: at speed 60 a minute bar takes a second of it.
   * @throws RangeError that names the bar that is unsound.
   */
  replay(bars: Iterable<ReplayBar>, options: ReplayOptions = {}): void {
    requireKnown('replay', options, ['speed', 'from']);
    const { engine, desks, agenda } = this.core;
    engine.catchUp();
    const sessions = mapSession(bars, agenda.now, requirePositive('speed', options.speed ?? 1), options.from);
    for (const [name, columns] of sessions) {
      const desk = desks.get(name) ?? this.core.list(name, listingFor(columns.open[0]!));
      desk.market.follow(new ReplayedPrice(columns));
      engine.look(desk);
    }
  }

  /** Places an order as somebody else with access to the account does. @throws Error when the venue refuses it. */
  placeExternal(intent: OrderIntent, options: { readonly account?: string; readonly clientOrderId?: string } = {}): VenueOrder {
    const { engine } = this.core;
    const id = options.clientOrderId ?? `web_${this.#totals.orders + 1}`;
    const answer = engine.place(options.account ?? 'main', intent, id, true);
    if (!answer.ok) throw new Error(`The venue refused the external order: ${answer.message}`);
    return viewOf(answer.value.latest);
  }

  /** Cancels an order as somebody else with access to the account does; false where it is not open. */
  cancelExternal(venueOrderId: string, account = 'main'): boolean {
    return this.core.engine.cancel(account, { venueOrderId }).ok;
  }

  /** Fills a resting order at its price, `qty` of it or all; or one that was cancelled, as a late fill. False where it can't be. */
  fill(venueOrderId: string, options: { readonly account?: string; readonly qty?: string } = {}): boolean {
    const order = this.core.engine.find(options.account ?? 'main', { venueOrderId });
    if (order === undefined) return false;
    const units = options.qty === undefined ? order.qty : Math.round(Number(options.qty) * 10 ** order.symbol.qtyPlaces);
    return this.core.engine.fill(order, units);
  }

  /** Steps the venue's clock to `skewMs` ahead of the one that it was given, or lets it drift from now on. */
  setClock(change: { readonly skewMs?: number; readonly driftPpm?: number }): void {
    requireKnown('setClock', change, ['skewMs', 'driftPpm']);
    if (change.skewMs !== undefined) this.core.venueClock.setSkew(change.skewMs);
    if (change.driftPpm !== undefined) this.core.venueClock.setDrift(change.driftPpm);
  }

  /** Every order that is not archived, in order of arrival, as it is now: the judge of what was placed. */
  orders(account?: string): readonly VenueOrder[] {
    this.core.engine.catchUp();
    const books = [...this.core.engine.accounts.values()].filter(({ name }) => account === undefined || name === account);
    const records = books.flatMap(({ byId }) => [...byId.values()]);
    if (books.length > 1) records.sort((a, b) => a.id - b.id);
    return records.map(({ latest }) => viewOf(latest));
  }

  /** Every fill of those orders, in order of time. */
  fills(account?: string): readonly VenueFill[] {
    this.core.engine.catchUp();
    const books = [...this.core.engine.accounts.values()].filter(({ name }) => account === undefined || name === account);
    const records = books.flatMap((one) => [...one.fills.since(-Infinity)]);
    if (books.length > 1) records.sort((a, b) => a.tradeId - b.tradeId);
    return records.map((fill) => ({
      venueOrderId: String(fill.order.id),
      clientOrderId: fill.order.clientOrderId,
      account: fill.order.account.name,
      symbol: fill.order.symbol.name,
      side: fill.order.side,
      fill: fillOf(fill),
    }));
  }

  balances(account = 'main'): Readonly<Record<string, AssetBalance>> {
    this.core.engine.catchUp();
    return this.core.engine.account(account).ledger.balances();
  }

  /** The venue's own time, epoch ms. */
  now(): number {
    return this.core.venueClock.venueNow();
  }

  stats(): VenueStats {
    const { engine, log, meter } = this.core;
    let openOrders = 0;
    for (const { open } of engine.accounts.values()) openOrders += open.size;
    return { ...this.#totals, openOrders, logged: log.count, refused: meter.refused, bans: meter.bans };
  }

  /** All that happened, in order; empty with `log: 'hash'`. */
  log(): readonly VenueLogEntry[] {
    this.core.engine.catchUp();
    return this.core.log.entries;
  }

  /** SHA-256 over all that happened. */
  logHash(): string {
    this.core.engine.catchUp();
    return this.core.log.hash();
  }
}
