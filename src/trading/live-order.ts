import type { OrderState, OrderView } from '../contracts/orders.js';
import { type OrderModel, stateOf, viewOf } from './order-model.js';

/** How the resolution of an unknown outcome goes. Times are monotonic ms. */
export interface Watch {
  readonly since: number;
  polls: number;
  nextPollAt: number;
  isPolling: boolean;
  /** Rounds of reads that would have shown the order, after its absence had become provable. */
  misses: number;
  lastMissAt: number;
  /** Looks that found nothing at all, whenever. */
  blanks: number;
}

/** An order in memory: what is known of it, and who waits for what becomes of it. */
export class LiveOrder {
  /** Monotonic ms until which it may wait unsent. */
  deadlineAt: number = Infinity;
  /** Resolves when the intent is durable. */
  durable: Promise<void> = Promise.resolve();
  /** While its outcome is unknown. */
  watch: Watch | undefined;
  /** The highest attempt number that was ever written for it, or may have been. */
  lastAttempt = 0;
  isDriven = false;
  isCancelling = false;
  /** From the call of a replacement to its end: a second one would place the remainder twice. */
  isReplacing = false;
  isSettled = false;
  /** Ids of venue orders that were reported as contradicting it. */
  conflicts: Set<string> | undefined;
  #model: OrderModel;
  #state: OrderState;
  #view: OrderView | undefined;
  #listeners: Set<() => void> | undefined;
  #interruptible: AbortController | undefined;

  constructor(model: OrderModel) {
    this.#model = model;
    this.#state = stateOf(model);
    for (const { number } of model.attempts) this.lastAttempt = Math.max(this.lastAttempt, number);
  }

  get id(): string {
    return this.#model.intent.intentId;
  }

  get model(): OrderModel {
    return this.#model;
  }

  set model(model: OrderModel) {
    this.#model = model;
    this.#state = stateOf(model);
    this.#view = undefined;
  }

  get state(): OrderState {
    return this.#state;
  }

  get view(): OrderView {
    this.#view ??= viewOf(this.#model);
    return this.#view;
  }

  /** Calls `listener` after every change until the result is disposed. */
  onChange(listener: () => void): Disposable {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners?.delete(listener) };
  }

  changed(): void {
    if (this.#listeners !== undefined) for (const listener of [...this.#listeners]) listener();
  }

  /** Aborts at the next {@link interrupt}: for waits that a cancel or a halt must end. */
  get interruption(): AbortSignal {
    this.#interruptible ??= new AbortController();
    return this.#interruptible.signal;
  }

  /** Ends what the order waits in, so that it looks again whether it may still be sent. */
  interrupt(): void {
    this.#interruptible?.abort(INTERRUPTED);
    this.#interruptible = undefined;
  }
}

/** The reason of an interruption. One for all: only the fact counts. */
export const INTERRUPTED: Error = new Error('the order was interrupted in its wait');
