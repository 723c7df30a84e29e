import type { CallOptions } from '../contracts/calls.js';
import type { OrderHandle, OrderView } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import { abortReason, throwIfAborted } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { requirePositive } from '../core/options.js';
import type { LiveOrder } from './live-order.js';
import { isAcknowledged, isTerminal } from './order-states.js';

/** What a handle needs of the client that made it. */
export interface HandleHost {
  readonly clock: Clock;
  /** Aborts when the client closes. */
  readonly closing: AbortSignal;
  /** Each is called when the client closes: a listener on the signal for each wait costs more than the wait. */
  readonly waits: Set<(reason: Error) => void>;
  /** The order in memory now: one that left memory may have come back. */
  current(intentId: string): LiveOrder | undefined;
  cancel(intentId: string, options: CallOptions): Promise<OrderView>;
}

/** The caller's end of an order. It has no `then`, so that `await place()` gives the handle. */
export class LiveOrderHandle implements OrderHandle {
  readonly #host: HandleHost;
  #order: LiveOrder;

  constructor(host: HandleHost, order: LiveOrder) {
    this.#host = host;
    this.#order = order;
  }

  get view(): OrderView {
    return this.#now().view;
  }

  acked(options: CallOptions = {}): Promise<OrderView> {
    return this.until((order) => isAcknowledged(order.state), options);
  }

  done(options: CallOptions = {}): Promise<OrderView> {
    return this.until((order) => isTerminal(order.state) || order.state === 'escalated', options);
  }

  cancel(options: CallOptions = {}): Promise<OrderView> {
    return this.#host.cancel(this.#order.id, options);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<OrderView> {
    let last: OrderView | undefined;
    for (;;) {
      const { view } = this;
      if (view !== last) yield view;
      last = view;
      if (isTerminal(view.state)) return;
      await this.until((order) => order.view !== last, {});
    }
  }

  /** Resolves with the view once `holds`; rejects for the caller's deadline, abort or close. */
  until(holds: (order: LiveOrder) => boolean, options: CallOptions): Promise<OrderView> {
    const order = this.#now();
    return waitFor(this.#host, this, order, () => holds(order), options);
  }

  #now(): LiveOrder {
    this.#order = this.#host.current(this.#order.id) ?? this.#order;
    return this.#order;
  }
}

/** Waits until `holds` after some change of the order. */
export function waitFor(host: HandleHost, handle: OrderHandle, order: LiveOrder, holds: () => boolean, options: CallOptions): Promise<OrderView> {
  try {
    if (options.deadlineMs !== undefined) requirePositive('deadlineMs', options.deadlineMs);
    if (holds()) return Promise.resolve(order.view);
    throwIfAborted(options.signal);
    if (host.closing.aborted) return Promise.reject(closedOver(handle, abortReason(host.closing)));
  } catch (error) {
    return Promise.reject(error);
  }
  const { signal, deadlineMs } = options;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      subscription[Symbol.dispose]();
      host.waits.delete(onClose);
      signal?.removeEventListener('abort', onAbort);
      timer?.[Symbol.dispose]();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    const onClose = (reason: Error): void => fail(closedOver(handle, reason));
    const onAbort = (): void => fail(abortReason(signal as AbortSignal));
    const subscription = order.onChange(() => {
      if (!holds()) return;
      end();
      resolve(order.view);
    });
    host.waits.add(onClose);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = deadlineMs === undefined ? undefined : host.clock.schedule(deadlineMs, () => fail(outcomeUnknown(handle, deadlineMs)), true);
  });
}

/** The caller's time is up; the order is not. */
export function outcomeUnknown(handle: OrderHandle, deadlineMs: number): TradingError {
  const { intent, state } = handle.view;
  const sent = sentOf(handle.view);
  return new TradingError(
    'OUTCOME_UNKNOWN',
    `Order ${intent.intentId} is ${state} after ${deadlineMs} ms; it goes on being resolved, see the handle.`,
    {
      sent,
      intentId: intent.intentId,
      handle,
    },
  );
}

/** The client is closed, or has lost its lease, over an order: of that, only what was never sent is known not to be there. */
function closedOver(handle: OrderHandle, reason: Error): Error {
  const sent = sentOf(handle.view);
  if (sent === 'no' || !(reason instanceof TradingError)) return reason;
  return new TradingError(reason.code, reason.message, { sent, intentId: handle.view.intent.intentId, handle, cause: reason });
}

function sentOf({ attempts, state }: OrderView): TradingError['sent'] {
  if (attempts === 0) return 'no';
  const isThere = state === 'working' || state === 'partially_filled' || state === 'pending_cancel' || state === 'pending_replace';
  return isThere ? 'yes' : 'maybe';
}
