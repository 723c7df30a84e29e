import { describe, expect, it } from 'vitest';
import type { OrderAnswers } from '../../../src/sdk/shared/order-answers.js';
import { OrderCalls, type OrderFinder } from '../../../src/sdk/shared/order-calls.js';
import type { SdkSession } from '../../../src/sdk/shared/sdk-session.js';
import { aRestingOrder, givenAStartedClient, settle } from '../trading/given-trading.js';

describe('found by review: an order that an SDK names by the id of a venue that counts its orders by symbol', () => {
  it('is the one of that symbol, and none where the number is that of another symbol', async () => {
    const { clock, client } = await givenAStartedClient();
    const { venueOrderIds } = await settle(clock, client.submit(aRestingOrder()));
    const [venueOrderId] = venueOrderIds as readonly [string];
    const calls = new OrderCalls({ client } as SdkSession, {} as OrderAnswers, {} as OrderFinder);
    expect(calls.open({ venueOrderId, symbol: 'BTC/USDT' })?.venueOrderIds).toEqual([venueOrderId]);
    expect(calls.open({ venueOrderId, symbol: 'ETH/USDT' })).toBeUndefined();
  });
});
