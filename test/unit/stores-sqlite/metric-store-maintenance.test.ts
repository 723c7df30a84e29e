import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.js';
import { MetricEngine } from '../../../src/stores/sqlite/metric-store-engine.js';

const T0 = 1_704_067_200_000;
const SLOT_S = 600;
const SERIES = [{ name: 'm', labels: {} }];

/** Time that is over at each look, so that every step of work is a turn of its own, and goes on when it is told to. */
function steppingClock() {
  let now = 0;
  let waiting: (() => void)[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => ++now * 1_000,
    sleep: () => new Promise((resolve) => void waiting.push(resolve)),
    schedule: () => ({ [Symbol.dispose]: () => {} }),
  };
  /** @returns whether there was a step to take */
  const step = async (): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve));
    const due = waiting;
    waiting = [];
    for (const resolve of due) resolve();
    return due.length > 0;
  };
  return { clock, step };
}

/** Ends a second slot when the compaction of the first has taken so many steps. @returns slots in chunks, and whether it was still under way */
async function endASlotAfter(steps: number): Promise<{ readonly compacted: number; readonly wasUnderWay: boolean }> {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-maintenance-'));
  try {
    const { clock, step } = steppingClock();
    const engine = await MetricEngine.open({ path: join(directory, 'm.db'), readOnly: false }, clock);
    const fill = async (from: number, to: number): Promise<void> => {
      for (let s = from; s <= to; s += 60) await engine.append({ t: T0 + s * 1_000, series: SERIES, values: Float64Array.of(s) });
    };
    while (await step());
    await fill(0, SLOT_S);
    let wasUnderWay = true;
    for (let i = 0; i < steps && wasUnderWay; i++) wasUnderWay = await step();
    await fill(SLOT_S + 60, 2 * SLOT_S);
    while (await step());
    await engine.settled();
    const compacted = Number(engine.database.prepare('SELECT count(*) AS n FROM slot').get()?.n);
    await engine.close();
    return { compacted, wasUnderWay };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

it('found on a slow disk: a slot that ended while the one before was being cleaned up stayed in the log, and was not dropped by retention', async () => {
  for (let steps = 0; ; steps++) {
    const { compacted, wasUnderWay } = await endASlotAfter(steps);
    expect([steps, compacted]).toEqual([steps, 2]);
    // All moments of it were tried, and there were some.
    if (!wasUnderWay) return expect(steps).toBeGreaterThan(3);
  }
});
