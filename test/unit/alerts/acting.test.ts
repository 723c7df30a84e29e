import { describe, expect, it } from 'vitest';
import type { ActionContext, AlertRule } from '../../../src/alerts/index.js';
import { givenAnEngine, settle, T0 } from './given-an-engine.js';

const rule = (actions: AlertRule['actions'], more: object = {}): AlertRule =>
  ({ id: 'r', severity: 'critical', summary: 'x is high.', type: 'threshold', expr: 'x', op: '>', fire: 5, actions, ...more }) as AlertRule;

const givenActions = () => {
  const done: ActionContext[] = [];
  return { done, actions: { trip: (context: ActionContext) => void done.push(context) } };
};

describe('an action', () => {
  it('is only said to be done unless it is told to be automatic', async () => {
    const { done, actions } = givenActions();
    const { second, bus, store } = givenAnEngine({ rules: [rule([{ do: 'trip' }])], actions });
    const events: unknown[] = [];
    bus.on('alert.action', ({ action, mode, ok }) => events.push({ action, mode, ok }));
    await second({ x: 6 });
    expect(done).toEqual([]);
    expect(events).toEqual([{ action: 'trip', mode: 'dry_run', ok: true }]);
    await settle();
    expect(await store.actions!({ from: 0, to: Infinity })).toMatchObject([
      { action: 'trip', mode: 'dry_run', outcome: 'done', rule: 'r', firedAt: T0 + 1_000 },
    ]);
  });

  it('is done once for each time that its alert is raised, and told what the rule gives it', async () => {
    const { done, actions } = givenActions();
    const { second } = givenAnEngine({ rules: [rule([{ do: 'trip', mode: 'auto', cooldownMs: 0, with: { operations: 'place' } }])], actions });
    for (const x of [6, 6, 6, 1, 6, 6]) await second({ x });
    expect(done.map(({ with: given, alert }) => [given.operations, alert.firedAt! - T0])).toEqual([
      ['place', 1_000],
      ['place', 5_000],
    ]);
  });

  it('for the end of an alert is done at its end', async () => {
    const { done, actions } = givenActions();
    const { second } = givenAnEngine({ rules: [rule([{ do: 'trip', mode: 'auto', on: 'resolved' }])], actions });
    for (const x of [6, 6, 1]) await second({ x });
    expect(done.map(({ alert }) => alert.state)).toEqual(['inactive']);
  });

  it('waits for its cooldown while its alert is still raised, which is audited once', async () => {
    const { done, actions } = givenActions();
    const { second, store } = givenAnEngine({ rules: [rule([{ do: 'trip', mode: 'auto', cooldownMs: 5_000 }])], actions });
    for (const x of [6, 1, 6, 6, 6, 6, 6]) await second({ x });
    expect(done.map(({ alert }) => alert.firedAt! - T0)).toEqual([1_000, 3_000]);
    await settle();
    const outcomes = (await store.actions!({ from: 0, to: Infinity })).map(({ at, outcome }) => `${(at - T0) / 1_000} ${outcome}`);
    expect(outcomes).toEqual(['1 done', '3 skipped', '6 done']);
  });

  it('is done no more often within an hour than it may be, over all alerts of its rule', async () => {
    const { done, actions } = givenActions();
    const { second } = givenAnEngine({ rules: [rule([{ do: 'trip', mode: 'auto', cooldownMs: 0, maxPerHour: 2 }])], actions });
    await second({ 'x{op=a}': 6, 'x{op=b}': 6, 'x{op=c}': 6 });
    expect(done.map(({ alert }) => alert.labels.op)).toEqual(['a', 'b']);
  });

  it('of an inhibited alert waits: its cause has actions of its own', async () => {
    const { done, actions } = givenActions();
    const cause: AlertRule = { id: 'cause', severity: 'critical', summary: 'y', type: 'threshold', expr: 'y', op: '>', fire: 5, inhibits: ['r'] };
    const { second } = givenAnEngine({ rules: [cause, rule([{ do: 'trip', mode: 'auto' }])], actions });
    await second({ x: 6, y: 6 });
    expect(done).toEqual([]);
    await second({ x: 6, y: 1 });
    expect(done).toHaveLength(1);
  });

  it('that throws is audited as failed, said once, counted, and stops nothing', async () => {
    let calls = 0;
    const actions = {
      trip: () => {
        calls++;
        throw new Error('refused, token=abc123');
      },
    };
    const { second, bus, logger, states } = givenAnEngine({ rules: [rule([{ do: 'trip', mode: 'auto', cooldownMs: 0 }])], actions });
    const failed: boolean[] = [];
    bus.on('alert.action', ({ ok }) => failed.push(ok));
    for (const x of [6, 1, 6, 1]) {
      await second({ x });
      await settle();
    }
    expect(calls).toBe(2);
    expect(failed).toEqual([false, false]);
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).not.toContain('abc123');
    expect(states()).toHaveLength(4);
  });

  it('that never ends has failed after half a minute', async () => {
    const { second, bus, clock } = givenAnEngine({
      rules: [rule([{ do: 'hang', mode: 'auto' }])],
      actions: { hang: () => new Promise<void>(() => {}) },
    });
    const ended: boolean[] = [];
    bus.on('alert.action', ({ ok }) => ended.push(ok));
    await second({ x: 6 });
    expect(ended).toEqual([]);
    await clock.advance(30_000);
    expect(ended).toEqual([false]);
  });

  it('must be one that the engine was given, where it is automatic', () => {
    const { actions } = givenActions();
    expect(() => givenAnEngine({ rules: [rule([{ do: 'tripp', mode: 'auto' }])], actions })).toThrow(
      'rules[0].actions[0].do must be an action that the engine was given, got "tripp"; did you mean "trip"?',
    );
  });
});
