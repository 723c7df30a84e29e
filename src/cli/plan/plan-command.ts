import { InvalidArgumentError } from 'commander';
import type { Command } from '../command.js';
import { time } from '../query/time-option.js';
import { WrongUsage } from '../terminal.js';
import { wholeNumber } from '../whole-number.js';
import type { PlanProbeOptions } from './plan-probe.js';
import type { PlanStoreOptions } from './plan-store.js';

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(Number.isSafeInteger(value) && value >= 31 && value <= 3_600))
    throw new InvalidArgumentError('It must be a whole number of seconds from 31 to 3600.');
  return value;
}

function names(text: string): readonly string[] {
  const symbols = text.split(',').map((name) => name.trim());
  if (symbols.includes('')) throw new InvalidArgumentError('It must be names with commas between, such as BTC/USDT,ETH/USDT.');
  return symbols;
}

/** `venuekit plan <db>`: what can be better in a run, by how much, and in which order. */
export const planCommand: Command = (program, terminal, end) => {
  program
    .command('plan')
    .description(
      'say what can be better in what a metric store recorded, which option changes it, and what a replay of the trace says that would bring; or, without a record, in what a short probe of a kit shows',
    )
    .argument('[db]', 'the SQLite file of a metric store, such as metrics.db')
    .option('--trace <file>', 'the trace of the run; without it, trace.bin beside the store, where there is one')
    .option('--from <time>', 'begin: a time as 2026-11-27T14:30Z, epoch ms, or how long before the newest record, as 90m', time, '1h')
    .option('--to <time>', 'end, told as --from; now: the newest record', time, 'now')
    .option(
      '--options <file>',
      "instead of <db>: module with the host's options of createVenueKit; quotes are read through a kit of them for a while, and nothing is ordered",
    )
    .option('--duration <seconds>', 'how long such a probe reads', seconds, 60)
    .option('--symbols <names>', 'what it reads, with commas between', names, ['BTC/USDT'])
    .option('--seed <number>', 'decides when each of its readers begins, and what is drawn in replays', wholeNumber, 1)
    .option('--json', 'print JSON')
    .option('--apply <file>', 'write the options into a file that createVenueKit reads (optionsFile), on top of what is in it')
    .action(
      async (db: string | undefined, options: PlanStoreOptions & Partial<Pick<PlanProbeOptions, 'options'>> & Omit<PlanProbeOptions, 'options'>) => {
        const { options: file } = options;
        if (db !== undefined && file !== undefined)
          throw new WrongUsage('--options makes a kit that is probed, and <db> is a record that is read: give one of the two.');
        if (db !== undefined) {
          const { planStore } = await import('./plan-store.js');
          end(await planStore(db, options, terminal));
        } else if (file !== undefined) {
          const { planProbe } = await import('./plan-probe.js');
          end(await planProbe({ ...options, options: file }, terminal));
        } else throw new WrongUsage('Name the metric store of a run (venuekit plan data/metrics.db), or --options <file> of a kit to probe.');
      },
    );
};
