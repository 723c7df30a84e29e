import type { BrokerAdapter, VenueOrder, Verdict } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { isVenueKitError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { LoadSign } from '../resilience/adaptive-concurrency.js';
import { LiveAttempt } from './attempt-deadlines.js';
import type { Evidence } from './evidence.js';
import type { Halts } from './halts.js';
import type { JournalWriter } from './journal-writer.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { INTERRUPTED, type LiveOrder } from './live-order.js';
import { type Entry, type EntryBodies, entry } from './order-entry.js';
import { hasUnresolvedAttempt } from './order-model.js';
import type { OrderTable } from './order-table.js';
import { POLL_GAP_MS } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';
import { isFillShape } from './venue-shapes.js';

type Sending = EntryBodies['sending'];

/** What to do after an attempt: nothing more, or another one after a while. */
type Next = { readonly kind: 'over' } | { readonly kind: 'again'; readonly afterMs: number; readonly isRetry: boolean };

const OVER: Next = { kind: 'over' };
/** How often what waits for a breaker looks whether it has closed. */
const BREAKER_LOOK_MS = 250;

/**
 * Sends orders: `prepared → sending(n) → SEND → verdict`, the only sequence that survives a kill at
 * any point. Limits are had first, then the record with the timestamp that will be signed is made
 * durable, then exactly that request goes out; whatever held it up in between can't make it later
 * than the record says, since the venue refuses it then.
 */
export class Placer {
  readonly #adapter: BrokerAdapter;
  readonly #calls: VenueCalls;
  readonly #table: OrderTable;
  readonly #writer: JournalWriter;
  readonly #halts: Halts;
  readonly #evidence: Evidence;
  readonly #lease: LeaseKeeper;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  #isClosed = false;
  #failure: TradingError | undefined;
  #inFlight = 0;
  /** Hears of every order whose outcome has become unknown. */
  onUnknown: (order: LiveOrder) => void = () => {};

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly calls: VenueCalls;
    readonly table: OrderTable;
    readonly writer: JournalWriter;
    readonly halts: Halts;
    readonly evidence: Evidence;
    readonly lease: LeaseKeeper;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly logger: Logger;
  }) {
    this.#adapter = parts.adapter;
    this.#calls = parts.calls;
    this.#table = parts.table;
    this.#writer = parts.writer;
    this.#halts = parts.halts;
    this.#evidence = parts.evidence;
    this.#lease = parts.lease;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
  }

  /** Requests that are at the venue at this moment. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** @throws TradingError when nothing is sent any more: CLOSED, or why it had to stop. */
  requireOpen(): void {
    if (this.#isClosed) throw this.#failure ?? new TradingError('CLOSED', 'The trading client is closed; nothing was written.');
  }

  /** No more sends; what waits unsent stays as the journal has it. @param failure - why, unless the caller wanted it. */
  close(failure?: TradingError): void {
    this.#isClosed = true;
    this.#failure ??= failure;
  }

  /** Makes a new intent durable and sends it. Resolves once it is durable. @throws TradingError JOURNAL: then nothing was sent. */
  async begin(order: LiveOrder, prepared: Entry): Promise<void> {
    this.#calls.budget.earn();
    order.isDriven = true;
    const permit = this.#permit(order);
    let sending: Sending | undefined;
    try {
      if (await isSettledSoon(permit)) sending = this.#nextSending(order);
      const entries = sending === undefined ? [prepared] : [prepared, entry('sending', this.#clock.now(), sending)];
      await this.#writer.append(order.id, entries);
    } catch (error) {
      order.isDriven = false;
      order.interrupt();
      permit.then(
        () => this.#giveBack(order),
        () => {},
      );
      throw error;
    }
    if (sending !== undefined) this.#table.record(order, 'sending', sending, true);
    void this.#drive(order, permit, sending);
  }

  /** Sends an order again whose earlier attempts are proved absent, or can't make a second order. @param deadlineAt - monotonic ms until which it may wait. */
  resume(order: LiveOrder, deadlineAt: number): void {
    if (order.isDriven || this.#isClosed) return;
    order.isDriven = true;
    order.deadlineAt = deadlineAt;
    void this.#drive(order, undefined, undefined);
  }

  /** Why the order may not be sent now, nor later; undefined where it may. */
  refusalOf(order: LiveOrder): string | undefined {
    const { intent, cancelReason } = order.model;
    if (cancelReason !== undefined) return cancelReason;
    if (intent.validUntil !== undefined && this.#clock.now() > intent.validUntil) return 'its validUntil has passed';
    return this.#halts.refusalOf(intent);
  }

  async #drive(order: LiveOrder, firstPermit: Promise<void> | undefined, firstSending: Sending | undefined): Promise<void> {
    let permit = firstPermit;
    let sending = firstSending;
    let failures = 0;
    try {
      while (!this.#isClosed) {
        if (sending === undefined) {
          const refusal = this.refusalOf(order) ?? this.#lateness(order);
          if (refusal !== undefined) {
            permit?.then(
              () => this.#giveBack(order),
              () => {},
            );
            return this.#abandon(order, refusal);
          }
          if (!(await this.#isPermitted(order, permit))) {
            permit = undefined;
            continue;
          }
        }
        permit = undefined;
        const next = await this.#attempt(order, sending, failures);
        sending = undefined;
        if (next.kind === 'over') return;
        failures++;
        if (next.afterMs > 0) await this.#pause(order, next.afterMs);
        if (next.isRetry) await this.#spendRetry(order);
      }
    } catch (error) {
      this.#logger.error({ error, intentId: order.id }, 'sending an order failed in an unforeseen way');
      // With nothing at the venue it is over; else its outcome is resolved like any unknown one.
      if (hasUnresolvedAttempt(order.model)) this.#becomeUnknown(order, order.lastAttempt, error);
      else this.#table.record(order, 'ended', { state: 'abandoned', reason: `it could not be sent: ${reasonOf(error, 'no reason was given')}` });
    } finally {
      order.isDriven = false;
      if (hasUnresolvedAttempt(order.model)) this.onUnknown(order);
    }
  }

  /** Waits for breaker, bulkhead and limits, in this order: what is scarcest is held shortest. */
  async #permit(order: LiveOrder): Promise<void> {
    const { placing, writes, limiter } = this.#calls;
    const { symbol } = order.model.intent;
    if (!this.#enterAtOnce()) await this.#enterInTime(order);
    try {
      const costs = this.#calls.costs('place');
      // A signal costs more than the rest of this: only for who waits.
      if (limiter.tryAcquire(costs, { priority: 'place', symbol, hold: true })) return;
      const deadlineAt = this.#lastMoment(order);
      await limiter.acquire(costs, { priority: 'place', symbol, signal: order.interruption, deadlineAt, hold: true });
    } catch (error) {
      writes.leave();
      placing.ignore();
      throw error;
    }
  }

  #enterAtOnce(): boolean {
    const { placing, writes } = this.#calls;
    if (!placing.allow()) return false;
    if (writes.tryEnter()) return true;
    placing.ignore();
    return false;
  }

  /** Waits for breaker and bulkhead, no longer than the order itself may wait. */
  async #enterInTime(order: LiveOrder): Promise<void> {
    const { placing, writes } = this.#calls;
    const signal = order.interruption;
    const leftMs = Math.max(0, this.#lastMoment(order) - this.#clock.monotonic());
    const expiry = leftMs === Infinity ? undefined : this.#clock.schedule(leftMs, () => order.interrupt());
    try {
      // Looked at often: it may close long before it said.
      while (!placing.allow()) await this.#clock.sleep(Math.min(Math.max(placing.retryAfterMs, 10), BREAKER_LOOK_MS), signal);
      try {
        await writes.enter({ priority: 'place', signal });
      } catch (error) {
        placing.ignore();
        throw error;
      }
    } finally {
      expiry?.[Symbol.dispose]();
    }
  }

  async #isPermitted(order: LiveOrder, permit: Promise<void> | undefined): Promise<boolean> {
    try {
      await (permit ?? this.#permit(order));
      return true;
    } catch (error) {
      // Its deadline, a cancel or a halt: the loop looks again which. What will not change must not spin.
      if (isVenueKitError(error)) await this.#pause(order, 1);
      else if (error !== INTERRUPTED) throw error;
      return false;
    }
  }

  /** Gives back what {@link #permit} has taken, unused. */
  #giveBack(order: LiveOrder): void {
    this.#calls.limiter.release(this.#calls.costs('place'), order.model.intent);
    this.#calls.writes.leave();
    this.#calls.placing.ignore();
  }

  async #attempt(order: LiveOrder, journalled: Sending | undefined, failures: number): Promise<Next> {
    let sending = journalled;
    if (sending === undefined) {
      sending = this.#nextSending(order);
      try {
        // The proof that allows another attempt must not be lost where the attempt itself is kept.
        if (sending.attempt > 1) await this.#writer.flush(order.id);
        await this.#writer.append(order.id, [entry('sending', this.#clock.now(), sending)]);
      } catch (error) {
        this.#giveBack(order);
        if (isVenueKitError(error, 'JOURNAL_LOCKED') || isVenueKitError(error, 'CLOSED')) return OVER;
        // A failed write may be durable all the same; what it announced was not sent.
        this.#table.record(order, 'unsent', { attempt: sending.attempt, why: 'local', reason: 'the journal failed before it could be sent' });
        return { kind: 'again', afterMs: this.#calls.backoff(failures + 1), isRetry: false };
      }
      this.#table.record(order, 'sending', sending, true);
    }
    if (!this.#lease.isHeld) await this.#lease.ensure().catch(() => {});
    const obstacle = this.#obstacle(order, sending);
    if (obstacle !== undefined) {
      this.#giveBack(order);
      this.#table.record(order, 'unsent', { attempt: sending.attempt, why: 'local', reason: obstacle });
      return this.#isClosed ? OVER : { kind: 'again', afterMs: Math.min(POLL_GAP_MS, this.#calls.backoff(failures + 1)), isRetry: false };
    }
    return this.#judge(order, sending.attempt, await this.#send(order, sending), failures);
  }

  async #send(order: LiveOrder, sending: Sending): Promise<Verdict> {
    const { intent, clientOrderId } = order.model;
    const { fenceMs } = this.#calls;
    const attempt = new LiveAttempt(sending.attempt, sending.venueNow, sending.fenceUntil === undefined ? undefined : fenceMs, sinceOf(order));
    const onLate = (late: VenueOrder): void => {
      if (this.#answerOf(order, late) === 'ours') this.#evidence.orderOf(order, late, 'answer');
    };
    this.#calls.limiter.sent(this.#calls.costs('place'), intent);
    const { writes } = this.#calls;
    const start = writes.adaptive === undefined ? 0 : this.#clock.monotonic();
    this.#inFlight++;
    try {
      const verdict = await this.#calls.write('place', attempt, (made) => this.#adapter.place(intent, clientOrderId, made), onLate);
      const load = loadSignOf(verdict);
      if (load !== undefined) writes.adaptive?.observe(load, this.#clock.monotonic() - start, writes.inFlight);
      return verdict;
    } finally {
      this.#inFlight--;
      writes.leave();
    }
  }

  async #judge(order: LiveOrder, attempt: number, verdict: Verdict, failures: number): Promise<Next> {
    const { placing } = this.#calls;
    switch (verdict.kind) {
      case 'accepted':
        placing.success();
        this.#accepted(order, attempt, verdict);
        return OVER;
      case 'rejected':
        placing.success();
        this.#table.record(order, 'rejected', { attempt, code: verdict.code, reason: reasonOf(verdict.cause, verdict.code) });
        if (verdict.isFinal === true) this.#table.record(order, 'absent', { upTo: attempt, venueTime: 0, provenPast: 0, misses: 0 });
        // An earlier attempt that was never heard of may have taken the balance that this one lacked.
        if (!hasUnresolvedAttempt(order.model))
          this.#table.record(order, 'ended', { state: 'rejected', reason: reasonOf(verdict.cause, verdict.code) });
        return OVER;
      case 'duplicate':
        placing.success();
        this.#becomeUnknown(order, attempt, verdict.cause, { duplicate: true });
        return OVER;
      case 'unknown':
        placing.failure();
        this.#becomeUnknown(order, attempt, verdict.cause, verdict.fenceUntil === undefined ? {} : { fenceUntil: verdict.fenceUntil });
        return OVER;
      case 'not_sent':
        placing.failure();
        this.#table.record(order, 'unsent', { attempt, why: 'not_sent', reason: reasonOf(verdict.cause, 'not sent') });
        return { kind: 'again', afterMs: this.#calls.backoff(failures + 1), isRetry: true };
      case 'refused':
        placing.ignore();
        this.#table.record(order, 'unsent', { attempt, why: 'refused', reason: reasonOf(verdict.cause, 'refused') });
        if (verdict.resyncClock === true && failures === 0 && (await this.#isResynchronized())) return { kind: 'again', afterMs: 0, isRetry: true };
        return { kind: 'again', afterMs: this.#calls.backoff(failures + 1, verdict.retryAfterMs), isRetry: true };
    }
  }

  #accepted(order: LiveOrder, attempt: number, verdict: Extract<Verdict, { kind: 'accepted' }>): void {
    const answer = this.#answerOf(order, verdict.order);
    if (answer !== 'ours' || this.#evidence.orderOf(order, verdict.order, 'answer') === 'foreign') {
      this.#becomeUnknown(order, attempt, 'the venue accepted another order than was sent', { distorted: answer !== 'astray' });
      return;
    }
    // What can't be told from other fills is listed again.
    for (const fill of verdict.fills ?? []) if (isFillShape(fill)) this.#evidence.fill({ ...verdict.order, fill });
  }

  /** Which order an acceptance shows: an answer to another of our requests may have gone astray. */
  #answerOf(order: LiveOrder, seen: VenueOrder): 'ours' | 'astray' | 'misnamed' {
    if (this.#evidence.isOfAnother(order, seen)) return 'astray';
    const { clientOrderIds, legs } = order.model;
    if (seen.clientOrderId === undefined || clientOrderIds.includes(seen.clientOrderId)) return 'ours';
    if (legs.some(({ venueOrderId }) => venueOrderId === seen.venueOrderId)) return 'astray';
    this.#evidence.misnamed(order, seen);
    return 'misnamed';
  }

  #becomeUnknown(
    order: LiveOrder,
    attempt: number,
    cause: unknown,
    {
      fenceUntil,
      duplicate = false,
      distorted = false,
    }: { readonly fenceUntil?: number; readonly duplicate?: boolean; readonly distorted?: boolean } = {},
  ): void {
    const from = order.state;
    const reason = reasonOf(cause, duplicate ? 'the venue says that the id is taken' : 'no answer');
    this.#table.record(order, 'unknown', {
      attempt,
      reason,
      ...(fenceUntil === undefined ? undefined : { fenceUntil }),
      ...(duplicate ? { duplicate } : undefined),
      ...(distorted ? { distorted } : undefined),
    });
    if (order.state === 'unknown' && from !== 'unknown' && this.#bus.has('order.unknown'))
      this.#bus.emit('order.unknown', { order: order.view, cause });
  }

  #nextSending(order: LiveOrder): Sending {
    const venueNow = this.#calls.clock.now();
    const { fenceMs } = this.#calls;
    // A record whose write failed may be durable all the same, with another timestamp: its number is used up.
    const attempt = ++order.lastAttempt;
    const { isSynchronized, uncertaintyMs } = this.#calls.clock;
    return {
      attempt,
      venueNow,
      ...(fenceMs === undefined ? undefined : { fenceUntil: venueNow + fenceMs }),
      ...(isSynchronized && Number.isFinite(uncertaintyMs) ? { uncertaintyMs: Math.ceil(uncertaintyMs) } : undefined),
    };
  }

  /** Why the record must not be followed by its send: what held it up may have changed everything. */
  #obstacle(order: LiveOrder, sending: Sending): string | undefined {
    if (this.#isClosed) return 'the client was closed';
    if (!this.#lease.isHeld) return 'the writer lease is not held';
    const refusal = this.refusalOf(order);
    if (refusal !== undefined) return refusal;
    if (this.#calls.limiter.blockedUntil(this.#calls.costs('place')) !== undefined) return 'the venue has blocked requests meanwhile';
    if (sending.fenceUntil !== undefined && this.#calls.clock.now() >= sending.fenceUntil) return 'it was held up until its fence had passed';
    return undefined;
  }

  #lateness(order: LiveOrder): string | undefined {
    return this.#clock.monotonic() >= order.deadlineAt ? 'it could not be sent before its deadline' : undefined;
  }

  #lastMoment(order: LiveOrder): number {
    const { validUntil } = order.model.intent;
    if (validUntil === undefined) return order.deadlineAt;
    return Math.min(order.deadlineAt, this.#clock.monotonic() + (validUntil - this.#clock.now()) + 1);
  }

  #abandon(order: LiveOrder, reason: string): void {
    // With an attempt that may have landed, nothing is proved; the resolver goes on.
    if (!hasUnresolvedAttempt(order.model)) this.#table.record(order, 'ended', { state: 'abandoned', reason });
  }

  async #isResynchronized(): Promise<boolean> {
    if (!this.#calls.tellsTime) return false;
    this.#calls.clock.distrust();
    return this.#calls.syncClock({ priority: 'reconcile' }).then(
      () => true,
      () => false,
    );
  }

  async #pause(order: LiveOrder, ms: number): Promise<void> {
    await this.#clock.sleep(ms, order.interruption).catch(() => {});
  }

  async #spendRetry(order: LiveOrder): Promise<void> {
    while (!this.#calls.budget.trySpend() && !this.#isClosed && (this.refusalOf(order) ?? this.#lateness(order)) === undefined) {
      if (this.#bus.has('budget.exhausted')) this.#bus.emit('budget.exhausted', { scope: 'place' });
      await this.#pause(order, POLL_GAP_MS);
    }
  }
}

/** Venues take a request that is signed with a time this far ahead of theirs: where it is not known how far off ours is. */
const LARGEST_LEAD_MS = 1_000;

function sinceOf({ model }: LiveOrder): number | undefined {
  const [first] = model.attempts;
  return first === undefined ? undefined : first.venueNow - (first.uncertaintyMs ?? LARGEST_LEAD_MS);
}

/** What the verdict says of the venue's load; undefined where it says nothing. */
function loadSignOf(verdict: Verdict): LoadSign | undefined {
  switch (verdict.kind) {
    case 'unknown':
      return 'lost';
    case 'refused':
      return verdict.resyncClock === true ? undefined : 'lost';
    case 'not_sent':
      return undefined;
    default:
      return 'ok';
  }
}

/** Whether the promise resolves without any input from outside: within a few turns of the microtask queue. */
async function isSettledSoon(promise: Promise<void>): Promise<boolean> {
  let isDone = false;
  promise.then(
    () => {
      isDone = true;
    },
    () => {},
  );
  for (let turn = 0; turn < 8 && !isDone; turn++) await Promise.resolve();
  return isDone;
}

/** What went wrong, in words fit for the journal. */
export function reasonOf(cause: unknown, otherwise: string): string {
  if (cause instanceof Error) return cause.message;
  return typeof cause === 'string' && cause !== '' ? cause : otherwise;
}
