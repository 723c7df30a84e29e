import type { Command } from '../command.js';
import { time } from '../query/time-option.js';
import type { PlanCommandOptions } from './plan-store.js';

/** `venuekit plan <db>`: what can be better in a run, by how much, and in which order. */
export const planCommand: Command = (program, terminal, end) => {
  program
    .command('plan')
    .description(
      'say what can be better in what a metric store recorded, which option changes it, and what a replay of the trace says that would bring',
    )
    .argument('<db>', 'the SQLite file of a metric store, such as metrics.db')
    .option('--trace <file>', 'the trace of the run; without it, trace.bin beside the store, where there is one')
    .option('--from <time>', 'begin: a time as 2026-11-27T14:30Z, epoch ms, or how long before the newest record, as 90m', time, '1h')
    .option('--to <time>', 'end, told as --from; now: the newest record', time, 'now')
    .option('--json', 'print JSON')
    .option('--apply <file>', 'write the options into a file that createVenueKit reads (optionsFile), on top of what is in it')
    .action(async (db: string, options: PlanCommandOptions) => {
      const { planStore } = await import('./plan-store.js');
      end(await planStore(db, options, terminal));
    });
};
