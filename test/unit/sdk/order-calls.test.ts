import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/contracts/broker.js';
import type { OrderView } from '../../../src/contracts/orders.js';
import { OrderAnswers, type SdkOutcome } from '../../../src/sdk/shared/order-answers.js';
import { OrderCalls, type OrderFinder } from '../../../src/sdk/shared/order-calls.js';
import type { SdkSession } from '../../../src/sdk/shared/sdk-session.js';
import { aRestingOrder, givenAStartedClient, settle } from '../trading/given-trading.js';

describe('found by review: an order that an SDK names by the id of a venue that counts its orders by symbol', () => {
  it('is the one of that symbol, and none where the number is that of another symbol', async () => {
    const { clock, client } = await givenAStartedClient();
    const { venueOrderIds } = await settle(clock, client.submit(aRestingOrder()));
    const [venueOrderId] = venueOrderIds as readonly [string];
    const calls = new OrderCalls({ client } as SdkSession, new OrderAnswers(), {} as OrderFinder);
    expect(calls.open({ venueOrderId, symbol: 'BTC/USDT' })?.venueOrderIds).toEqual([venueOrderId]);
    expect(calls.open({ venueOrderId, symbol: 'ETH/USDT' })).toBeUndefined();
  });
});

describe('a cancel whose order ends as cancelled', () => {
  const LIMITED = new Error('Request failed with status code 429');
  const UNKNOWN_ORDER = new Error('unknown order');
  const view = { clientOrderId: 'one', state: 'canceled' } as OrderView;
  const shown = { id: 'venue-1', status: 'canceled' };

  const OVER = new Error('order is already in "filled" state');

  function given(...outcomes: readonly (readonly [SdkOutcome, Verdict['kind']])[]): Promise<unknown> {
    return cancelled(view, outcomes);
  }

  function cancelled(seen: OrderView, outcomes: readonly (readonly [SdkOutcome, Verdict['kind']])[]): Promise<unknown> {
    const answers = new OrderAnswers();
    for (const [outcome, verdict] of outcomes) answers.note('cancel', 'one', outcome, verdict);
    const session = { cancel: () => Promise.resolve(seen) } as unknown as SdkSession;
    return new OrderCalls(session, answers, { placed: () => Promise.resolve(), cancelled: () => Promise.resolve(shown) }).cancel(view, () =>
      Promise.reject(OVER),
    );
  }

  it('is answered as the venue answered it', async () => {
    expect(await given([{ result: 'its answer' }, 'accepted'])).toBe('its answer');
  });

  it('regression: threw the 429 of the first sending where the second one has no answer yet', async () => {
    expect(await given([{ error: LIMITED }, 'refused'])).toEqual(shown);
  });

  it('regression: threw an error of ours, or an earlier 429, where the order had filled before a cancel was sent', async () => {
    const filled = { ...view, state: 'filled' } as OrderView;
    await expect(cancelled(filled, [])).rejects.toBe(OVER);
    await expect(cancelled(filled, [[{ error: LIMITED }, 'refused']])).rejects.toBe(OVER);
    await expect(cancelled(filled, [[{ error: UNKNOWN_ORDER }, 'rejected']])).rejects.toBe(UNKNOWN_ORDER);
  });

  it('may be the work of a sending whose answer was lost, whatever the next one was told', async () => {
    expect(await given([{ error: new Error('timeout') }, 'unknown'], [{ error: UNKNOWN_ORDER }, 'rejected'])).toEqual(shown);
  });

  it('throws the venue’s refusal where somebody else has cancelled it', async () => {
    await expect(given([{ error: LIMITED }, 'refused'], [{ error: UNKNOWN_ORDER }, 'rejected'])).rejects.toBe(UNKNOWN_ORDER);
  });
});
