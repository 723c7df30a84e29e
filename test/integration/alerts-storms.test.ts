import { describe, expect, it } from 'vitest';
import { samplesBehind } from '../../src/alerts/conditions/rewrite.js';
import { type AlertRule, standardRules } from '../../src/alerts/index.js';
import type { AlertInstance, AlertState } from '../../src/contracts/alerts.js';
import { queryRange } from '../../src/query/index.js';
import { SimulatedSession } from '../workload/simulated-session.js';

interface Change {
  readonly at: number;
  readonly alert: AlertInstance;
  readonly from: AlertState;
}

const TICK_MS = 1_000;

/** The main job's workload with the standard rules, and what they said. */
async function givenASession(seconds: number, everyMs = 1_500) {
  const session = await SimulatedSession.start({ seed: 7, seconds, everyMs, kit: { rules: standardRules() } });
  const changes: Change[] = [];
  session.kit.bus.on('alert', ({ alert, from }) => changes.push({ at: session.clock.now(), alert, from }));
  const raised = (): readonly string[] => [...new Set(changes.filter(({ alert }) => alert.state === 'firing').map(({ alert }) => alert.rule))];
  return { session, changes, raised };
}

type Threshold = Extract<AlertRule, { type: 'threshold' }>;

/** When the condition of a rule began to hold, that held until `at`: read from the store, apart from the engine. */
async function conditionSince(session: SimulatedSession, rule: Threshold, labels: AlertInstance['labels'], at: number): Promise<number> {
  // On the seconds, as the engine looks.
  const range = { from: Math.ceil(session.from / TICK_MS) * TICK_MS, to: at, stepMs: TICK_MS };
  const seriesOf = async (expr: string): Promise<Map<number, number>> => {
    const { series } = await queryRange(session.store, expr, range);
    const own = series.find((one) => JSON.stringify(Object.entries(one.labels).sort()) === JSON.stringify(Object.entries(labels).sort()));
    return new Map(Array.from(own?.t ?? [], (t, i) => [t, own!.v[i]!]));
  };
  const values = await seriesOf(rule.expr);
  const samples = rule.minSamples === undefined ? undefined : await seriesOf(samplesBehind(rule.expr));
  const holds = (t: number): boolean => {
    const value = values.get(t) ?? Number.NaN;
    return (rule.op === '>' ? value > rule.fire : value < rule.fire) && (samples === undefined || (samples.get(t) ?? 0) >= rule.minSamples! - 1e-6);
  };
  let since = at;
  expect(holds(at)).toBe(true);
  while (holds(since - TICK_MS)) since -= TICK_MS;
  return since;
}

/** That a rule fired within its `for` and two ticks of its condition, and was over in the end. */
async function expectFiredAndOver(given: Awaited<ReturnType<typeof givenASession>>, id: string, severity: 'warning' | 'critical' = 'warning') {
  const { session, changes } = given;
  const rule = standardRules().find((one) => one.id === id && one.severity === severity) as Threshold;
  const own = changes.filter(({ alert }) => alert.rule === id && alert.severity === severity);
  const fired = own.find(({ alert, from }) => alert.state === 'firing' && (from === 'pending' || from === 'inactive'));
  expect(fired, `${id} (${severity}) must fire`).toBeDefined();
  const { labels, firedAt = 0, fingerprint } = fired!.alert;
  const since = await conditionSince(session, rule, labels, firedAt);
  expect(firedAt - since).toBeGreaterThanOrEqual(rule.forMs ?? 0);
  expect(firedAt - since).toBeLessThanOrEqual((rule.forMs ?? 0) + 2 * TICK_MS);
  expect(own.filter(({ alert }) => alert.fingerprint === fingerprint).at(-1)!.alert.state).toBe('inactive');
  return fired!.alert;
}

describe('the standard rules on the workload of the main job', () => {
  it('tell of failing orders, of exhausted sessions, and of a cache that no longer answers', async () => {
    const given = await givenASession(1_900);
    const { session, raised, changes } = given;
    await session.advance(300);
    expect(raised()).toEqual([]);

    const failing = session.venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 503, probability: 0.6 });
    await session.advance(100);
    failing[Symbol.dispose]();
    await session.advance(200);
    expect(raised()).toEqual(['error-rate']);
    await expectFiredAndOver(given, 'error-rate', 'warning');
    expect((await expectFiredAndOver(given, 'error-rate', 'critical')).labels).toEqual({ venue: 'simulated', operation: 'place' });

    changes.length = 0;
    const taking = Promise.allSettled(Array.from({ length: 30 }, () => session.pool.acquire({ deadlineMs: 1_000 })));
    await session.advance(55);
    for (const lease of await taking) if (lease.status === 'fulfilled') lease.value.release();
    await session.advance(120);
    expect((await expectFiredAndOver(given, 'pool-exhaustion')).labels).toEqual({ pool: 'sessions' });

    changes.length = 0;
    const dropped = session.inject('hit-rate drop');
    await session.advance(500);
    dropped[Symbol.dispose]();
    await session.advance(600);
    expect(raised()).toEqual(['cache-hit-rate']);
    await expectFiredAndOver(given, 'cache-hit-rate');
    await session[Symbol.asyncDispose]();
  }, 400_000);

  it('tell of a venue that becomes slow', async () => {
    // As often as the main job looks, so that there are samples enough.
    const given = await givenASession(320, 300);
    const { session } = given;
    await session.advance(70);
    const slow = session.venue.fault({ when: 'after', kind: 'delay', ms: 600 });
    await session.advance(80);
    slow[Symbol.dispose]();
    await session.advance(150);
    await expectFiredAndOver(given, 'latency-p99');
    await session[Symbol.asyncDispose]();
  }, 400_000);

  it('tell of feeds that stand still and of calls that stop, and let the first speak for the second', async () => {
    const given = await givenASession(1_500);
    const { session, changes } = given;
    await session.advance(780);
    expect(given.raised()).toEqual([]);
    // Nothing is answered, and a person has stopped the orders: what is left are attempts to read the account.
    const hanging = session.venue.fault({ when: 'before', kind: 'drop', ms: 60_000 });
    void session.kit.trading!.halt('halted', 'the venue does not answer');
    await session.advance(300);
    hanging[Symbol.dispose]();
    void session.kit.trading!.halt('active', 'the venue answers again');
    await session.advance(400);
    const stale = await expectFiredAndOver(given, 'data-staleness', 'critical');
    expect(stale.labels.feed).toMatch(/^simulated\//);
    await expectFiredAndOver(given, 'data-staleness', 'warning');
    const quiet = await expectFiredAndOver(given, 'throughput-drop');
    expect(quiet.suppressedBy).toContain('inhibited:data-staleness');
    expect(changes.some(({ alert }) => alert.state === 'error')).toBe(false);
    await session[Symbol.asyncDispose]();
  }, 400_000);
});
