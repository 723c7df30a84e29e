import { existsSync } from 'node:fs';
import { AnalyticsEngine, reportToJson, reportToText } from '../../analytics/index.js';
import { SqliteMetricStore } from '../../stores/sqlite/metric-store.js';
import { readTime } from '../query/read-time.js';
import { CommandFailure, type ExitCode, printable, type Terminal, WrongUsage } from '../terminal.js';

/** Options of `venuekit analyze`. */
export interface AnalyzeCommandOptions {
  /** A time, or a duration before the newest record. */
  readonly from: string;
  readonly to: string;
  readonly json?: boolean;
}

// A line for each series would fill the screen.
const PROGRESS_STEPS = 10;

/** Analyzes a range of a store and prints the report. */
export async function analyzeStore(path: string, options: AnalyzeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  if (!existsSync(path)) throw new CommandFailure(`There is no file ${path}.`);
  await using store = await SqliteMetricStore.open({ path, readOnly: true });
  const newest = await store.newest();
  if (newest === undefined) throw new CommandFailure(`${path} holds no metrics yet.`);
  const from = readTime(options.from, newest) ?? Number.NaN;
  const to = readTime(options.to, newest) ?? Number.NaN;
  if (!(from < to)) throw new WrongUsage(`--from must lie before --to, got ${utc(from)} and ${utc(to)}.`);
  if (from > newest) throw new WrongUsage(`--from must lie before the newest record, ${utc(newest)}, got ${utc(from)}.`);
  const engine = new AnalyticsEngine({ store });
  let told = 0;
  const onProgress = (done: number, total: number): void => {
    const step = Math.floor((PROGRESS_STEPS * done) / total);
    if (step === told) return;
    told = step;
    terminal.err(`${done} of ${total} series analyzed\n`);
  };
  try {
    const report = await engine.analyze({ from, to }, { signal: terminal.signal, onProgress });
    if (options.json === true) terminal.out(`${reportToJson(report, 2)}\n`);
    else terminal.out(reportToText(report).split('\n').map(printable).join('\n'));
    return 0;
  } catch (error) {
    if (terminal.signal.aborted) throw new CommandFailure('Interrupted; nothing was reported.');
    throw error;
  }
}

function utc(t: number): string {
  const time = new Date(t);
  return Number.isNaN(time.getTime()) ? String(t) : time.toISOString();
}
