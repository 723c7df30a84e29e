/**
 * Every public subpath and the room behind it: the one list that the build, the type reports, the
 * reference and the package tests read. package.json repeats it in `exports`, and a test holds the
 * two against each other.
 */
export const entryPoints: Readonly<Record<string, string>> = {
  '.': 'src/index.ts',
  './resilience': 'src/resilience/index.ts',
  './pool': 'src/pool/index.ts',
  './trading': 'src/trading/index.ts',
  './market-data': 'src/market-data/index.ts',
  './parallel': 'src/parallel/index.ts',
  './metrics': 'src/metrics/index.ts',
  './query': 'src/query/index.ts',
  './alerts': 'src/alerts/index.ts',
  './analytics': 'src/analytics/index.ts',
  './analyzer': 'src/analyzer/index.ts',
  './certification': 'src/certification/index.ts',
  './dashboard': 'src/dashboard/index.ts',
  './sqlite': 'src/stores/sqlite/index.ts',
  './postgres': 'src/stores/postgres/index.ts',
  './redis': 'src/stores/redis/index.ts',
  './otel': 'src/otel/index.ts',
  './ccxt': 'src/sdk/ccxt/index.ts',
  './alpaca': 'src/sdk/alpaca/index.ts',
  './binance': 'src/sdk/binance/index.ts',
  './testing': 'src/testing/index.ts',
};

/** Files that are started rather than imported: worker threads, found by their subpath from a bundled host. */
export const workers: Readonly<Record<string, string>> = {
  './parallel-worker': 'src/parallel/worker.ts',
  './analytics-worker': 'src/analytics/worker.ts',
  './metric-store-worker': 'src/stores/sqlite/metric-store-worker.ts',
  './certification-process': 'src/certification/kill/process.ts',
};

/** Workers that scripts/build-dashboard.ts makes, with packages inside that a host does not install. */
export const prebuilt: Readonly<Record<string, string>> = {
  './dashboard-worker': 'src/dashboard/report/worker.ts',
};

/** The `venuekit` command. */
export const command = 'src/cli/main.ts';

/** `./market-data` → `market-data`; the root → `index`. */
export function outputName(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.slice(2);
}
