import { existsSync } from 'node:fs';
import type { JournalRecord } from '../../contracts/journal.js';
import { isSettled } from '../../contracts/journal-records.js';
import { systemClock } from '../../core/clock.js';
import { SqliteOrderJournal } from '../../stores/sqlite/order-journal.js';
import { CommandFailure, type ExitCode, type Terminal } from '../terminal.js';
import { reportOf } from './intent-report.js';
import type { JournalReport } from './journal-report.js';
import { JsonReport } from './json-report.js';
import { TextReport } from './text-report.js';

/** Options of `venuekit journal`. */
export interface JournalCommandOptions {
  readonly intent?: string;
  readonly account?: string;
  readonly unresolved?: boolean;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** Reads the journal and prints it; 1 when the intent asked for is not there or the file is damaged. */
export async function showJournal(file: string, options: JournalCommandOptions, terminal: Terminal): Promise<ExitCode> {
  if (!existsSync(file)) throw new CommandFailure(`There is no file ${file}.`);
  await using journal = await SqliteOrderJournal.open({ path: file, readOnly: true });
  const report: JournalReport = options.json === true ? new JsonReport(terminal) : new TextReport(terminal, options.intent !== undefined);
  report.begin({ path: file, leases: await journal.leases(), now: systemClock.now() });
  let intents = 0;
  let unresolved = 0;
  for await (const records of selected(journal, options)) {
    if (terminal.signal.aborted) break;
    const [first, ...others] = records;
    if (first === undefined) continue;
    intents++;
    if (!isSettled(records) && first.type !== 'halt') unresolved++;
    report.intent(reportOf([first, ...others]));
  }
  const damage = options.check === true ? await journal.integrity() : undefined;
  report.end({ intents, unresolved, damage });
  if (options.intent !== undefined && intents === 0) throw new CommandFailure(`The journal has no intent ${options.intent}.`);
  return damage !== undefined && damage.length > 0 ? 1 : 0;
}

async function* selected(journal: SqliteOrderJournal, options: JournalCommandOptions): AsyncIterable<readonly JournalRecord[]> {
  const source = options.intent === undefined ? journal.intents() : byAccount(await journal.byIntent(options.intent));
  for await (const records of source) {
    if (options.account !== undefined && records[0]?.account !== options.account) continue;
    if (options.unresolved === true && isSettled(records)) continue;
    yield records;
  }
}

// Two accounts may have used the same id.
function byAccount(records: readonly JournalRecord[]): readonly (readonly JournalRecord[])[] {
  const accounts = [...new Set(records.map(({ account }) => account))];
  return accounts.map((account) => records.filter((record) => record.account === account));
}
