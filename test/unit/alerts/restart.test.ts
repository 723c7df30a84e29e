import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../../src/alerts/index.js';
import type { AlertGroup, Notifier } from '../../../src/contracts/alerts.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { givenAnEngine, settle, T0, tickOf } from './given-an-engine.js';

const rule: AlertRule = { id: 'r', severity: 'warning', summary: 'x is high.', type: 'threshold', expr: 'x', op: '>', fire: 5, forMs: 2_000 };

/** Tells and remembers. */
const givenANotifier = () => {
  const told: AlertGroup[] = [];
  const notifier: Notifier = { name: 'desk', notify: async (group) => void told.push(group) };
  return { notifier, told };
};

describe('a restart', () => {
  it('neither forgets a firing alert nor fires it twice, and tells nobody again', async () => {
    const { notifier, told } = givenANotifier();
    const first = givenAnEngine({ rules: [rule], notifiers: [notifier] });
    for (let i = 0; i < 4; i++) await first.second({ x: 6 });
    await first.engine.settled();
    await first.engine.close();
    const again = givenAnEngine({ rules: [rule], notifiers: [notifier], store: first.store, clock: first.clock });
    for (let i = 0; i < 3; i++) await again.second({ x: 6 });
    expect(again.states()).toEqual([]);
    expect(again.engine.instances()).toMatchObject([{ state: 'firing', firedAt: T0 + 3_000 }]);
    await again.second({ x: 1 });
    await again.engine.settled();
    expect(again.states()).toEqual(['8 inactive']);
    expect(told.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  it('tells what could not be told before it', async () => {
    const { notifier, told } = givenANotifier();
    const broken: Notifier = { name: 'desk', notify: () => Promise.reject(new Error('the network is down')) };
    const first = givenAnEngine({ rules: [rule], notifiers: [broken] });
    for (let i = 0; i < 4; i++) await first.second({ x: 6 });
    await settle();
    await first.engine.close();
    const again = givenAnEngine({ rules: [rule], notifiers: [notifier], store: first.store, clock: first.clock });
    await again.second({ x: 6 });
    await again.engine.settled();
    expect(told.map(({ status, alerts }) => [status, alerts[0]!.rule])).toEqual([['firing', 'r']]);
  });

  it('goes on counting while it was short, and begins anew where nobody looked for longer than two evaluations', async () => {
    const first = givenAnEngine({ rules: [rule] });
    await first.second({ x: 6 });
    await first.second({ x: 6 });
    const short = givenAnEngine({ rules: [rule], store: first.store, clock: first.clock });
    await short.second({ x: 6 });
    expect(short.states()).toEqual(['3 firing']);

    const other = givenAnEngine({ rules: [rule] });
    await other.second({ x: 6 });
    await other.clock.advance(3_000);
    const long = givenAnEngine({ rules: [rule], store: other.store, clock: other.clock });
    for (let i = 0; i < 3; i++) await long.second({ x: 6 });
    expect(long.states()).toEqual(['7 firing']);
  });

  it('keeps silences, and does no action twice for the same alert', async () => {
    const runs: string[] = [];
    const actions = { trip: () => void runs.push('trip') };
    const acting = { ...rule, actions: [{ do: 'trip', mode: 'auto' }] } as AlertRule;
    const first = givenAnEngine({ rules: [acting], actions });
    const id = first.engine.silence({ match: { rule: 'r' }, until: T0 + 3_600_000, by: 'anna', comment: 'known' });
    for (let i = 0; i < 4; i++) await first.second({ x: 6 });
    await first.engine.settled();
    const again = givenAnEngine({ rules: [acting], actions, store: first.store, clock: first.clock });
    await again.second({ x: 6 });
    expect(again.engine.instances()[0]!.suppressedBy).toEqual([`silence:${id}`]);
    expect(runs).toEqual(['trip']);
  });

  it('works on a file as in memory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'venuekit-alerts-'));
    try {
      const path = join(directory, 'metrics.db');
      const store = await SqliteMetricStore.open({ path, worker: false });
      const first = givenAnEngine({ rules: [rule], store });
      for (let i = 0; i < 4; i++) await first.second({ x: 6 });
      await first.engine.close();
      await store[Symbol.asyncDispose]();
      const opened = await SqliteMetricStore.open({ path, worker: false });
      const again = givenAnEngine({ rules: [rule], store: opened, clock: first.clock });
      await again.second({ x: 6 });
      await again.second({ x: 1 });
      expect(again.states()).toEqual(['6 inactive']);
      expect(await opened.alerts({ from: 0, to: Infinity })).toMatchObject([
        { alert: { state: 'pending' } },
        { alert: { state: 'firing' } },
        { alert: { state: 'inactive' } },
      ]);
      await opened[Symbol.asyncDispose]();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('goes on where a store keeps states alone', async () => {
    const first = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 4; i++) await first.second({ x: 6 });
    const { store } = first;
    const plain = {
      append: store.append.bind(store),
      query: store.query.bind(store),
      retain: store.retain.bind(store),
      stats: store.stats.bind(store),
      saveAlert: store.saveAlert.bind(store),
      alerts: store.alerts.bind(store),
      [Symbol.asyncDispose]: async () => {},
    };
    const again = givenAnEngine({ rules: [rule], store: plain, clock: first.clock });
    await store.append(tickOf(first.clock.now() + 500, { x: 6 }));
    await again.engine.tick(first.clock.now() + 1_000);
    expect(again.states()).toEqual([]);
    expect(again.stateOf('r')).toBe('firing');
  });
});
