import QuickLRU from 'quick-lru';
import type { Verdict } from '../../contracts/broker.js';

/** What the SDK said in answer to the sendings of one order. */
export interface Answers {
  placed?: unknown;
  cancelled?: unknown;
  placeError?: unknown;
  cancelError?: unknown;
  /** Whether a cancel may have done its work without an answer. */
  isCancelDoubtful?: boolean;
  /** Whether the venue refused the latest cancel for good; what it only put off is sent again. */
  isCancelRejected?: boolean;
}

/** How a sending ended, in the SDK's own words. */
export type SdkOutcome = { readonly result: unknown } | { readonly error: unknown };

/** How many of the latest orders' answers are held, for calls that come again. */
const ANSWERS = 500;
const NONE: Readonly<Answers> = {};

/** The SDK's own words on the latest orders, by client order id: what its caller expects to get, or to catch. */
export class OrderAnswers {
  readonly #answers = new QuickLRU<string, Answers>({ maxSize: ANSWERS });

  of(clientOrderId: string): Readonly<Answers> {
    return this.#answers.get(clientOrderId) ?? NONE;
  }

  /** @param verdict - what the outcome means */
  note(operation: 'place' | 'cancel', clientOrderId: string, outcome: SdkOutcome, verdict: Verdict['kind']): void {
    const answers = this.#answers.get(clientOrderId) ?? {};
    if (operation === 'place') {
      if ('result' in outcome) answers.placed = outcome.result;
      // What an earlier sending met is not what became of the order.
      answers.placeError = 'result' in outcome ? undefined : outcome.error;
    } else if ('result' in outcome) {
      answers.cancelled = outcome.result;
      answers.cancelError = undefined;
    } else {
      answers.cancelError = outcome.error;
      answers.isCancelDoubtful ||= verdict === 'unknown';
      answers.isCancelRejected = verdict === 'rejected';
    }
    this.#answers.set(clientOrderId, answers);
  }
}
