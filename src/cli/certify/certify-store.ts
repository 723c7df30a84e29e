import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { certifyRecord } from '../../certification/index.js';
import { isVenueKitError } from '../../core/errors.js';
import { SqliteMetricStore, SqliteOrderJournal } from '../../stores/sqlite/index.js';
import { readTime } from '../query/read-time.js';
import { CommandFailure, type ExitCode, type Terminal, WrongUsage } from '../terminal.js';
import { certificationText } from './certification-text.js';
import { type ReportFiles, writeReports } from './write-reports.js';

/** Options of `venuekit certify <db>`. */
export interface CertifyStoreOptions extends ReportFiles {
  readonly journal?: string;
  /** A time, or a duration before the newest record. */
  readonly from: string;
  readonly to: string;
  readonly json?: boolean;
}

/** Judges what a run has left, and prints it; 0 where all that could be judged is well. */
export async function certifyStore(path: string, options: CertifyStoreOptions, terminal: Terminal): Promise<ExitCode> {
  if (!existsSync(path)) throw new CommandFailure(`There is no file ${path}.`);
  const orders = options.journal ?? join(dirname(path), 'orders.db');
  const hasJournal = existsSync(orders);
  if (options.journal !== undefined && !hasJournal) throw new CommandFailure(`There is no file ${orders} (--journal).`);
  try {
    await using store = await SqliteMetricStore.open({ path, readOnly: true });
    const newest = await store.newest();
    if (newest === undefined) throw new CommandFailure(`${path} holds no metrics yet.`);
    const from = readTime(options.from, newest) ?? Number.NaN;
    const to = readTime(options.to, newest) ?? Number.NaN;
    if (!(from < to)) throw new WrongUsage('--from must lie before --to.');
    await using journal = hasJournal ? await SqliteOrderJournal.open({ path: orders, readOnly: true }) : undefined;
    const report = await certifyRecord(
      { store, ...(journal === undefined ? {} : { journal }) },
      { from, to },
      {
        signal: terminal.signal,
        onProgress: (done, total, id) => terminal.err(`${done} of ${total} checks: ${id}\n`),
      },
    );
    await writeReports(report, options, terminal);
    terminal.out(options.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : certificationText(report));
    const isWell = report.categories.length > 0 && report.categories.every(({ score }) => score === 100);
    return isWell && !terminal.signal.aborted ? 0 : 1;
  } catch (error) {
    if (isVenueKitError(error)) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}
