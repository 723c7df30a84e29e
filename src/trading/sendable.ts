import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import { type Halts, haltedError } from './halts.js';

/**
 * That something may be sent for the intent at this moment.
 * @param unchanged - what is left as it was, for the message.
 * @throws TradingError INTENT_EXPIRED, HALTED.
 */
export function requireSendable(intent: OrderIntent & { readonly intentId: string }, now: number, halts: Halts, unchanged: string): void {
  const { intentId, validUntil } = intent;
  if (validUntil !== undefined && validUntil <= now)
    throw new TradingError('INTENT_EXPIRED', `validUntil of intent ${intentId} passed ${now - validUntil} ms ago; ${unchanged}.`, { intentId });
  const halted = halts.refusalOf(intent);
  if (halted !== undefined) throw haltedError(halted, intentId);
}
