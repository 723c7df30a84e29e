import type { Command } from '../command.js';
import { time } from '../query/time-option.js';
import type { AnalyzeCommandOptions } from './analyze-store.js';

/** `venuekit analyze <db>`: the grade of what a metric store recorded, what changed for the worse, and what to expect. */
export const analyzeCommand: Command = (program, terminal, end) => {
  program
    .command('analyze')
    .description('grade what a metric store recorded, and say what changed for the worse, why, and what to expect; may be used while the bot runs')
    .argument('<db>', 'the SQLite file of a metric store, such as metrics.db')
    .option('--from <time>', 'begin: a time as 2026-11-27T14:30Z, epoch ms, or how long before the newest record, as 90m', time, '1h')
    .option('--to <time>', 'end, told as --from; now: the newest record', time, 'now')
    .option('--json', 'print JSON')
    .action(async (db: string, options: AnalyzeCommandOptions) => {
      const { analyzeStore } = await import('./analyze-store.js');
      end(await analyzeStore(db, options, terminal));
    });
};
