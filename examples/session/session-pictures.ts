import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isVenueKitError } from 'venuekit';
import { createDashboard, type Dashboard } from 'venuekit/dashboard';
import { MemoryMetricStore } from 'venuekit/metrics';
import { SqliteMetricStore } from 'venuekit/sqlite';

type Store = SqliteMetricStore | MemoryMetricStore;

/** Where the run keeps its metrics: `session.db`, anew; in memory where this runtime has no SQLite. */
export async function openSessionStore(folder: string): Promise<Store> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'session.db');
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
  try {
    return await SqliteMetricStore.open({ path });
  } catch (error) {
    if (!isVenueKitError(error, 'MISSING_PEER')) throw error;
    console.log(`Metrics stay in memory: ${error.message}`);
    return new MemoryMetricStore();
  }
}

/** The live page of the run, and what is left of it afterwards. */
export function sessionDashboard(store: Store): Dashboard {
  return createDashboard({ store, title: 'venuekit: one recorded session' });
}

/**
 * Writes `dashboard.png`, `report.html` and `dashboard.json` of the run. The picture needs an
 * optional package; without it there is one less.
 * @returns the files written
 */
export async function writePictures(
  dashboard: Dashboard,
  folder: string,
  range: { readonly from: number; readonly to: number },
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const [name, format] of [
    ['report.html', 'html'],
    ['dashboard.json', 'json'],
    ['dashboard.png', 'png'],
  ] as const) {
    try {
      const bytes = await dashboard.render({ format, ...range });
      writeFileSync(join(folder, name), bytes);
      written.push(join(folder, name));
    } catch (error) {
      if (!isVenueKitError(error, 'MISSING_PEER')) throw error;
      console.log(`${name} was not written: ${error.message}`);
    }
  }
  return written;
}
