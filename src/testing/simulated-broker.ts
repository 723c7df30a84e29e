import type { Attempt, BrokerAdapter, OrderRef, VenueCapabilities, VenueEvent, VenueOrder, Verdict } from '../contracts/broker.js';
import type { Settled } from '../contracts/calls.js';
import type { MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../contracts/market-data.js';
import type { Fill, OrderIntent } from '../contracts/orders.js';
import { unknownSymbolError } from '../contracts/unknown-symbol.js';
import type { Cost, Limit, LimitObservation } from '../core/limits.js';
import { requireKnown, requireText } from '../core/options.js';
import { accountEvents } from './broker/account-events.js';
import { type Delivery, readValue, verdictOf } from './broker/delivery.js';
import { marketStream, readMarket } from './broker/market-reads.js';
import { type Call, MemoryLine } from './broker/memory-line.js';
import type { Plan, VenueOperation } from './faults.js';
import type { SimulatedVenue } from './simulated-venue.js';
import { type Answer, done } from './venue/answers.js';
import { fillOf } from './venue/fill-view.js';
import { changedSince, fillsSince, openAsOf } from './venue/lookups.js';
import { type OrderRecord, viewOf } from './venue/order-record.js';
import type { Stamp, VenueCore } from './venue/venue-core.js';

const WRITES = ['place', 'cancel'];
const BATCH = 100;

/**
 * A venue without a network: the adapter that trading and market data modules are tested with,
 * under any clock, `ManualClock` included. Latency, limits and faults are the venue's; what a fault
 * hides from the caller it learns here, too, only as silence until its own timeout, or as an error.
 *
 * Every request costs one unit of the venue's limits per IP; those per account and symbol count
 * `place` and `cancel` only.
 */
export function simulatedBroker(venue: SimulatedVenue, options: { readonly account?: string } = {}): BrokerAdapter & MarketDataAdapter {
  requireKnown('simulatedBroker', options, ['account']);
  return new SimulatedBroker(venue.core, requireText('account', options.account ?? 'main'));
}

type PlacedFill = { readonly venueOrderId: string; readonly clientOrderId?: string; readonly symbol: string; readonly fill: Fill };

class SimulatedBroker implements BrokerAdapter, MarketDataAdapter {
  readonly venue = 'simulated';
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[];
  readonly #core: VenueCore;
  readonly #account: string;
  readonly #line: MemoryLine;
  readonly #readCosts: readonly Cost[];
  readonly #writeCosts: readonly Cost[];

  constructor(core: VenueCore, account: string) {
    this.#core = core;
    this.#account = account;
    this.#line = new MemoryLine(core, account);
    this.limits = core.meter.limits;
    this.capabilities = {
      clientId: core.clientIds,
      ...(core.fence !== undefined && { fence: core.fence }),
      visibilityLagMs: core.visibilityLagMs,
      lookup: 'by_client_id',
      amend: 'none',
      streamSequenced: true,
    };
    this.#writeCosts = this.limits.map(({ id }) => ({ limit: id, units: 1 }));
    this.#readCosts = this.limits.filter(({ scope }) => scope === 'ip').map(({ id }) => ({ limit: id, units: 1 }));
  }

  fetchCost(): readonly Cost[] {
    return this.#readCosts;
  }

  cost(operation: string): readonly Cost[] {
    return WRITES.includes(operation) ? this.#writeCosts : this.#readCosts;
  }

  async place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    let placed: OrderRecord | undefined;
    // By order: a request that is delivered twice may make two.
    const fills = new Map<string, readonly Fill[]>();
    const verdict = await this.#write('place', intent.symbol, attempt, {
      work: () => {
        const answer = this.#core.engine.place(this.#account, intent, clientOrderId);
        if (!answer.ok) return answer;
        placed = answer.value;
        const shown = viewOf(placed.latest);
        if (placed.fills.length > 0) fills.set(shown.venueOrderId, placed.fills.map(fillOf));
        return done(shown);
      },
      takeBack: (afterMs) => {
        if (placed !== undefined) this.#core.engine.rejectLater(placed, afterMs);
      },
    });
    const known = verdict.kind === 'accepted' ? fills.get(verdict.order.venueOrderId) : undefined;
    return verdict.kind === 'accepted' && known !== undefined ? { ...verdict, fills: known } : verdict;
  }

  cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    return this.#write('cancel', ref.symbol, attempt, {
      work: () => {
        const answer = this.#core.engine.cancel(this.#account, nameOf(ref));
        return answer.ok ? done(viewOf(answer.value.latest)) : answer;
      },
    });
  }

  async find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'> {
    return this.#read('find', attempt, ref.symbol, (plan) => {
      const asOf = this.#core.asOf(plan);
      const order = this.#core.engine.find(this.#account, nameOf(ref));
      const version = order?.asOf(asOf) ?? order?.previous?.asOf(asOf);
      return version === undefined ? 'not_found' : viewOf(version);
    });
  }

  async *openOrders(attempt: Attempt): AsyncIterable<VenueOrder> {
    yield* await this.#read('openOrders', attempt, undefined, (plan) =>
      openAsOf(this.#core.engine.account(this.#account), this.#core.asOf(plan)).map(viewOf),
    );
  }

  async *history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder> {
    yield* await this.#read('history', attempt, undefined, (plan) =>
      changedSince(this.#core.engine.account(this.#account), sinceVenueMs, this.#core.asOf(plan), this.#aheadMs).map(viewOf),
    );
  }

  async *fills(sinceVenueMs: number, attempt: Attempt): AsyncIterable<PlacedFill> {
    yield* await this.#read('fills', attempt, undefined, (plan) =>
      fillsSince(this.#core.engine.account(this.#account), sinceVenueMs, this.#core.asOf(plan), this.#aheadMs).map((fill) => ({
        venueOrderId: String(fill.order.id),
        clientOrderId: fill.order.clientOrderId,
        symbol: fill.order.symbol.name,
        fill: fillOf(fill),
      })),
    );
  }

  serverTime(attempt: Attempt): Promise<number> {
    return this.#read('serverTime', { ...attempt, fenceMs: undefined }, undefined, () => this.#core.venueClock.venueNow());
  }

  events(signal: AbortSignal): AsyncIterable<VenueEvent> {
    return accountEvents(this.#core, this.#account, signal);
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    return this.#line.observe(listener);
  }

  batchLimit(kind: MarketKind): number {
    return kind === 'quote' || kind === 'instrument' ? BATCH : 1;
  }

  async fetch<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    attempt: Pick<Attempt, 'signal' | 'number'>,
  ): Promise<readonly Settled<MarketKinds[K]['value']>[]> {
    if (requests.length > this.batchLimit(kind))
      throw new RangeError(`requests must be at most ${this.batchLimit(kind)} in one call for ${kind}, got ${requests.length}`);
    return this.#read(kind, attempt, undefined, () =>
      requests.map((request) => settled(request.symbol, () => readMarket(this.#core, kind, request, this.#core.agenda.now))),
    );
  }

  stream(kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncIterable<StreamUpdate> {
    return marketStream(this.#core, kind, symbols, signal);
  }

  get #aheadMs(): number {
    return this.#core.venueClock.largestOffsetMs;
  }

  #write(operation: 'place' | 'cancel', symbol: string, attempt: Attempt, action: Pick<Call<VenueOrder>, 'work' | 'takeBack'>): Promise<Verdict> {
    const stamp = stampOf(attempt);
    const sent = this.#line.send({ operation, costs: this.#writeCosts, symbol, signal: attempt.signal, stamp, ...action });
    return sent.then((delivery) => verdictOf(delivery, stamp === undefined ? undefined : stamp.venueNow + stamp.fenceMs));
  }

  async #read<T>(
    operation: VenueOperation,
    attempt: Pick<Attempt, 'signal'> & { readonly venueNow?: number; readonly fenceMs?: number | undefined },
    symbol: string | undefined,
    work: (plan: Plan) => T,
  ): Promise<T> {
    const stamp = stampOf(attempt);
    const { signal } = attempt;
    const delivery: Delivery<T> = await this.#line.send({
      operation,
      costs: this.#readCosts,
      symbol,
      signal,
      stamp,
      work: (plan) => done(work(plan)),
    });
    return readValue(delivery);
  }
}

function stampOf(attempt: { readonly venueNow?: number; readonly fenceMs?: number | undefined }): Stamp | undefined {
  return attempt.fenceMs === undefined || attempt.venueNow === undefined ? undefined : { venueNow: attempt.venueNow, fenceMs: attempt.fenceMs };
}

function nameOf(ref: OrderRef): { readonly clientOrderId: string; readonly venueOrderId?: string } {
  return ref.venueOrderId === undefined ? { clientOrderId: ref.clientOrderId } : { clientOrderId: ref.clientOrderId, venueOrderId: ref.venueOrderId };
}

function settled<T>(symbol: string, read: () => Answer<T>): Settled<T> {
  const answer = read();
  if (answer.ok) return { status: 'fulfilled', value: answer.value };
  if (answer.reason === 'unknown_symbol') return { status: 'rejected', reason: unknownSymbolError('simulated', symbol) };
  try {
    return { status: 'fulfilled', value: readValue<T>({ kind: 'answer', answer }) };
  } catch (reason) {
    return { status: 'rejected', reason: reason as Error };
  }
}
