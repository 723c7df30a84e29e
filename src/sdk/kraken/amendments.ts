import type { OrderRef } from '../../contracts/broker.js';
import type { OrderView } from '../../contracts/orders.js';
import type { SdkSession } from '../shared/sdk-session.js';
import type { AmendTarget } from './orders.js';
import type { Params, WireAnswer, WireOutcome } from './wire.js';

/** An amendment of the bot that is under way. */
interface Running {
  readonly request: Params;
  answer?: WireAnswer;
  error?: unknown;
  /** Resolves when it is over. */
  readonly over: Promise<unknown>;
}

/** Amendments of orders of the order path: journalled, sent with a deadline, and resolved like orders. One after another for each order. */
export class Amendments {
  readonly #running = new Map<string, Running>();

  /** The request of the bot as it goes on the wire, by Kraken's own id where that is known; undefined where none is under way. */
  requestFor({ clientOrderId, venueOrderId }: OrderRef): Params | undefined {
    const running = this.#running.get(clientOrderId);
    if (running === undefined || venueOrderId === undefined) return running?.request;
    const { cl_ord_id: _, ...request } = running.request;
    return { ...request, txid: venueOrderId };
  }

  note(clientOrderId: string, outcome: WireOutcome): void {
    const running = this.#running.get(clientOrderId);
    if (running === undefined) return;
    if ('result' in outcome) running.answer = outcome.result;
    else running.error = outcome.error;
  }

  /** @returns Kraken's answer; undefined where the amendment was seen to be done and never answered. @throws as {@link SdkSession.place} */
  async amend(session: SdkSession, order: OrderView, request: Params, to: AmendTarget): Promise<WireAnswer | undefined> {
    const { clientOrderId } = order;
    for (let before = this.#running.get(clientOrderId); before !== undefined; before = this.#running.get(clientOrderId)) await before.over;
    let end!: () => void;
    const running: Running = { request, over: new Promise<void>((resolve) => (end = resolve)) };
    this.#running.set(clientOrderId, running);
    try {
      await session.amend(order, to, () => running.error);
      return running.answer;
    } finally {
      this.#running.delete(clientOrderId);
      end();
    }
  }
}
