import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { CHART_IDS } from '../../../src/dashboard/charts/chart.js';
import { gridOf } from '../../../src/dashboard/charts/grid.js';
import type { StillTask } from '../../../src/dashboard/report/still.js';
import { OpeningStills } from '../../../src/dashboard/server/opening-stills.js';
import type { Snapshot } from '../../../src/dashboard/view/snapshot.js';
import { givenDesk } from '../../workload/given-desk.js';
import { givenDashboard } from './given-dashboard.js';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const snapshotAt = (at: number): Snapshot => {
  const grid = gridOf(at - 900_000, at);
  const charts = CHART_IDS.map((id) => ({ id, title: id, grid, series: [], facts: {}, missing: [] }));
  return { at, grid, charts, strip: { alerts: [], canSilence: false } };
};

describe('stills of an opening view', () => {
  const NOW = 1_000_000_000;
  const given = () => {
    const drawn: StillTask[] = [];
    const stills = new OpeningStills(async (task) => {
      drawn.push(task);
      return task.chart.id === 'alerts' ? undefined : `<svg>${task.chart.id} ${task.size}</svg>`;
    });
    return { stills, drawn };
  };

  it('are there for both sizes when they are drawn, without those of charts that have nothing to show', async () => {
    const { stills } = given();
    expect(stills.of('view', 'wide', NOW)).toBeUndefined();
    await stills.offer('view', snapshotAt(NOW));
    expect([...stills.of('view', 'wide', NOW)!.keys()]).toEqual(CHART_IDS.filter((id) => id !== 'alerts'));
    expect(stills.of('view', 'narrow', NOW)!.get('cache')).toBe('<svg>cache narrow</svg>');
    expect(stills.of('another', 'wide', NOW)).toBeUndefined();
  });

  it('are drawn again when they are ten columns behind, and once at a time', async () => {
    const { stills, drawn } = given();
    await Promise.all([stills.offer('view', snapshotAt(NOW)), stills.offer('view', snapshotAt(NOW))]);
    expect(drawn).toHaveLength(14);
    await stills.offer('view', snapshotAt(NOW + 49_999));
    expect(drawn).toHaveLength(14);
    await stills.offer('view', snapshotAt(NOW + 50_000));
    expect(drawn).toHaveLength(28);
    // A clock that was set back.
    await stills.offer('view', snapshotAt(NOW - 3_600_000));
    expect(drawn).toHaveLength(42);
  });

  it('are not shown when they are of another time', async () => {
    const { stills } = given();
    await stills.offer('view', snapshotAt(NOW));
    expect(stills.of('view', 'wide', NOW + 100_000)).toBeDefined();
    expect(stills.of('view', 'wide', NOW + 100_001)).toBeUndefined();
    expect(stills.of('view', 'wide', NOW - 100_001)).toBeUndefined();
  });

  it('are drawn again after they could not be', async () => {
    let fails = true;
    const stills = new OpeningStills(async () => {
      if (fails) throw new Error('no thread');
      return '<svg/>';
    });
    await expect(stills.offer('view', snapshotAt(NOW))).rejects.toThrow('no thread');
    expect(stills.of('view', 'wide', NOW)).toBeUndefined();
    fails = false;
    await stills.offer('view', snapshotAt(NOW));
    expect(stills.of('view', 'wide', NOW)!.size).toBe(7);
  });
});

describe('the views that a page offers', () => {
  it('are read when the dashboard begins to listen, and in a while by what is new: nobody waits for a day to be read', {
    timeout: 60_000,
  }, async () => {
    const desk = await givenDesk({ seconds: 120 });
    open.push(desk);
    const clock = new ManualClock(desk.now());
    const asked: { readonly rangeMs: number; readonly at: number }[] = [];
    const store = {
      query: (query: Parameters<typeof desk.store.query>[0]) => {
        if (query.metric === 'venuekit_cache_reads_total') asked.push({ rangeMs: query.to - query.from, at: clock.now() });
        return desk.store.query(query);
      },
    };
    const { dashboard } = givenDashboard({ store: store as never, clock });
    open.push(dashboard);
    const { url } = await dashboard.listen();
    const snapshot = async (range: number) =>
      (await (await fetch(url.replace('?', `snapshot?range=${range}&`))).json()) as { readonly snapshot: Snapshot };
    // Each answers what it was read with, be it under way or done.
    for (const range of [900_000, 300_000, 3_600_000, 21_600_000, 86_400_000]) await snapshot(range);
    const whole = asked.filter(({ rangeMs }) => rangeMs > 200_000);
    expect(whole).toHaveLength(5);
    asked.length = 0;
    // Nobody looks: half an hour passes, and little is read.
    for (let i = 0; i < 60; i++) {
      await clock.advance(30_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked.filter(({ rangeMs }) => rangeMs > 30 * 60_000)).toEqual([]);
    expect(asked.length).toBeGreaterThan(10);
    asked.length = 0;
    const { snapshot: day } = await snapshot(86_400_000);
    expect(asked).toEqual([]);
    expect(day.grid.columns).toBeGreaterThan(280);
  });
});
