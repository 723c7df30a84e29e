import { describe, expect, it } from 'vitest';
import type { OrderView } from '../../../src/contracts/orders.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, lying, PROFILES, settle } from './given-trading.js';

describe('what each answer leads to', () => {
  it('sends again, under the same id, what was refused', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 429, ms: 1_000, times: 2 });
    const began = clock.monotonic();
    expect(await settle(clock, client.submit(aMarketOrder()))).toMatchObject({ state: 'filled', attempts: 3 });
    expect(clock.monotonic() - began).toBeGreaterThan(2_000);
    expect(venue.orders()).toHaveLength(1);
  });

  it('sends nothing at all during a ban', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient();
    const calls: number[] = [];
    bus.on('venue.call', ({ ms }) => calls.push(clock.monotonic() - ms));
    venue.fault({ operation: 'place', when: 'before', kind: 'ban', ms: 10_000, times: 1 });
    const began = clock.monotonic();
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('filled');
    expect(calls.filter((at) => at > began + 200 && at < began + 10_000)).toEqual([]);
  });

  it('corrects its clock when the venue refuses the timestamp', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    venue.setClock({ skewMs: 30_000 });
    const view = await settle(clock, client.submit(aMarketOrder()));
    expect(view).toMatchObject({ state: 'filled', attempts: 2 });
  });

  it('takes a rejection for the end where no other attempt can have landed', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    venue.fault({ operation: 'place', when: 'before', kind: 'reject', times: 1 });
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('rejected');
    expect(venue.orders()).toHaveLength(0);
  });

  it('does not take the rejection of a second attempt for the end of the first', async () => {
    const { clock, client, venue } = await givenAStartedClient({ venue: PROFILES.forever, policy: { timeoutMs: 500 } });
    // The first copy is on its way for 3 s; the second, sent meanwhile, is rejected.
    venue.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 3_000, times: 1 });
    const submitted = client.submit(aMarketOrder());
    await clock.advance(100);
    venue.fault({ operation: 'place', when: 'before', kind: 'reject', times: 1 });
    expect((await settle(clock, submitted)).state).toBe('filled');
    expect(venue.orders()).toHaveLength(1);
  });

  it('adopts the order when the venue says that the id is taken', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    venue.fault({ operation: 'place', when: 'after', kind: 'duplicate', times: 1 });
    expect((await settle(clock, client.submit(aRestingOrder()))).state).toBe('working');
    expect(venue.orders()).toHaveLength(1);
  });

  it('says so, and halts, when the id is taken by an order that it never sent', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient();
    const conflicts: OrderView[] = [];
    bus.on('order.conflict', ({ order }) => conflicts.push(order));
    venue.placeExternal(aRestingOrder({ qty: '0.5' }), { clientOrderId: 'reused' });
    const handle = await settle(clock, client.place(aRestingOrder({ intentId: 'reused' })));
    await clock.advance(20_000);
    expect(conflicts).not.toEqual([]);
    expect(handle.view.venueOrderIds).toEqual([]);
    expect(handle.view.state).toBe('abandoned');
    await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
  });

  it('tells the caller at its deadline that the outcome is unknown, and goes on resolving', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const error = await settle(
      clock,
      client.submit(aMarketOrder({ intentId: 'a' }), { deadlineMs: 1_000 }).then(
        () => undefined,
        (reason: { code: string; sent: string; handle: { view: OrderView } }) => reason,
      ),
    );
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe' });
    await clock.advance(10_000);
    expect(error!.handle.view.state).toBe('filled');
    expect(venue.orders()).toHaveLength(1);
  });

  it('never sends after validUntil, and abandons once absence is proved', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const view = await settle(clock, client.submit(aMarketOrder({ validUntil: clock.now() + 2_000 })));
    expect(view).toMatchObject({ state: 'abandoned', attempts: 1 });
    expect(venue.orders()).toHaveLength(0);
  });

  it('escalates what it was told to stop where the venue proves nothing, though ids are unique for good', async () => {
    const { clock, client, venue } = await givenAStartedClient({ venue: PROFILES.forever, policy: { timeoutMs: 500, onUnresolvable: 'escalate' } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const handle = await settle(clock, client.place(aMarketOrder()));
    await clock.advance(100);
    expect((await settle(clock, handle.cancel())).state).toBe('escalated');
    expect(venue.orders()).toHaveLength(0);
  });

  it('halts one symbol, and lets others and cancels pass', async () => {
    const { clock, client } = await givenAStartedClient({ venue: { symbols: { 'BTC/USDT': { price: 50_000 }, 'ETH/USDT': { price: 2_500 } } } });
    const resting = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, resting.acked());
    await settle(clock, client.halt('halted', 'news', { symbol: 'BTC/USDT' }));
    await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    expect((await settle(clock, client.submit(aMarketOrder({ symbol: 'ETH/USDT' })))).state).toBe('filled');
    expect((await settle(clock, resting.cancel())).state).toBe('canceled');
    await settle(clock, client.halt('reduce_only', 'calmer', { symbol: 'BTC/USDT' }));
    await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    expect((await settle(clock, client.submit(aMarketOrder({ reduceOnly: true })))).state).toBe('filled');
    await settle(clock, client.halt('active', 'over', { symbol: 'BTC/USDT' }));
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('filled');
  });

  it('cancels everything on a halt that says so', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    for (let i = 0; i < 5; i++) await settle(clock, client.submit(aRestingOrder()));
    await settle(clock, client.halt('halted', 'enough', { cancelAll: true }));
    await clock.advance(2_000);
    expect(venue.orders().map(({ state }) => state)).toEqual(Array(5).fill('canceled'));
  });

  it('abandons what waits for a limit when trading is halted', async () => {
    const { clock, client, venue } = await givenAStartedClient({
      venue: { limits: [{ id: 'orders', scope: 'account', kind: 'window', units: 1, perMs: 5_000 }] },
      policy: { reserve: 0 },
    });
    await settle(clock, client.submit(aRestingOrder()));
    const waiting = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, client.halt('halted', 'enough'));
    await clock.advance(10_000);
    expect(waiting.view).toMatchObject({ state: 'abandoned', attempts: 0 });
    expect(venue.orders()).toHaveLength(1);
  });

  it('reports orders that others have placed on the account, once', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient();
    const external: string[] = [];
    bus.on('order.external', ({ order }) => external.push(order.venueOrderId));
    const { venueOrderId } = venue.placeExternal(aRestingOrder());
    await clock.advance(2_000);
    const report = await settle(clock, client.reconcile());
    await settle(clock, client.reconcile());
    expect(report.external.map((order) => order.venueOrderId)).toEqual([venueOrderId]);
    expect(external).toEqual([venueOrderId]);
  });

  it('reads again what a gap in the stream has hidden', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient();
    const states: string[] = [];
    bus.on('stream.state', ({ state }) => states.push(state));
    const handle = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, handle.acked());
    await clock.advance(1_000);
    venue.fault({ operation: 'events', when: 'before', kind: 'stream_gap', times: 2 });
    venue.fill(handle.view.venueOrderIds[0]!);
    await clock.advance(200);
    venue.placeExternal(aRestingOrder()); // whatever comes next shows the hole
    expect((await settle(clock, handle.done())).state).toBe('filled');
    expect(states.slice(0, 2)).toEqual(['gap', 'live']);
  });

  it('replaces by cancelling and placing the remainder as a linked intent', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const first = await settle(clock, client.submit(aRestingOrder({ intentId: 'a', qty: '0.01' })));
    venue.fill(first.venueOrderIds[0]!, { qty: '0.004' });
    await clock.advance(1_500);
    const next = await settle(clock, client.replace('a', { qty: '0.02', price: '31000' }));
    expect(next).toMatchObject({ state: 'working', linkedFrom: 'a', intent: { qty: '0.016', price: '31000' } });
    expect(client.order('a')!.view).toMatchObject({ state: 'canceled', filledQty: '0.004', linkedTo: next.intent.intentId });
    expect(venue.orders()).toHaveLength(2);
  });

  it('places no remainder where the order filled before it could be cancelled', async () => {
    const { clock, client, venue } = await givenAStartedClient({ venue: { races: { cancelLosesToFill: 1 } } });
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    const view = await settle(clock, client.replace('a', { price: '31000' }));
    expect(view).toMatchObject({ state: 'filled', intent: { intentId: 'a' } });
    expect(venue.orders()).toHaveLength(1);
  });

  it('found by review: asks ever more rarely for a cancel that the venue keeps for later', async () => {
    const { clock, client, bus } = await givenAStartedClient({
      // As where a market is closed: taken, and done when it opens.
      adapter: lying({
        cancel: (broker) => async (ref, attempt) => {
          const found = await broker.find(ref, attempt);
          return found === 'not_found' ? { kind: 'unknown', cause: 'gone' } : { kind: 'accepted', order: found };
        },
      }),
    });
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    let cancels = 0;
    bus.on('venue.call', ({ operation }) => operation === 'cancel' && cancels++);
    const cancelling = client.cancel('a', { deadlineMs: 600_000 }).catch((error: { code: string }) => error.code);
    await clock.advance(600_001);
    expect(await cancelling).toBe('OUTCOME_UNKNOWN');
    expect(client.order('a')?.view.state).toBe('pending_cancel');
    expect(cancels).toBeGreaterThan(30);
    expect(cancels).toBeLessThan(100);
  });

  it('yields each view of an order until it is over', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const handle = await settle(clock, client.place(aRestingOrder()));
    const states: string[] = [];
    const reading = (async () => {
      for await (const view of handle) states.push(view.state);
    })();
    await settle(clock, handle.acked());
    venue.fill(handle.view.venueOrderIds[0]!, { qty: '0.004' });
    await clock.advance(1_000);
    venue.fill(handle.view.venueOrderIds[0]!, { qty: '0.006' });
    await settle(clock, reading);
    expect([...new Set(states)]).toEqual(['sending', 'working', 'partially_filled', 'filled']);
    expect('then' in handle).toBe(false);
  });
});
