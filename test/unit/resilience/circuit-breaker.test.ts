import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type BreakerChange, CircuitBreaker, type CircuitBreakerOptions } from '../../../src/resilience/index.js';

const givenABreaker = (options: Partial<CircuitBreakerOptions> = {}) => {
  const clock = new ManualClock();
  const changes: BreakerChange[] = [];
  const breaker = new CircuitBreaker({
    clock,
    minCalls: 4,
    openMs: 1_000,
    windowMs: 1_000,
    onStateChange: (change) => changes.push(change),
    ...options,
  });
  const call = (ok: boolean): void => {
    expect(breaker.allow()).toBe(true);
    if (ok) breaker.success();
    else breaker.failure();
  };
  const open = (): void => {
    for (let i = 0; i < 4; i++) call(false);
  };
  return { clock, breaker, changes, call, open };
};

describe('CircuitBreaker', () => {
  it('opens at its failure rate, not before it has seen enough calls', () => {
    const { breaker, changes, call } = givenABreaker();
    for (const ok of [false, false, true]) call(ok);
    expect(breaker.state).toBe('closed');
    call(false);
    expect(breaker.state).toBe('open');
    expect(breaker.allow()).toBe(false);
    expect(changes).toEqual([{ from: 'closed', state: 'open', reason: '3 of 4 calls failed' }]);
  });

  it('forgets failures that have left the window', async () => {
    const { clock, breaker, call } = givenABreaker();
    for (let i = 0; i < 3; i++) call(false);
    await clock.advance(1_000);
    call(false);
    expect(breaker.state).toBe('closed');
    expect(breaker.failureRate).toBe(1);
    await clock.advance(1_000);
    expect(breaker.failureRate).toBe(0);
  });

  it('is not moved by a step of the wall clock', () => {
    const { clock, breaker, open } = givenABreaker();
    open();
    clock.stepWall(3_600_000);
    expect(breaker.allow()).toBe(false);
  });

  it('lets a bounded number of probes through and closes when all have succeeded', async () => {
    const { clock, breaker, open, changes } = givenABreaker({ probes: 2 });
    open();
    await clock.advance(999);
    expect(breaker.allow()).toBe(false);
    expect(breaker.retryAfterMs).toBe(1);
    await clock.advance(1);
    expect([breaker.allow(), breaker.allow(), breaker.allow()]).toEqual([true, true, false]);
    breaker.success();
    expect(breaker.state).toBe('half_open');
    expect(breaker.allow()).toBe(false);
    breaker.success();
    expect(breaker.state).toBe('closed');
    expect(breaker.failureRate).toBe(0);
    expect(changes.map(({ state }) => state)).toEqual(['open', 'half_open', 'closed']);
  });

  it('opens again for the whole time when a probe fails', async () => {
    const { clock, breaker, open } = givenABreaker();
    open();
    await clock.advance(1_000);
    breaker.allow();
    breaker.failure();
    await clock.advance(999);
    expect(breaker.allow()).toBe(false);
    await clock.advance(1);
    expect(breaker.allow()).toBe(true);
  });

  it('hands out a probe again that proved nothing, and one that nobody reported', async () => {
    const { clock, breaker, open } = givenABreaker();
    open();
    await clock.advance(1_000);
    expect(breaker.allow()).toBe(true);
    breaker.ignore();
    expect(breaker.allow()).toBe(true);
    await clock.advance(999);
    expect(breaker.allow()).toBe(false);
    await clock.advance(1);
    expect(breaker.allow()).toBe(true);
  });

  it('does not take the late answer of a call from before it opened for a probe', () => {
    const { breaker, open } = givenABreaker();
    breaker.allow();
    open();
    breaker.success();
    expect(breaker.state).toBe('open');
  });

  it('trips and resets by hand, and tells the reason', () => {
    const { breaker, changes } = givenABreaker();
    breaker.trip('maintenance announced');
    expect(breaker.reason).toBe('maintenance announced');
    const error = breaker.error('orders');
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1_000 });
    expect(error.message).toBe('Not sent: the circuit breaker of orders is open (maintenance announced); the next probe goes in 1000 ms');
    breaker.reset();
    expect(breaker.allow()).toBe(true);
    expect(changes.map(({ state, reason }) => `${state}: ${reason}`)).toEqual(['open: maintenance announced', 'closed: reset']);
  });

  it('lets whoever hears of a change trip it again, and survives one who throws', async () => {
    const logged: unknown[] = [];
    const clock = new ManualClock();
    const breaker = new CircuitBreaker({
      clock,
      openMs: 1_000,
      logger: { debug() {}, info() {}, warn() {}, error: (facts) => void logged.push(facts) },
      onStateChange: ({ state }) => {
        if (state === 'half_open') breaker.trip('not yet');
        throw new Error('a fault of the host');
      },
    });
    breaker.trip('down');
    await clock.advance(1_000);
    expect(breaker.allow()).toBe(false);
    expect(breaker.state).toBe('open');
    expect(logged).toHaveLength(3);
  });

  it('refuses options that can’t be meant', () => {
    const clock = new ManualClock();
    expect(() => new CircuitBreaker({ clock, failureRate: 0 })).toThrow(/failureRate.*above 0/);
    expect(() => new CircuitBreaker({ clock, failureRate: 50 })).toThrow(/failureRate.*between 0 and 1.*50/);
    expect(() => new CircuitBreaker({ clock, minCalls: 0 })).toThrow(/minCalls/);
    expect(() => new CircuitBreaker({ clock, windowMs: -1 })).toThrow(/windowMs/);
  });
});
