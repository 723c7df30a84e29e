import { existsSync } from 'node:fs';
import { type CompiledQuery, type QueryResult, queryInstant, queryRange } from '../../query/index.js';
import { SqliteMetricStore } from '../../stores/sqlite/metric-store.js';
import { CommandFailure, type ExitCode, printable, type Terminal } from '../terminal.js';
import { jsonOf, type QueryRange, writeTable } from './query-report.js';

/** Options of `venuekit query`; times in epoch ms. */
export interface QueryCommandOptions {
  readonly from?: number;
  readonly to?: number;
  readonly step?: number;
  readonly json?: boolean;
}

const STEPS = 60;
const MOST_STEPS = 11_000;

/** Asks the store and prints what it says. */
export async function showQuery(
  file: string,
  query: CompiledQuery,
  options: QueryCommandOptions & { readonly to: number },
  terminal: Terminal,
): Promise<ExitCode> {
  if (!existsSync(file)) throw new CommandFailure(`There is no file ${file}.`);
  const range = rangeOf(options);
  await using store = await SqliteMetricStore.open({ path: file, readOnly: true });
  const result = await ask(store, query, range, terminal.signal);
  for (const warning of result.warnings) terminal.err(`${printable(warning)}\n`);
  if (options.json === true) terminal.out(`${JSON.stringify(jsonOf(query, range, result))}\n`);
  else if (result.series.length === 0) terminal.err('nothing has a value then\n');
  else writeTable(range, result, terminal);
  return 0;
}

function rangeOf({ from, to, step }: QueryCommandOptions & { readonly to: number }): QueryRange {
  if (from === undefined) return { from: to, to, stepMs: undefined };
  // Whole seconds, which is how often values are taken.
  const stepMs = step ?? Math.max(1_000, Math.ceil((to - from) / STEPS / 1_000) * 1_000);
  const steps = Math.floor((to - from) / stepMs) + 1;
  if (steps > MOST_STEPS) throw new CommandFailure(`--step gives ${steps} values, and at most ${MOST_STEPS} are possible; make it longer.`);
  return { from, to, stepMs };
}

async function ask(store: SqliteMetricStore, query: CompiledQuery, { from, to, stepMs }: QueryRange, signal: AbortSignal): Promise<QueryResult> {
  try {
    return await (stepMs === undefined ? queryInstant(store, query, { at: to, signal }) : queryRange(store, query, { from, to, stepMs, signal }));
  } catch (error) {
    if (signal.aborted) throw new CommandFailure('Interrupted.');
    throw error;
  }
}
