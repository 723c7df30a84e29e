import { Option } from 'commander';
import { REPORT_FORMATS } from '../../dashboard/report/report-format.js';
import type { Command } from '../command.js';
import { timeOption } from './dashboard-command.js';
import type { ReportCommandOptions } from './write-report.js';

/** `venuekit report <file>`: the report of a metric store, as a file. */
export const reportCommand: Command = (program, terminal, end) => {
  program
    .command('report')
    .description('write the report of a metric store: a page for executives, charts, tables; may be used while the bot runs')
    .argument('<file>', 'the SQLite file')
    .addOption(new Option('--format <format>', 'what is written; by default what --out ends in, else pdf').choices(REPORT_FORMATS))
    .option('--out <path>', 'where it goes; - for the standard output', undefined)
    .option('--from <time>', 'beginning of the range; by default the last day on record', timeOption)
    .option('--to <time>', 'its end', timeOption)
    .option('--title <text>', 'heading of the report')
    .action(async (file: string, options: ReportCommandOptions) => {
      const { writeReport } = await import('./write-report.js');
      end(await writeReport(file, options, terminal));
    });
};
