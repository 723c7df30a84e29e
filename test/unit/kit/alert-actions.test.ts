import { describe, expect, it } from 'vitest';
import type { ActionRef } from '../../../src/alerts/index.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { createVenueKit } from '../../../src/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';

/** A kit with one custom rule that the test turns on and off, and what it has done. */
async function givenAKit(actions: readonly ActionRef[], labels: Readonly<Record<string, string>> = {}) {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({ clock, seed: 5, symbols: { 'BTC/USD': { price: 7_000 }, 'ETH/USD': { price: 400 } } });
  const adapter = simulatedBroker(venue);
  let isActive = false;
  const kit = await createVenueKit({
    broker: adapter,
    marketData: adapter,
    clock,
    random: seededRandom(5),
    rules: [
      {
        id: 'by-hand',
        type: 'custom',
        severity: 'critical',
        summary: 'the test says so',
        everyMs: 1_000,
        evaluate: () => [{ labels, value: 1, active: isActive }],
        actions,
      },
    ],
  });
  const done: string[] = [];
  kit.bus.on('alert.action', ({ action, mode, ok }) => done.push(`${action} ${mode} ${ok ? 'ok' : 'failed'}`));
  const starting = kit.start();
  for (let i = 0; i < 20; i++) await clock.advance(100);
  await starting;
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await clock.advance(1_000);
  };
  return {
    kit,
    done,
    seconds,
    fire: async () => {
      isActive = true;
      await seconds(3);
    },
    resolve: async () => {
      isActive = false;
      await seconds(3);
    },
    [Symbol.asyncDispose]: async () => {
      const closing = kit.close();
      for (let i = 0; i < 50; i++) await clock.advance(100);
      await closing;
    },
  };
}

describe('the actions that a kit gives its alerts', () => {
  it('do nothing but say so, unless a rule lets them act', async () => {
    await using given = await givenAKit([{ do: 'halt' }]);
    await given.fire();
    expect(given.done).toEqual(['halt dry_run ok']);
    expect(given.kit.trading?.mode()).toBe('active');
  });

  it('halt the account, and no end of the alert resumes it', async () => {
    await using given = await givenAKit([{ do: 'halt', mode: 'auto' }]);
    await given.fire();
    expect(given.done).toEqual(['halt auto ok']);
    expect(given.kit.trading?.mode()).toBe('halted');
    await given.resolve();
    expect(given.kit.trading?.mode()).toBe('halted');
    await expect(given.kit.trading?.place({ symbol: 'BTC/USD', side: 'buy', type: 'market', qty: '0.1' })).rejects.toMatchObject({ code: 'HALTED' });
  });

  it('block new orders on the symbol of the alert, and on no other', async () => {
    await using given = await givenAKit([{ do: 'block_symbol', mode: 'auto' }], { symbol: 'BTC/USD' });
    await given.fire();
    expect(given.kit.trading?.mode('BTC/USD')).toBe('reduce_only');
    expect(given.kit.trading?.mode('ETH/USD')).toBe('active');
  });

  it('never loosen what a person has tightened', async () => {
    await using given = await givenAKit([{ do: 'block_symbol', mode: 'auto' }], { symbol: 'BTC/USD' });
    const halted = given.kit.trading?.halt('halted', 'by hand', { symbol: 'BTC/USD' });
    await given.seconds(1);
    await halted;
    await given.fire();
    expect(given.kit.trading?.mode('BTC/USD')).toBe('halted');
  });

  it('lower the concurrency of both classes for a while', async () => {
    await using given = await givenAKit([{ do: 'lower_concurrency', with: { maxInFlight: 2, forMs: 20_000 }, mode: 'auto' }]);
    const lowered: unknown[] = [];
    given.kit.bus.on('concurrency.state', (event) => lowered.push(event));
    await given.fire();
    expect(given.done).toEqual(['lower_concurrency auto ok']);
    expect(lowered).toHaveLength(2);
    expect(given.kit.trading?.guards()).toMatchObject({ place: { limit: 2 }, read: { limit: 2 } });
    await given.seconds(30);
    expect(lowered.length).toBeGreaterThanOrEqual(4);
  });

  it('shed prefetch for a while', async () => {
    await using given = await givenAKit([{ do: 'shed_prefetch', with: { forMs: 10_000 }, mode: 'auto' }]);
    const states: string[] = [];
    given.kit.bus.on('cache.prefetch_state', ({ state }) => states.push(state));
    await given.fire();
    await given.seconds(15);
    expect(given.done).toEqual(['shed_prefetch auto ok']);
    expect(states).toEqual(['paused', 'running']);
  });

  it('fail by name for an option that does not exist, once, and the engine goes on', async () => {
    await using given = await givenAKit([
      { do: 'halt', with: { moode: 'halted' }, mode: 'auto' },
      { do: 'shed_prefetch', mode: 'auto' },
    ]);
    await given.fire();
    expect([...given.done].sort()).toEqual(['halt auto failed', 'shed_prefetch auto ok']);
    expect(given.kit.trading?.mode()).toBe('active');
  });
});
