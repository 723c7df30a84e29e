import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import { requireInteger, requireKnown, requireOneOf, requirePositive, requireText, requireWithin } from '../core/options.js';
import type { Bulkhead } from '../resilience/bulkhead.js';
import type { BreakerState, CircuitBreaker } from '../resilience/circuit-breaker.js';

const CLASSES = ['place', 'read'] as const;
/** How long concurrency stays lowered unless told otherwise. */
const LOWERED_MS = 60_000;
const HALF = 0.5;

/** What breakers and limits of concurrency guard: placements, and what goes through `read()`. Cancels, look-ups and reconciliation always pass. */
export type OperationClass = (typeof CLASSES)[number];

/** To what concurrency is lowered, and for how long. */
export interface LowerConcurrencyOptions {
  /** Calls in flight at once; not together with `share`. */
  readonly maxInFlight?: number;
  /** Share of the calls that would be let through otherwise, above 0, rounded down to one at least. @defaultValue 0.5 */
  readonly share?: number;
  /** @defaultValue 60_000 */
  readonly forMs?: number;
}

/** How one class of operations is guarded at this moment. */
export interface GuardState {
  readonly breaker: BreakerState;
  /** Why the breaker is in its state; empty until its first change. */
  readonly reason: string;
  /** Milliseconds until the breaker lets a call through; 0 where it does at once. */
  readonly retryAfterMs: number;
  /** Calls that may be in flight at once. */
  readonly limit: number;
  readonly isLowered: boolean;
  readonly inFlight: number;
  readonly queued: number;
}

interface Guard {
  readonly breaker: CircuitBreaker;
  readonly bulkhead: Bulkhead;
}

/**
 * The policies that somebody outside may work by hand: a person, or an alert that responds by itself.
 * What is imposed here ends by itself, can be taken back, adds up where several impose it, and
 * only ever lowers the load.
 */
export class OperationGuards {
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #guards: Readonly<Record<OperationClass, Guard>>;

  constructor(parts: { readonly clock: Clock; readonly bus: Bus; readonly guards: Readonly<Record<OperationClass, Guard>> }) {
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#guards = parts.guards;
  }

  /** Opens the breaker of a class. */
  trip(operations: OperationClass, reason: string, options: { readonly forMs?: number }): Disposable {
    const { breaker } = this.#of(operations);
    requireText('reason', reason);
    requireKnown('tripBreaker()', options, ['forMs']);
    return options.forMs === undefined ? breaker.trip(reason) : breaker.trip(reason, requirePositive('forMs', options.forMs));
  }

  /** Lowers how many calls of a class may be in flight. */
  lower(operations: OperationClass, reason: string, options: LowerConcurrencyOptions): Disposable {
    const { bulkhead } = this.#of(operations);
    requireText('reason', reason);
    requireKnown('lowerConcurrency()', options, ['maxInFlight', 'share', 'forMs']);
    const { maxInFlight, share = HALF, forMs = LOWERED_MS } = options;
    if (maxInFlight !== undefined && options.share !== undefined) throw new RangeError('share must be absent where maxInFlight is given');
    requirePositive('forMs', forMs);
    requirePositive('share', requireWithin('share', share, 0, 1));
    // Of the limit that nobody has lowered: asked for twice, it is the same limit.
    const cap = maxInFlight === undefined ? Math.max(1, Math.floor(bulkhead.uncappedLimit * share)) : requireInteger('maxInFlight', maxInFlight, 1);
    const before = bulkhead.limit;
    const lowered = bulkhead.lower(cap);
    this.#tell(operations, bulkhead, before, reason);
    let isOver = false;
    const end = (why: string): void => {
      if (isOver) return;
      isOver = true;
      expiry[Symbol.dispose]();
      const was = bulkhead.limit;
      lowered[Symbol.dispose]();
      this.#tell(operations, bulkhead, was, why);
    };
    const expiry = this.#clock.schedule(forMs, () => end(`its ${forMs} ms are over: ${reason}`));
    return { [Symbol.dispose]: () => end(`taken back: ${reason}`) };
  }

  state(): Readonly<Record<OperationClass, GuardState>> {
    return { place: this.#stateOf('place'), read: this.#stateOf('read') };
  }

  #of(operations: OperationClass): Guard {
    return this.#guards[requireOneOf('operations', operations, CLASSES)];
  }

  #stateOf(operations: OperationClass): GuardState {
    const { breaker, bulkhead } = this.#guards[operations];
    const { limit, inFlight, queued } = bulkhead;
    const { state, reason, retryAfterMs } = breaker;
    return { breaker: state, reason, retryAfterMs, limit, isLowered: limit < bulkhead.uncappedLimit, inFlight, queued };
  }

  #tell(scope: OperationClass, bulkhead: Bulkhead, before: number, reason: string): void {
    const { limit } = bulkhead;
    if (limit === before || !this.#bus.has('concurrency.state')) return;
    this.#bus.emit('concurrency.state', { scope, limit, isLowered: limit < bulkhead.uncappedLimit, reason });
  }
}
