import { type Clock, systemClock } from '../../core/clock.js';
import type { Cost } from '../../core/limits.js';
import { type Random, seededRandom } from '../../core/random.js';
import { BAN_MS, FaultBook, type Plan, planOf, type VenueOperation } from '../faults.js';
import { Market } from '../market/market.js';
import { WobblingPrice } from '../market/price-path.js';
import { Agenda } from './agenda.js';
import { type Refusal, refuse } from './answers.js';
import { Desk } from './desk.js';
import { Latency } from './latency.js';
import { LimitMeter } from './limit-meter.js';
import { type ListedSymbol, listSymbol, type SymbolOptions } from './listed-symbol.js';
import { OrderEngine } from './order-engine.js';
import { type OrderRecord, viewOf } from './order-record.js';
import { AMOUNT_PLACES, toAmount } from './units.js';
import { VenueClock } from './venue-clock.js';
import { VenueLog } from './venue-log.js';
import type { SimulatedVenueOptions } from './venue-options.js';

const RICH = 10n ** BigInt(12 + AMOUNT_PLACES);
const FEE_PLACES = 6;
/** As Binance: a timestamp this far ahead of the venue's clock is refused. */
const FUTURE_TOLERANCE_MS = 1_000;

const LONGEST_CLIENT_ID = 36;

/** What a request was signed with. */
export interface Stamp {
  readonly venueNow: number;
  readonly fenceMs: number;
}

/** The parts of a venue, as its faces drive them. Nothing here waits: faces add the network. */
export class VenueCore {
  readonly clock: Clock;
  readonly venueClock: VenueClock;
  readonly agenda: Agenda;
  readonly log: VenueLog;
  readonly faults: FaultBook;
  readonly meter: LimitMeter;
  readonly engine: OrderEngine;
  readonly desks: Map<string, Desk> = new Map();
  readonly latency: Latency | undefined;
  readonly fence: { readonly maxMs: number; readonly defaultMs: number } | undefined;
  readonly visibilityLagMs: number;
  readonly clientIds: { readonly maxLength: number; readonly pattern: RegExp; readonly unique: 'forever' | 'open_orders' | 'none' };
  readonly seed: number;
  readonly #staleReadRatio: number;
  readonly #staleRandom: Random;
  readonly #volatility: number;
  readonly #spread: number;

  constructor(options: SimulatedVenueOptions) {
    this.clock = options.clock ?? systemClock;
    this.seed = options.seed ?? (options.random === undefined ? 1 : Math.floor(options.random() * 2 ** 31));
    // Each kind of chance has its own sequence: one more read must not change which orders fill.
    const randomFor = (purpose: number): Random => seededRandom(this.seed * 16 + purpose);
    this.venueClock = new VenueClock(this.clock);
    this.agenda = new Agenda(this.clock, this.venueClock);
    this.log = new VenueLog(options.log !== 'hash');
    this.faults = new FaultBook(randomFor(1));
    this.latency = options.latency === undefined ? undefined : new Latency(options.latency, randomFor(2));
    this.#staleRandom = randomFor(3);
    this.meter = new LimitMeter(options.limits ?? [], options.bans ?? { afterIgnored: 10, firstMs: 120_000, longestMs: 259_200_000 });
    this.fence = options.fence === false ? undefined : (options.fence ?? { maxMs: 60_000, defaultMs: 5_000 });
    this.visibilityLagMs = options.visibilityLagMs ?? 0;
    const maxLength = options.clientIdMaxLength ?? LONGEST_CLIENT_ID;
    const pattern = new RegExp(`^[.A-Z:/a-z0-9_-]{1,${maxLength}}$`);
    this.clientIds = { maxLength, pattern, unique: options.clientIdUniqueness ?? 'open_orders' };
    this.#staleReadRatio = options.staleReadRatio ?? 0.3;
    this.#volatility = options.volatility ?? 0.0005;
    this.#spread = options.spread ?? 0.0001;
    const { onArchive } = options;
    this.engine = new OrderEngine({
      clock: this.venueClock,
      agenda: this.agenda,
      log: this.log,
      random: randomFor(4),
      desks: this.desks,
      opening: options.balances ?? RICH,
      clientIds: this.clientIds,
      partialFills: options.partialFills ?? false,
      makerFeePpm: toAmount(options.fees?.maker ?? '0', FEE_PLACES),
      takerFeePpm: toAmount(options.fees?.taker ?? '0', FEE_PLACES),
      cancelLosesToFill: options.races?.cancelLosesToFill ?? 0,
      lateFill: options.races?.lateFill ?? 0,
      archiveAfterMs: options.archiveAfterMs ?? Infinity,
      onArchive: onArchive === undefined ? () => {} : (order: OrderRecord) => onArchive(viewOf(order.latest)),
    });
    for (const [name, symbol] of Object.entries(options.symbols ?? { 'BTC/USDT': { price: 50_000 } })) this.list(name, symbol);
  }

  list(name: string, options: SymbolOptions): Desk {
    const symbol = listSymbol(name, options, this.desks.size);
    for (const { market } of this.desks.values())
      if (market.symbol.id === symbol.id)
        throw new RangeError(`symbols must differ in letters and digits, got ${JSON.stringify(market.symbol.name)} and ${JSON.stringify(name)}`);
    const seed = this.seed * 131 + symbol.index;
    const desk = new Desk(new Market(symbol, new WobblingPrice(symbol.price, this.#volatility, seed), this.#spread, seed));
    this.desks.set(name, desk);
    return desk;
  }

  get symbols(): readonly ListedSymbol[] {
    return [...this.desks.values()].map((desk) => desk.market.symbol);
  }

  /** What the faults in force make of one request. */
  plan(operation: VenueOperation): Plan {
    const struck = this.faults.strike(operation);
    for (const { kind, when } of struck) this.log.append(this.venueClock.engineNow(), 'fault', { operation, kind, when });
    return planOf(struck);
  }

  /** Counts a request against the limits, or says why it is not let in. */
  admit(plan: Plan, costs: readonly Cost[], account: string, symbol: string | undefined): Refusal | undefined {
    const at = this.clock.monotonic();
    const bans = this.meter.bans;
    const refusal = plan.ban === undefined ? this.meter.admit(at, costs, account, symbol) : this.meter.ban(at, plan.ban.ms ?? BAN_MS);
    if (this.meter.bans > bans) this.log.append(this.venueClock.engineNow(), 'ban', { ms: refusal?.retryAfterMs });
    return refusal;
  }

  /** The fence: refuses a signed request that arrives late, or from the future. */
  checkStamp(stamp: Stamp | undefined): Refusal | undefined {
    if (stamp === undefined || this.fence === undefined) return undefined;
    if (stamp.fenceMs > this.fence.maxMs) return refuse('fence_too_long', `recvWindow must be at most ${this.fence.maxMs}.`);
    const now = this.venueClock.venueNow();
    if (now > stamp.venueNow + stamp.fenceMs) return refuse('timestamp_outside_fence', 'Timestamp for this request is outside of the recvWindow.');
    if (stamp.venueNow >= now + FUTURE_TOLERANCE_MS)
      return refuse('timestamp_outside_fence', `Timestamp for this request was ${FUTURE_TOLERANCE_MS}ms ahead of the server's time.`);
    return undefined;
  }

  /** The engine time that a lookup shows: the present, or what a lagging replica has. */
  asOf(plan: Plan): number {
    const { now } = this.agenda;
    if (plan.stale !== undefined) return now - (plan.stale.ms ?? this.visibilityLagMs);
    if (this.visibilityLagMs === 0 || this.#staleRandom() >= this.#staleReadRatio) return now;
    return now - Math.floor(this.#staleRandom() * this.visibilityLagMs);
  }

  /** Runs one request against the venue, as it is by now. */
  act<T>(plan: Plan, work: () => T): T {
    this.engine.catchUp();
    return plan.skewMs === 0 ? work() : this.venueClock.ahead(plan.skewMs, work);
  }
}
