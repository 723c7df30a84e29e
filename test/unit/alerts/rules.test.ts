import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AlertRule, marketCalendar, type RuleError, standardRules } from '../../../src/alerts/index.js';
import { givenAnEngine, T0 } from './given-an-engine.js';

const rule = { id: 'r', severity: 'warning', summary: 'x is high.', type: 'threshold', expr: 'x', op: '>', fire: 5 } as const;

describe('rules as JSON', () => {
  it('are taken from a list, an object, or a text of either', async () => {
    const { engine, second, states } = givenAnEngine();
    engine.load(JSON.stringify({ rules: [rule] }));
    engine.load([{ ...rule, id: 's', forMs: 1_000, actions: [{ do: 'trip_breaker' }] }]);
    expect(engine.rules.map(({ id }) => id)).toEqual(['r', 's']);
    await second({ x: 6 });
    expect(states()).toEqual(['1 firing', '1 pending']);
  });

  it.each([
    ['{', 'rules must be JSON'],
    [{ rule: [] }, 'rules must be a list of rules'],
    [{ rules: [], more: 1 }, 'more is not known'],
    [[5], 'rules[0] must be an object, got 5'],
    [
      [{ ...rule, type: 'treshold' }],
      'rules[0].type must be one of "threshold", "rate_of_change", "burn_rate", "anomaly", "absent", "custom", got "treshold"; did you mean "threshold"?',
    ],
    [[{ ...rule, fire: '5' }], 'rules[0].fire must be a finite number, got "5"'],
    [[{ ...rule, fir: 5 }], 'rules[0].fir is no member of a threshold rule; did you mean "fire"?'],
    [[rule, { ...rule, id: undefined }], 'rules[1].id'],
    [[{ ...rule, forMs: -1 }], 'rules[0].forMs must be a finite number of milliseconds, 0 or more, got -1'],
    [[{ ...rule, labels: { 'a-b': 'c' } }], 'rules[0].labels.a-b is no name of a label'],
    [[{ ...rule, actions: [{ do: 'x', mode: 'now' }] }], 'rules[0].actions[0].mode must be one of "dry_run", "auto", got "now"'],
    [[{ ...rule, actions: [{ do: 'x', cooldown: 1 }] }], 'rules[0].actions[0].cooldown is no member of a threshold rule; did you mean "cooldownMs"?'],
    [[{ ...rule, clear: 6 }], 'rules[0].clear must be at most fire, which is 5, got 6'],
    [[{ ...rule, type: 'custom', expr: undefined }], 'rules[0]'],
    [[{ ...rule, minSamples: 3, expr: 'time()' }], 'rules[0].minSamples has nothing to count in time()'],
  ])('%j are refused', (json, message) => {
    const { engine } = givenAnEngine();
    expect(() => engine.load(json)).toThrow(message);
    expect(engine.rules).toEqual([]);
  });

  it('are refused with everything that is wrong, and none is taken', () => {
    const { engine } = givenAnEngine();
    try {
      engine.load([rule, { ...rule, id: 's', severity: 'bad', everyMs: 0 }]);
      expect.unreachable();
    } catch (error) {
      expect((error as RuleError).issues.map(({ path }) => path)).toEqual(['rules[1].severity', 'rules[1].everyMs']);
      expect(error).toMatchObject({ code: 'INVALID_RULE' });
    }
    expect(engine.rules).toEqual([]);
  });

  it('with a syntax error say where, and what may be meant', () => {
    const { engine } = givenAnEngine();
    expect(() => engine.load([{ ...rule, expr: 'sum(rat(x[1m]))' }])).toThrow(/rules\[0\]\.expr [\s\S]*rat[\s\S]*\^[\s\S]*rate/);
  });

  it('may not hold code', () => {
    const custom: AlertRule = { id: 'c', severity: 'info', summary: 's', type: 'custom', evaluate: () => [] };
    expect(() => givenAnEngine().engine.load([custom])).toThrow('rules[0].type must not be "custom"');
  });
});

describe('inhibition', () => {
  it('in a circle is refused, with the circle', () => {
    const linked = (id: string, inhibits: string[]): AlertRule => ({ ...rule, id, inhibits });
    expect(() => givenAnEngine({ rules: [linked('a', ['b']), linked('b', ['c']), linked('c', ['a'])] })).toThrow('a → b → c → a');
    const { engine } = givenAnEngine({ rules: [linked('a', ['b'])] });
    expect(() => engine.add(linked('b', ['a']))).toThrow('must not lead back to the rule itself: a → b → a');
    expect(() => engine.add(linked('d', ['d']))).toThrow('d → d');
    expect(engine.rules).toHaveLength(1);
  });
});

describe('the standard rules', () => {
  it('are six, two of them with two levels', () => {
    expect(standardRules().map(({ id, severity }) => `${id} ${severity}`)).toEqual([
      'error-rate warning',
      'error-rate critical',
      'latency-p99 warning',
      'throughput-drop warning',
      'pool-exhaustion warning',
      'cache-hit-rate warning',
      'data-staleness warning',
      'data-staleness critical',
    ]);
  });

  it('take overrides by id, an objective for the latency, and no other name', () => {
    const rules = standardRules({ 'error-rate': { forMs: 1 } }, { latencyObjectiveMs: 200 });
    expect(rules.filter(({ forMs }) => forMs === 1)).toHaveLength(2);
    expect(rules.find(({ id }) => id === 'latency-p99')).toMatchObject({ fire: 0.2, clear: expect.closeTo(0.15) });
    expect(() => standardRules({ 'eror-rate': {} })).toThrow('standardRules has no option "eror-rate"; did you mean "error-rate"?');
  });

  it('can be written for Prometheus, with what is left out', () => {
    const { engine } = givenAnEngine({ rules: standardRules() });
    const { yaml, unsupported } = engine.toPrometheus();
    expect(yaml.match(/- alert:/g)).toHaveLength(8);
    expect(unsupported.join('\n')).toMatch(/data-staleness \(critical\): inhibits latency-p99/);
  });

  it('regression: that an absent rule does not wait after a start of Prometheus was not told with what is left out', () => {
    const rule = {
      id: 'feed-gone',
      type: 'absent',
      expr: 'venuekit_feed_updates_total',
      olderThanMs: 30_000,
      severity: 'warning',
      summary: 'no feed',
    };
    const { engine } = givenAnEngine({ rules: [rule as AlertRule] });
    expect(engine.toPrometheus().unsupported.filter((one) => one.startsWith('feed-gone'))).toEqual([
      expect.stringMatching(/no series at all/),
      expect.stringMatching(/does not wait for olderThanMs \(30000\) from its start/),
    ]);
  });

  it('are backtested on what the store has, and nobody is told', async () => {
    const { engine, second, changes } = givenAnEngine();
    for (let s = 0; s < 120; s++)
      await second({
        'venuekit_pool_in_use{pool=p}': s < 60 ? 10 : 1,
        'venuekit_pool_max{pool=p}': 10,
        'venuekit_pool_size{pool=p}': 10,
        'venuekit_pool_waiting{pool=p}': 0,
      });
    const seen: number[] = [];
    const found = await engine.backtest(
      standardRules().filter(({ id }) => id === 'pool-exhaustion'),
      { from: T0, to: T0 + 120_000 },
      { onProgress: (done) => seen.push(done) },
    );
    expect(found).toMatchObject([{ rule: 'pool-exhaustion', state: 'inactive', labels: { pool: 'p' }, firedAt: T0 + 16_000 }]);
    expect(seen.at(-1)).toBe(121);
    expect(changes).toEqual([]);
    await expect(engine.backtest([], { from: 1, to: 0 })).rejects.toThrow('from must not be after to, got 1 and 0');
  });
});

describe('market hours', () => {
  const { entries } = JSON.parse(readFileSync('test/fixtures/alerts/market_hours_subset.json', 'utf8')) as { entries: Record<string, never> };
  const calendar = marketCalendar(entries['Equity-usa-[*]']!, {
    ES: entries['Future-cme-ES']!,
    'EUR/USD': entries['Forex-oanda-[*]']!,
    BTC: entries['Crypto-binance-[*]']!,
  });
  const at = (text: string) => Date.parse(text);

  it.each([
    ['2024-03-08T14:29:59Z', undefined, false, '2024-03-07T21:00:00Z'], // a Friday, New York winter time
    ['2024-03-08T14:30:00Z', undefined, true, '2024-03-08T14:30:00Z'],
    ['2024-03-11T13:30:00Z', undefined, true, '2024-03-11T13:30:00Z'], // the Monday after the clocks changed
    ['2024-03-10T15:00:00Z', undefined, false, '2024-03-08T21:00:00Z'], // a Sunday
    ['2024-01-01T15:00:00Z', undefined, false, '2023-12-29T21:00:00Z'], // a holiday
    ['2012-07-03T17:30:00Z', undefined, false, '2012-07-03T17:00:00Z'], // closes at one o'clock
    ['2024-03-07T03:00:00Z', 'EUR/USD', true, '2024-03-06T22:03:00Z'], // open over midnight
    ['2024-03-08T14:00:00Z', 'ES', false, '2024-03-07T22:00:00Z'],
  ])('at %s of %s are %s since %s', (time, symbol, isOpen, since) => {
    const session = calendar.session(at(time), symbol);
    expect([session.isOpen, new Date(session.since).toISOString().replace('.000', '')]).toEqual([isOpen, since]);
  });

  it('of a market that never closes are open', () => {
    expect(calendar.session(at('2024-03-09T03:00:00Z'), 'BTC').isOpen).toBe(true);
  });

  it('keep alerts quiet while the market is closed, and until it has been open for a while', async () => {
    let session = { isOpen: false, since: T0 };
    const { second, states } = givenAnEngine({ rules: [{ ...rule, openMarketForMs: 2_000 }], calendar: { session: () => session } });
    await second({ x: 6 });
    session = { isOpen: true, since: T0 + 2_000 };
    for (let i = 0; i < 3; i++) await second({ x: 6 });
    session = { isOpen: false, since: T0 + 5_000 };
    await second({ x: 6 });
    expect(states()).toEqual(['4 firing', '5 inactive']);
  });

  it('must be times', () => {
    expect(() => marketCalendar({ exchangeTimeZone: 'UTC', monday: [{ start: '9:30', end: '16:00:00', state: 'market' }] })).toThrow(
      'hours.monday[0].start must be a time such as 09:30:00, got "9:30"',
    );
  });
});
