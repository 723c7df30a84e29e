import { describe, expect, it } from 'vitest';
import type { DeskCosts } from '../../../scripts/scaling/measure-costs.js';
import { type DeskLoad, firstSaturated, simulateDesk } from '../../../scripts/scaling/simulate-desk.js';

const COSTS: DeskCosts = {
  redis: { idleSecond: 0, grant: 100, readKey: 10, writeKey: 20, lease: 10, wordHeard: 5 },
  postgres: { placement: 1_000, renewal: 0, point: 1 },
  bot: { idleSecond: 1_000, cachedRead: 1, sharedRead: 50, load: 200, order: 500, bytesPerProcess: 1, bytesPerSymbol: 1, bytesPerOrder: 1 },
};
const LOAD: DeskLoad = { bots: 10, symbols: 50, followed: 1_000, readEveryMs: 1_000, ttlMs: 1_000, orders: 1, botsPerAccount: 10, series: 100 };
const HOSTS = { postgresCores: 2, venueCalls: 1_000, batch: 10 };

describe('the simulated desk', () => {
  it('adds up what each asks of each, where every symbol is followed', () => {
    const { busy, live } = simulateDesk(LOAD, COSTS, HOSTS);
    expect(live).toBe(50);
    // 50 loads in 5 calls, and 20 for orders and cancels.
    expect(busy.venue).toBeCloseTo(25 / 1_000);
    expect(busy.Redis).toBeCloseTo((10_000 * 10 + 50 * 30 + 25 * 100) / 1e6);
    expect(busy.PostgreSQL).toBeCloseTo((10 * 1_000 + 10 * 100) / 1e6 / 2);
    expect(busy.bot).toBeCloseTo((1_000 + 1_000 + 50_000 + 5 * 200 + 1_000) / 1e6);
  });

  it('waits as a queue with one server does', () => {
    const half = simulateDesk({ ...LOAD, bots: 50, orders: 0, followed: 1_000 }, COSTS, HOSTS);
    // Utilisation of a half, by calls of 10 µs: the mean wait of M/D/1 is ρ / (2 (1 - ρ)) of a service.
    expect(half.busy.Redis).toBeCloseTo(0.5, 1);
    expect(half.redisWaitMs!.p50).toBeLessThan(0.01);
    expect(half.redisWaitMs!.p99).toBeGreaterThan(0.02);
    expect(half.redisWaitMs!.p99).toBeLessThan(0.06);
    expect(simulateDesk({ ...LOAD, bots: 200 }, COSTS, HOSTS).redisWaitMs).toBeUndefined();
  });

  it('finds what saturates first, and at how many bots', () => {
    expect(firstSaturated(LOAD, COSTS, HOSTS)).toMatchObject({ resource: 'Redis', bots: 98 });
    expect(firstSaturated({ ...LOAD, followed: 10 }, COSTS, { ...HOSTS, venueCalls: 100 })).toMatchObject({ resource: 'venue' });
    expect(firstSaturated({ ...LOAD, followed: 0, orders: 0, series: 0 }, COSTS, HOSTS)).toBeUndefined();
  });

  it('gives the same for the same seed', () => {
    expect(simulateDesk({ ...LOAD, symbols: 100_000 }, COSTS, HOSTS, 3)).toEqual(simulateDesk({ ...LOAD, symbols: 100_000 }, COSTS, HOSTS, 3));
  });
});
