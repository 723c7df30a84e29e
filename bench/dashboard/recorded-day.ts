import { existsSync } from 'node:fs';
import { SqliteMetricStore } from 'venuekit/sqlite';
import type { AlertStateStore } from '../../src/contracts/alerts.js';
import type { MetricStore, MetricTick } from '../../src/contracts/metric-store.js';
import { givenDesk, keepAlert } from '../../test/workload/given-desk.js';

const UNDER_WAY = 16;

/** What a {@link recordDay} has made. */
export interface RecordedDay {
  readonly path: string;
  /** Epoch ms of the newest tick. */
  readonly newest: number;
  readonly series: number;
  readonly points: number;
  readonly bytes: number;
}

/**
 * Hours of a desk in a SQLite file, a tick a second: everything that a kit keeps, with calls to eight
 * venues, and as many gauges of the bot's own as it takes to come to `series`. What lies there already is taken as it is.
 */
export async function recordDay(
  path: string,
  { hours = 24, series = 1_000 }: { readonly hours?: number; readonly series?: number } = {},
): Promise<RecordedDay> {
  if (existsSync(path)) {
    await using kept = await SqliteMetricStore.open({ path, readOnly: true });
    return { path, newest: (await kept.newest())!, ...(await kept.stats()) };
  }
  await using store = await SqliteMetricStore.open({ path });
  const from = Date.UTC(2026, 10, 26, 12);
  const seconds = hours * 3_600;
  const desk = await givenDesk({ seconds, from, venues: VENUES, positions: series - OF_THE_KIT, store: pipelined(store) });
  await keepAlert(store, from, { labels: { operation: 'place', venue: 'venue-1' } }, [
    [0.4 * seconds, 'pending'],
    [0.4 * seconds + 30, 'firing'],
    [0.6 * seconds, 'inactive'],
    [seconds - 120, 'firing'],
  ]);
  await desk[Symbol.asyncDispose]();
  await store.settled();
  return { path, newest: (await store.newest())!, ...(await store.stats()) };
}

const VENUES = 8;
/** Series of such a desk without gauges of its own. */
const OF_THE_KIT = 512;

/** A writer in a hurry does not wait for each commit: some ticks share one. */
function pipelined(store: SqliteMetricStore): MetricStore & AlertStateStore {
  const underWay: Promise<void>[] = [];
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'append') {
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (tick: MetricTick): Promise<void> => {
        underWay.push(target.append(tick));
        if (underWay.length > UNDER_WAY) await underWay.shift();
      };
    },
  });
}
