import { describe, expect, it } from 'vitest';
import { aMarketOrder, aRestingOrder, givenAStartedClient, PROFILES, settle } from './given-trading.js';

describe('ResilientTradingClient', () => {
  it('places an order and shows how it ends', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const view = await settle(clock, client.submit(aMarketOrder({ intentId: 'a' })));
    const done = await settle(clock, client.order('a')!.done());
    expect(view.state).toMatch(/filled|working/);
    expect(done).toMatchObject({ state: 'filled', filledQty: '0.01', attempts: 1, clientOrderId: 'a' });
    await clock.advance(5_000);
    expect(client.order('a')!.view.fills.map((fill) => fill.qty)).toEqual(['0.01']);
    expect(venue.orders()).toHaveLength(1);
  });

  it('cancels a resting order', async () => {
    const { clock, client } = await givenAStartedClient();
    const handle = await settle(clock, client.place(aRestingOrder()));
    expect((await settle(clock, handle.acked())).state).toBe('working');
    expect((await settle(clock, handle.cancel())).state).toBe('canceled');
  });

  it('finds the order whose answer was lost, and sends no second one', async () => {
    for (const profile of Object.values(PROFILES)) {
      const { clock, client, venue } = await givenAStartedClient({ venue: profile, policy: { timeoutMs: 1_000 } });
      venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
      const view = await settle(clock, client.submit(aMarketOrder()));
      expect(view.state).toBe('filled');
      expect(venue.orders()).toHaveLength(1);
    }
  });

  it('sends an order whose request was lost again once that is proved', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 1_000 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const began = clock.monotonic();
    const view = await settle(clock, client.submit(aMarketOrder()));
    expect(view).toMatchObject({ state: 'filled', attempts: 2 });
    expect(venue.orders()).toHaveLength(1);
    // Fence 2 s, visibility lag 1 s, margin 1 s: before that nothing is proved.
    expect(clock.monotonic() - began).toBeGreaterThan(4_000);
    expect(clock.monotonic() - began).toBeLessThan(6_000);
  });

  it('escalates where the venue gives no proof, and resolves by a later sighting', async () => {
    const { clock, client, venue } = await givenAStartedClient({ venue: PROFILES.neither, policy: { timeoutMs: 1_000 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const view = await settle(clock, client.submit(aMarketOrder({ intentId: 'lost' })));
    expect(view.state).toBe('escalated');
    await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    venue.placeExternal(aMarketOrder(), { clientOrderId: 'lost' });
    await clock.advance(60_000);
    expect(client.order('lost')!.view.state).toBe('filled');
  });
});
