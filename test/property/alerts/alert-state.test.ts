import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertEngine, type AlertRule } from '../../../src/alerts/index.js';
import { type AlertPhase, advance, type Finding, isRaised } from '../../../src/alerts/state/alert-state.js';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';

const STEP = 1_000;
const T0 = 1_704_067_200_000;
const fresh = (): AlertPhase => ({ state: 'inactive', since: Number.NaN, firedAt: Number.NaN, resolvedAt: Number.NaN });
const finding = fc.constantFrom<Finding>('calm', 'calm', 'firing', 'firing', 'nodata', 'error');
const delay = fc.integer({ min: 0, max: 5 }).map((steps) => steps * STEP);

describe('the states of an alert', () => {
  it('are raised only after the condition held at every evaluation for as long as it must', () => {
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 60 }), delay, delay, (findings, forMs, keepFiringForMs) => {
        const phase = fresh();
        for (const [i, found] of findings.entries()) {
          const wasRaised = isRaised(phase.state);
          advance(phase, found, T0 + i * STEP, { forMs, keepFiringForMs });
          if (wasRaised || !isRaised(phase.state)) continue;
          const heldFor = forMs / STEP;
          expect(i).toBeGreaterThanOrEqual(heldFor);
          expect(findings.slice(i - heldFor, i + 1)).not.toContain('calm');
          expect(phase.firedAt).toBe(T0 + i * STEP);
        }
      }),
    );
  });

  it('are over only after the condition was gone at every evaluation for as long as it is kept', () => {
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 60 }), delay, delay, (findings, forMs, keepFiringForMs) => {
        const phase = fresh();
        for (const [i, found] of findings.entries()) {
          const wasRaised = isRaised(phase.state);
          advance(phase, found, T0 + i * STEP, { forMs, keepFiringForMs });
          if (!wasRaised || isRaised(phase.state)) continue;
          expect(new Set(findings.slice(i - keepFiringForMs / STEP, i + 1))).toEqual(new Set(['calm']));
          expect(phase.resolvedAt).toBe(T0 + i * STEP);
          expect(phase.resolvedAt).toBeGreaterThan(phase.firedAt);
        }
      }),
    );
  });

  it('say what was found while raised, and change exactly when they say so', () => {
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 60 }), delay, delay, (findings, forMs, keepFiringForMs) => {
        const phase = fresh();
        for (const [i, found] of findings.entries()) {
          const before = phase.state;
          expect(advance(phase, found, T0 + i * STEP, { forMs, keepFiringForMs })).toBe(phase.state !== before);
          if (found !== 'calm' && isRaised(phase.state)) expect(phase.state).toBe(found);
          if (found === 'calm') expect(['inactive', 'recovering']).toContain(phase.state);
        }
      }),
    );
  });
});

describe('an engine', () => {
  const value = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 10 }) }, { weight: 1, arbitrary: fc.constant(Number.NaN) });
  const ruleOf = (forMs: number, keepFiringForMs: number, clear: number, noData: 'ok' | 'alert' | 'keep'): AlertRule => ({
    id: 'r',
    severity: 'warning',
    summary: 's',
    type: 'threshold',
    expr: 'x',
    op: '>',
    fire: 6,
    clear,
    forMs,
    keepFiringForMs,
    noData,
  });

  /** What is raised at each step, by an engine that is replaced before the given steps. */
  async function run(values: readonly number[], rule: AlertRule, restarts: ReadonlySet<number>): Promise<readonly string[]> {
    const store = new MemoryMetricStore();
    const bus = new EventBus();
    const changes: string[] = [];
    bus.on('alert', ({ alert, from }) => changes.push(`${from} → ${alert.state} ${alert.firedAt ?? ''}`));
    const start = () => new AlertEngine({ store, bus, clock: new ManualClock(T0), rules: [rule] });
    let engine = start();
    for (const [i, x] of values.entries()) {
      if (restarts.has(i)) {
        await engine.close();
        engine = start();
      }
      const t = T0 + i * STEP;
      await store.append({ t, series: [{ name: 'x', labels: {} }], values: Float64Array.of(x) });
      await engine.tick(t);
      changes.push(
        `${i} ${engine
          .instances()
          .filter(({ state }) => state !== 'inactive')
          .map(({ state }) => state)}`,
      );
    }
    await engine.close();
    return changes;
  }

  it('that is restarted at any point says what one says that is not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 5, maxLength: 40 }),
        delay,
        delay,
        fc.integer({ min: 2, max: 6 }),
        fc.constantFrom('ok', 'alert', 'keep'),
        fc.uniqueArray(fc.integer({ min: 1, max: 39 }), { maxLength: 6 }),
        async (values, forMs, keepFiringForMs, clear, noData, restarts) => {
          const rule = ruleOf(forMs, keepFiringForMs, clear, noData as 'ok');
          expect(await run(values, rule, new Set(restarts))).toEqual(await run(values, rule, new Set()));
        },
      ),
      // An alert that fired, then was pending only (found by chance).
      { numRuns: 60, examples: [[[7, 7, 0, 0, 0, 7, 0], 1_000, 0, 2, 'ok', [3]]] },
    );
  });

  it('never changes while a value stays between where it clears and where it fires', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 9), fc.array(fc.integer({ min: 4, max: 6 }), { minLength: 1, maxLength: 30 }), async (first, values) => {
        const said = await run([first, ...values], ruleOf(0, 0, 4, 'ok'), new Set());
        expect(said.filter((line) => line.includes('→'))).toEqual(first === 9 ? [`inactive → firing ${T0}`] : []);
      }),
      { numRuns: 40 },
    );
  });
});
