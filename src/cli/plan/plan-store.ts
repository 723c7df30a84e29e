import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AnalyzerError, PerformanceAnalyzer, readTrace, type Trace } from '../../analyzer/index.js';
import { SqliteMetricStore } from '../../stores/sqlite/metric-store.js';
import { readTime } from '../query/read-time.js';
import { CommandFailure, type ExitCode, type Terminal, WrongUsage } from '../terminal.js';
import { type ShownPlan, showPlan } from './show-plan.js';

/** Options of `venuekit plan <db>`. */
export interface PlanStoreOptions extends ShownPlan {
  readonly trace?: string;
  /** A time, or a duration before the newest record. */
  readonly from: string;
  readonly to: string;
}

/** Analyzes a range of a store and prints the plan. */
export async function planStore(path: string, options: PlanStoreOptions, terminal: Terminal): Promise<ExitCode> {
  if (!existsSync(path)) throw new CommandFailure(`There is no file ${path}.`);
  await using store = await SqliteMetricStore.open({ path, readOnly: true });
  const newest = await store.newest();
  if (newest === undefined)
    throw new CommandFailure(`${path} holds no metrics yet. Without a record, a short probe of a kit says as much: venuekit plan --options <file>.`);
  const from = readTime(options.from, newest) ?? Number.NaN;
  const to = readTime(options.to, newest) ?? Number.NaN;
  if (!(from < to)) throw new WrongUsage('--from must lie before --to.');
  const trace = await traceOf(path, options.trace, { from, to }, terminal);
  const analyzer = new PerformanceAnalyzer({ store, ...(trace === undefined ? {} : { trace }) });
  const onProgress = (done: number, total: number): void => {
    if (done % 5 === 0 || done === total) terminal.err(`${done} of ${total} detectors\n`);
  };
  try {
    const report = await analyzer.analyze({ from, to }, { signal: terminal.signal, onProgress });
    return await showPlan(report, options, terminal);
  } catch (error) {
    if (!(error instanceof AnalyzerError && error.code === 'TOO_LITTLE_DATA')) throw error;
    throw new CommandFailure(`${error.message} Without a record, a short probe of a kit says as much: venuekit plan --options <file>.`, {
      cause: error,
    });
  }
}

async function traceOf(
  db: string,
  given: string | undefined,
  range: { readonly from: number; readonly to: number },
  terminal: Terminal,
): Promise<Trace | undefined> {
  const path = given ?? join(dirname(db), 'trace.bin');
  if (given === undefined && !existsSync(path)) {
    terminal.err(`no trace (--trace): there are no estimates, and some detectors see nothing\n`);
    return undefined;
  }
  const trace = await readTrace(path, { signal: terminal.signal });
  if (trace.to < range.from || trace.from > range.to) {
    terminal.err(`the trace ${path} is of another time and is left out\n`);
    return undefined;
  }
  if (trace.unreadable > 0) terminal.err(`${path} has an end that can not be read, as after a kill; it is left out\n`);
  if (trace.dropped > 0) terminal.err(`${path} lacks ${trace.dropped} records, which came faster than they could be written\n`);
  return trace;
}
