import { describe, expect, it } from 'vitest';
import type { BrokerAdapter, Cost, Limit } from '../../../src/contracts/broker.js';
import type { ManualClock } from '../../../src/core/manual-clock.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, settle } from './given-trading.js';

const WEIGHT: Limit = { id: 'weight', scope: 'ip', kind: 'window', units: 1_000, perMs: 10_000 };

/** The broker under a limit of 100 units a second, with listings that cost so much, and when they were asked for. */
function priced(listings: Readonly<Record<string, number>>) {
  const asked: number[] = [];
  const adapter = (broker: BrokerAdapter, clock: ManualClock): BrokerAdapter =>
    new Proxy(broker, {
      get(target, name) {
        if (name === 'limits') return [WEIGHT];
        if (name === 'cost') return (operation: string): readonly Cost[] => [{ limit: 'weight', units: listings[operation] ?? 1 }];
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'openOrders') return member.bind(target);
        return (...args: unknown[]) => {
          asked.push(clock.monotonic());
          return member.apply(target, args) as unknown;
        };
      },
    });
  return { adapter, asked };
}

const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((at, i) => at - (times[i] as number));

describe('proofs of absence, paced by what they cost', () => {
  // 700 units a round at 100 units a second, of which a fifth is kept for looking, and a proof may use three times that.
  const DEAR = { openOrders: 500, history: 100, fills: 100 };
  const PACE_MS = 700 / (0.1 * 0.2);

  it('take rounds of listings as far apart as three times the share kept for looking pays for', async () => {
    const { adapter, asked } = priced(DEAR);
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    asked.length = 0;
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    expect(await settle(clock, client.submit(aMarketOrder(), { deadlineMs: 100_000 }))).toMatchObject({ state: 'filled', attempts: 2 });
    expect(asked.length).toBeGreaterThanOrEqual(2);
    for (const gap of gapsOf(asked)) expect(gap).toBeGreaterThanOrEqual(PACE_MS / 3);
  });

  it('do not save while three quarters of the limits would still be free, and do from there on', async () => {
    // 70 units a round of 1,000 in 10 s: paced they would be 1.17 s apart.
    const { adapter, asked } = priced({ openOrders: 50, history: 10, fills: 10 });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    await clock.advance(20_000);
    asked.length = 0;
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    // It takes longer than the limits have plenty for: every listing of orders that were over fails.
    venue.fault({ operation: 'history', when: 'before', kind: 'status', status: 503, times: 6 });
    expect(await settle(clock, client.submit(aMarketOrder(), { deadlineMs: 100_000 }))).toMatchObject({ state: 'filled', attempts: 2 });
    const gaps = gapsOf(asked);
    expect(gaps.length).toBeGreaterThanOrEqual(6);
    expect(Math.max(...gaps.slice(0, 2))).toBeLessThan(600);
    expect(Math.min(...gaps.slice(4))).toBeGreaterThanOrEqual(1_166);
  });

  it('follow one another at once where they cost little', async () => {
    const { adapter, asked } = priced({ openOrders: 1, history: 1, fills: 1 });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    asked.length = 0;
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    await settle(clock, client.submit(aMarketOrder()));
    expect(asked.length).toBeGreaterThanOrEqual(2);
    for (const gap of gapsOf(asked)) expect(gap).toBeGreaterThanOrEqual(250);
    expect(Math.min(...gapsOf(asked))).toBeLessThan(1_000);
  });

  it('leave the limits to the orders: those go out beside a proof that is under way', async () => {
    const { adapter } = priced(DEAR);
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    const lost = client.submit(aMarketOrder(), { deadlineMs: 100_000 });
    await clock.advance(5_000);
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      const began = clock.monotonic();
      await settle(clock, client.submit(aMarketOrder({ intentId: `beside-${i}` })));
      waits.push(clock.monotonic() - began);
      await clock.advance(1_000);
    }
    // A round of listings that waits for its units goes first, once a round; all others pass at once.
    waits.sort((a, b) => a - b);
    expect(waits[35]).toBeLessThan(1_000);
    expect(waits[39]).toBeLessThan(WEIGHT.kind === 'window' ? WEIGHT.perMs : 0);
    expect((await settle(clock, lost)).state).toBe('filled');
  });

  it('and the watch over working orders without a stream keep to the share alone', async () => {
    const { adapter: pricing, asked } = priced(DEAR);
    const adapter = (broker: BrokerAdapter, clock: ManualClock): BrokerAdapter => {
      const made = pricing(broker, clock);
      return new Proxy(made, { get: (target, name) => (name === 'events' ? undefined : (Reflect.get(target, name) as unknown)) });
    };
    const { clock, client } = await givenAStartedClient({ adapter });
    await settle(clock, client.submit(aRestingOrder()));
    asked.length = 0;
    await clock.advance(4 * PACE_MS);
    expect(asked.length).toBeGreaterThanOrEqual(2);
    for (const gap of gapsOf(asked)) expect(gap).toBeGreaterThanOrEqual(PACE_MS);
  });
});
