import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../../src/alerts/index.js';
import { StreamingDetector } from '../../../src/analytics/streaming-detector.js';
import { seededRandom } from '../../../src/core/random.js';
import { givenAnEngine, settle, T0 } from './given-an-engine.js';

const base = { id: 'r', severity: 'warning', summary: 'Something is wrong.' } as const;
const above = (fire: number, more: object = {}): AlertRule => ({ ...base, type: 'threshold', expr: 'x', op: '>', fire, ...more }) as AlertRule;

describe('a threshold', () => {
  it('is pending for as long as it must hold, fires, and is over when it no longer holds', async () => {
    const { second, states, engine } = givenAnEngine({ rules: [above(5, { forMs: 2_000 })] });
    for (const x of [1, 6, 6, 6, 6, 1]) await second({ x });
    expect(states()).toEqual(['2 pending', '4 firing', '6 inactive']);
    expect(engine.instances()).toMatchObject([{ rule: 'r', state: 'inactive', firedAt: T0 + 4_000, resolvedAt: T0 + 6_000 }]);
  });

  it('that holds too shortly never fires', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { forMs: 2_000 })] });
    for (const x of [6, 6, 1, 6, 6, 1]) await second({ x });
    expect(states()).toEqual(['1 pending', '3 inactive', '4 pending', '6 inactive']);
  });

  it('clears at a limit of its own, so that a value in between does not flap', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { clear: 2 })] });
    for (const x of [3, 6, 3, 6, 2, 1.9, 3]) await second({ x });
    expect(states()).toEqual(['2 firing', '6 inactive']);
  });

  it('recovers for as long as it is told, and fires on when the condition is back meanwhile', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { keepFiringForMs: 2_000 })] });
    for (const x of [6, 1, 1, 6, 1, 1, 1]) await second({ x });
    expect(states()).toEqual(['1 firing', '2 recovering', '4 firing', '5 recovering', '7 inactive']);
  });

  it.each([
    ['>', 5, [5, 5.1]],
    ['>=', 5, [4.9, 5]],
    ['<', 5, [5, 4.9]],
    ['<=', 5, [5.1, 5]],
  ] as const)('with %s %d tells the second of %j from the first', async (op, fire, [calm, wrong]) => {
    const { second, states } = givenAnEngine({ rules: [{ ...base, type: 'threshold', expr: 'x', op, fire }] });
    await second({ x: calm });
    await second({ x: wrong });
    expect(states()).toEqual(['2 firing']);
  });

  it('has an alert for each series, whose labels it takes with those of the rule', async () => {
    const { second, engine } = givenAnEngine({ rules: [above(5, { labels: { team: 'desk' } })] });
    await second({ 'x{op=place}': 6, 'x{op=read}': 7, 'x{op=cancel}': 1 });
    expect(engine.instances()).toMatchObject([
      { labels: { op: 'place', team: 'desk' }, value: 6 },
      { labels: { op: 'read', team: 'desk' }, value: 7 },
    ]);
    const [a, b] = engine.instances();
    expect(a!.fingerprint).not.toBe(b!.fingerprint);
  });

  it('is not judged on fewer samples than it needs: events where it is about rates', async () => {
    const ratio = 'increase(errors_total[1m]) / increase(calls_total[1m])';
    const { second, states } = givenAnEngine({ rules: [{ ...base, type: 'threshold', expr: ratio, op: '>', fire: 0.2, minSamples: 20 }] });
    for (let i = 0; i <= 8; i++) await second({ errors_total: i, calls_total: 2 * i });
    expect(states()).toEqual([]);
    for (let i = 9; i <= 20; i++) await second({ errors_total: i, calls_total: 2 * i });
    // Half of all calls failed all the time; the 20th call is counted in the 11th second.
    expect(states()).toEqual(['11 firing']);
  });

  it('is evaluated as often as it says', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { everyMs: 5_000 })] });
    for (let i = 0; i < 12; i++) await second({ x: i % 2 === 0 ? 6 : 1 });
    expect(states()).toEqual(['1 firing', '6 inactive', '11 firing']);
  });
});

describe('two levels of one rule', () => {
  const levels: AlertRule[] = [above(5), { ...above(10), severity: 'critical' } as AlertRule];

  it('have thresholds of their own, and the severer one speaks for both', async () => {
    const { second, engine } = givenAnEngine({ rules: levels });
    await second({ x: 6 });
    expect(engine.instances().map(({ severity, suppressedBy }) => [severity, suppressedBy])).toEqual([['warning', []]]);
    await second({ x: 11 });
    expect(engine.instances().map(({ severity, suppressedBy }) => [severity, suppressedBy])).toEqual([
      ['warning', ['inhibited:r']],
      ['critical', []],
    ]);
  });

  it('may not have the same severity', () => {
    expect(() => givenAnEngine({ rules: [above(5), above(6)] })).toThrow(
      'rules[1].id must not be that of another rule of the same severity: r (warning) is there already',
    );
  });
});

describe('a series without a value', () => {
  it('ends its alert', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5)] });
    await second({ x: 6 });
    await second({ x: Number.NaN });
    expect(states()).toEqual(['1 firing', '2 inactive']);
  });

  it('leaves its alert as it is, where asked to', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { noData: 'keep' })] });
    await second({ x: 6 });
    await second({ x: Number.NaN });
    await second({ x: 1 });
    expect(states()).toEqual(['1 firing', '3 inactive']);
  });

  it('is an alert itself, where asked to, and over when the value is back', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { noData: 'alert', forMs: 1_000 })] });
    await second({ x: 1 });
    for (let i = 0; i < 3; i++) await second({ x: Number.NaN });
    await second({ x: 1 });
    expect(states()).toEqual(['2 pending', '3 nodata', '5 inactive']);
  });

  it('that never was is an alert of the rule, until there is one', async () => {
    const { second, changes } = givenAnEngine({ rules: [above(5, { noData: 'alert' })] });
    await second({ other: 1 });
    await second({ 'x{op=place}': 1, other: 1 });
    expect(changes.map(({ to, alert }) => [to, alert.labels])).toEqual([
      ['nodata', {}],
      ['inactive', {}],
    ]);
  });

  it('counts as missing for a time of its own before it is told', async () => {
    const { second, states } = givenAnEngine({ rules: [above(5, { noData: 'alert', noDataForMs: 3_000 })] });
    for (let i = 0; i < 6; i++) await second({ other: 1 });
    expect(states()).toEqual(['1 pending', '4 nodata']);
  });
});

describe('a rate of change', () => {
  it('fires where the value moved by more than the percentage, in its direction', async () => {
    const rule: AlertRule = { ...base, type: 'rate_of_change', expr: 'x', overMs: 3_000, percent: 10, direction: 'down' };
    const { second, states } = givenAnEngine({ rules: [rule] });
    for (const x of [100, 100, 100, 130, 95, 89, 89, 117, 89]) await second({ x });
    // 89 is 11 % below the 100 of three seconds before, and 31 % below the 130.
    expect(states()).toEqual(['6 firing', '8 inactive']);
  });
});

describe('a burn rate', () => {
  const rule: AlertRule = {
    ...base,
    type: 'burn_rate',
    errors: 'errors_total',
    total: 'calls_total',
    objective: 0.99,
    budgetWindowMs: 86_400_000,
    windows: [{ longMs: 60_000, shortMs: 5_000, burn: 14.4 }],
  };

  it('fires while both windows burn, and ends with the short one', async () => {
    const { second, states, changes } = givenAnEngine({ rules: [rule] });
    let errors = 0;
    let calls = 0;
    for (let i = 0; i < 60; i++) await second({ 'errors_total{op=a}': errors, 'calls_total{op=a,outcome=x}': (calls += 10) });
    // All fail: 14.4 % of a minute are failures after nine seconds.
    for (let i = 0; i < 20; i++) await second({ 'errors_total{op=a}': (errors += 10), 'calls_total{op=a,outcome=x}': (calls += 10) });
    for (let i = 0; i < 10; i++) await second({ 'errors_total{op=a}': errors, 'calls_total{op=a,outcome=x}': (calls += 10) });
    const [firing, inactive] = changes;
    expect(states()).toEqual(['69 firing', '85 inactive']);
    expect(firing!.alert.value).toBeGreaterThan(14.4);
    expect(inactive!.alert.labels).toEqual({});
  });

  it('that can never be reached is refused with the most that can', () => {
    const unreachable = { ...rule, objective: 0.9 } as AlertRule;
    expect(() => givenAnEngine({ rules: [unreachable] })).toThrow(
      'rules[0].windows[0].burn can never be reached: with an objective of 0.9 the burn rate is at most 10, got 14.4',
    );
  });

  it('takes counters without ranges', () => {
    expect(() => givenAnEngine({ rules: [{ ...rule, errors: 'rate(errors_total[1m])' } as AlertRule] })).toThrow(
      /rules\[0\]\.errors must be counters without a range/,
    );
  });
});

describe('an absence', () => {
  const rule: AlertRule = { ...base, type: 'absent', expr: 'x{op="place"}', olderThanMs: 3_000 };

  it('is told of a series that stays away, until it is back', async () => {
    const { second, states, changes } = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 3; i++) await second({ 'x{op=place,venue=v}': 1 });
    for (let i = 0; i < 5; i++) await second({ other: 1 });
    await second({ 'x{op=place,venue=v}': 1 });
    expect(states()).toEqual(['7 firing', '9 inactive']);
    expect(changes[0]!.alert.labels).toEqual({ op: 'place', venue: 'v' });
  });

  it('is told where nothing ever was, with the labels that were asked for', async () => {
    const { second, changes } = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 3; i++) await second({ other: 1 });
    await second({ 'x{op=place,venue=v}': 1 });
    expect(changes.map(({ at, to, alert }) => [at, to, alert.labels])).toEqual([
      [3, 'firing', { op: 'place' }],
      [4, 'inactive', { op: 'place' }],
    ]);
  });

  it('found by review: is not told at the start of a bot, before anything could have come', async () => {
    const { second, changes } = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 2; i++) await second({ other: 1 });
    for (let i = 0; i < 5; i++) await second({ 'x{op=place,venue=v}': 1 });
    expect(changes).toEqual([]);
  });

  it('is told neither of what stopped with a bot that was down, before that could have come again', async () => {
    const first = givenAnEngine({ rules: [rule] });
    await first.second({ 'x{op=place,venue=v}': 1 });
    await first.engine.close();
    await first.clock.advance(60_000);
    const { second, states } = givenAnEngine({ rules: [rule], store: first.store, clock: first.clock });
    for (let i = 0; i < 2; i++) await second({ other: 1 });
    expect(states()).toEqual([]);
    await second({ other: 1 });
    expect(states()).toEqual(['64 firing']);
  });

  it('stays raised over a restart until the series is back', async () => {
    const first = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 3; i++) await first.second({ other: 1 });
    expect(first.states()).toEqual(['3 firing']);
    await first.engine.close();
    const { second, states, stateOf } = givenAnEngine({ rules: [rule], store: first.store, clock: first.clock });
    await second({ other: 1 });
    expect([states(), stateOf(rule.id)]).toEqual([[], 'firing']);
    await second({ 'x{op=place}': 1 });
    expect(states()).toEqual(['5 inactive']);
  });

  it('is told in time by an engine whose clock was set back', async () => {
    const { clock, engine, states } = givenAnEngine({ rules: [rule] });
    const steppedBack = clock.now() - 3_600_000;
    for (let i = 0; i < 4; i++) await engine.tick(steppedBack + 1_000 * i);
    expect(states()).toEqual(['0 firing']);
  });

  it('is found in history from its beginning on', async () => {
    const { engine, second, clock } = givenAnEngine();
    for (let i = 0; i < 3; i++) await second({ other: 1 });
    const found = await engine.backtest([rule], { from: clock.now() - 1_000, to: clock.now() });
    expect(found.map(({ state, firedAt }) => [state, firedAt])).toEqual([['firing', clock.now() - 1_000]]);
  });
});

describe('an anomaly', () => {
  const rule: AlertRule = { ...base, type: 'anomaly', expr: 'x', score: 0.5, keepFiringForMs: 5_000 };
  const noise = seededRandom(3);

  it('is told of what the detector finds surprising, and of nothing else', async () => {
    const { second, states } = givenAnEngine({ rules: [rule], detector: () => new StreamingDetector() });
    for (let i = 0; i < 300; i++) await second({ x: 10 + noise() });
    expect(states()).toEqual([]);
    await second({ x: 100 });
    for (let i = 0; i < 10; i++) await second({ x: 10 + noise() });
    expect(states()[0]).toBe('301 firing');
    expect(states().at(-1)).toMatch(/inactive$/);
  });

  it('is known after a restart without probation, from what the store has', async () => {
    const first = givenAnEngine();
    for (let i = 0; i < 300; i++) await first.second({ x: 10 + noise() });
    const again = givenAnEngine({ rules: [rule], detector: () => new StreamingDetector(), store: first.store, clock: first.clock });
    await again.second({ x: 100 });
    expect(again.states()).toEqual(['301 firing']);
  });

  it('needs a detector', () => {
    expect(() => givenAnEngine({ rules: [rule] })).toThrow(/rules\[0\]\.type needs a detector/);
  });
});

describe('a custom rule', () => {
  it('judges by itself', async () => {
    const rule: AlertRule = { ...base, type: 'custom', evaluate: (now) => [{ labels: { a: '1' }, value: now, active: now > T0 + 1_000 }] };
    const { second, states } = givenAnEngine({ rules: [rule] });
    for (let i = 0; i < 2; i++) await second();
    expect(states()).toEqual(['2 firing']);
  });

  it('that throws is said once and counted, leaves its alerts, and stops no other', async () => {
    let fails = false;
    const rule: AlertRule = {
      ...base,
      type: 'custom',
      evaluate: () => {
        if (fails) throw new Error('out of order, token=abc123');
        return [{ value: 1, active: true }];
      },
    };
    const { second, states, logger, bus, stateOf } = givenAnEngine({ rules: [rule, { ...above(5), id: 'other' } as AlertRule] });
    const failed: string[] = [];
    bus.on('alert.failed', ({ rule: id }) => failed.push(id));
    await second({ x: 1 });
    fails = true;
    for (let i = 0; i < 3; i++) await second({ x: 6 });
    fails = false;
    await second({ x: 6 });
    expect(states()).toEqual(['1 firing', '2 firing']);
    expect(stateOf('r')).toBe('firing');
    expect(failed).toEqual(['r', 'r', 'r']);
    expect(logger.lines.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(JSON.stringify(logger.lines)).not.toContain('abc123');
  });

  it('that throws is an alert, where asked to', async () => {
    let fails = true;
    const rule: AlertRule = {
      ...base,
      type: 'custom',
      onError: 'alert',
      evaluate: () => {
        if (fails) throw new Error('out of order');
        return [];
      },
    };
    const { second, states } = givenAnEngine({ rules: [rule] });
    await second();
    fails = false;
    await second();
    expect(states()).toEqual(['1 error', '2 inactive']);
  });
});

describe('ticks', () => {
  it('come by themselves once started, on the second and after its samples, until closed', async () => {
    const at: number[] = [];
    const rule: AlertRule = { ...base, type: 'custom', evaluate: (now) => [{ value: at.push(now - T0), active: false }] };
    const { clock, engine } = givenAnEngine({ rules: [rule] });
    engine.start();
    engine.start();
    await clock.advance(3_500);
    await engine.close();
    await clock.advance(3_000);
    expect(at).toEqual([0, 1_000, 2_000, 3_000]);
    await expect(engine.tick(T0 + 10_000)).rejects.toMatchObject({ code: 'CLOSED' });
    await engine.close();
  });

  it('go on when the store does not answer a query, and say so once', async () => {
    const { second, engine, store, logger, states } = givenAnEngine({ rules: [above(5)] });
    await second({ x: 6 });
    const query = store.query;
    store.query = () => Promise.reject(new Error('disk I/O error'));
    for (let i = 0; i < 3; i++) await second({ x: 1 });
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    store.query = query;
    await second({ x: 1 });
    expect(states()).toEqual(['1 firing', '5 inactive']);
    await engine.close();
  });

  it('that go back in time do nothing', async () => {
    const { engine, second, changes } = givenAnEngine({ rules: [above(5)] });
    await second({ x: 6 });
    await engine.tick(T0);
    expect(changes).toHaveLength(1);
  });
});

describe('metrics that nobody has seen', () => {
  it('are named once, with what may have been meant', async () => {
    const { second, logger } = givenAnEngine({ rules: [{ ...above(5), expr: 'venuekit_pool_in_uze' } as AlertRule] });
    for (let i = 0; i < 3; i++) await second({ venuekit_pool_in_use: 1 });
    await settle();
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'there is no sample of venuekit_pool_in_uze so far, which r reads; did you mean venuekit_pool_in_use?'],
    ]);
  });
});
