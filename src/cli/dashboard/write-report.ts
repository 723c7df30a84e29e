import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { systemClock } from '../../core/clock.js';
import { isVenueKitError } from '../../core/errors.js';
import { createDashboard } from '../../dashboard/index.js';
import { REPORT_FORMATS, type ReportFormat } from '../../dashboard/report/report-format.js';
import { SqliteMetricStore } from '../../stores/sqlite/metric-store.js';
import { CommandFailure, type ExitCode, type Terminal } from '../terminal.js';
import { recordedRange } from './recorded-range.js';
import { lastDay } from './serve-dashboard.js';

/** Options of `venuekit report`; times in epoch ms. */
export interface ReportCommandOptions {
  readonly format?: ReportFormat;
  readonly out?: string;
  readonly from?: number;
  readonly to?: number;
  readonly title?: string;
}

/** Writes the report, with progress; what stood there before stays until it is whole. */
export async function writeReport(file: string, options: ReportCommandOptions, terminal: Terminal): Promise<ExitCode> {
  if (!existsSync(file)) throw new CommandFailure(`There is no file ${file}.`);
  const format = options.format ?? formatOf(options.out) ?? 'pdf';
  const out = options.out ?? `report.${format}`;
  await using store = await SqliteMetricStore.open({ path: file, readOnly: true });
  const range = await rangeOf(store, options, terminal.signal);
  await using dashboard = createDashboard({ store, title: options.title ?? basename(file) });
  terminal.err(`${new Date(range.from).toISOString()} to ${new Date(range.to).toISOString()}, as ${format}\n`);
  const bytes = await render();
  if (out === '-') {
    if (format === 'png' || format === 'pdf') throw new CommandFailure(`--out - is for text, and ${format} is none; name a file.`);
    terminal.out(new TextDecoder().decode(bytes));
    return 0;
  }
  await mkdir(dirname(out), { recursive: true });
  await writeFile(`${out}.part`, bytes);
  await rename(`${out}.part`, out);
  terminal.err(`${out}, ${bytes.length} bytes\n`);
  return 0;

  async function render(): Promise<Uint8Array> {
    let tenth = 0;
    try {
      return await dashboard.render({
        format,
        ...range,
        signal: terminal.signal,
        onProgress: (done, total) => {
          if (Math.floor((10 * done) / total) <= tenth) return;
          tenth = Math.floor((10 * done) / total);
          terminal.err(done === total ? `analysed ${total} series; drawing\n` : `analysed ${done} of ${total} series\n`);
        },
      });
    } catch (error) {
      if (terminal.signal.aborted) throw new CommandFailure('Interrupted; nothing was written.');
      if (isVenueKitError(error)) throw new CommandFailure(error.message);
      throw error;
    }
  }
}

function formatOf(out: string | undefined): ReportFormat | undefined {
  const ending = out === undefined ? '' : extname(out).slice(1).toLowerCase();
  return REPORT_FORMATS.find((format) => format === ending);
}

async function rangeOf(
  store: SqliteMetricStore,
  { from, to }: ReportCommandOptions,
  signal: AbortSignal,
): Promise<{ readonly from: number; readonly to: number }> {
  const now = systemClock.now();
  if (from === undefined) {
    const recorded = await recordedRange(store, to ?? now, signal);
    if (recorded === undefined) throw new CommandFailure('Nothing is recorded in this file; with --from and --to the report says so page by page.');
    return lastDay(recorded);
  }
  if (from >= (to ?? now)) throw new CommandFailure('--from must be before --to.');
  return { from, to: to ?? now };
}
