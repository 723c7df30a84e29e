import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let built = 0;
const ENTRIES = {
  'metric-store': 'src/stores/sqlite/metric-store.ts',
  'metric-store-worker': 'src/stores/sqlite/metric-store-worker.ts',
  'metric-store-writer': 'test/fixtures/metric-store-writer.mjs',
};

/** What runs the SQLite metric store in other threads and processes, as plain JavaScript: addresses of modules. */
export interface StorePrograms {
  /** `SqliteMetricStore`, for scripts of other processes; finds its worker beside itself. */
  readonly store: string;
  readonly worker: string;
  readonly writer: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly storePrograms: StorePrograms;
  }
}

/**
 * Builds them from the sources as they are: a thread that starts in some ten milliseconds instead of
 * most of a second. They lie under node_modules, so that packages are found.
 */
export async function buildStorePrograms(): Promise<StorePrograms & Disposable> {
  const directory = join(ROOT, 'node_modules', '.cache', 'venuekit', `store-${process.pid}-${built++}`);
  mkdirSync(directory, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: directory,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  // As a package of modules: the `.js` that the store looks for beside itself is one.
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const at = (name: keyof typeof ENTRIES): string => pathToFileURL(join(directory, `${name}.js`)).href;
  return {
    store: at('metric-store'),
    worker: at('metric-store-worker'),
    writer: at('metric-store-writer'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Once for a whole run of tests. */
export default async function setup(project: TestProject): Promise<() => void> {
  const programs = await buildStorePrograms();
  const { store, worker, writer } = programs;
  project.provide('storePrograms', { store, worker, writer });
  return () => programs[Symbol.dispose]();
}
