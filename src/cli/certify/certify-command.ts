import { InvalidArgumentError } from 'commander';
import type { Command } from '../command.js';
import { time } from '../query/time-option.js';
import { WrongUsage } from '../terminal.js';
import { wholeNumber } from '../whole-number.js';
import type { CertifyCommandOptions } from './certify-kit.js';
import type { CertifyStoreOptions } from './certify-store.js';

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 10 && value <= 3_600)) throw new InvalidArgumentError('It must be a number of seconds from 10 to 3600.');
  return value;
}

function within(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 1 && value <= 3_600)) throw new InvalidArgumentError('It must be a number of seconds from 1 to 3600.');
  return value;
}

/** `venuekit certify`: whether a kit is ready, and what it lacks. */
export const certifyCommand: Command = (program, terminal, end) => {
  program
    .command('certify')
    .description(
      'try out whether a kit is ready to trade: on a simulated venue, in virtual time, with processes killed; exit 0 where it is (GOLD or SILVER). Of the metric store of a run: what its record shows, without a level',
    )
    .argument('[db]', 'the SQLite file of the metric store of a run, such as metrics.db, to be judged by its record alone')
    .option('--journal <file>', 'the order journal of that run')
    .option('--from <time>', 'begin of the record: a time as 2026-11-27T14:30Z, epoch ms, or how long before the newest one, as 90m', time, '1h')
    .option('--to <time>', 'its end, told as --from; now: the newest', time, 'now')
    .option(
      '--options <file>',
      "module with the host's options of createVenueKit as its default export, or a function that makes them; or plain options as JSON; or the trace of a run, for the options that it was recorded with",
    )
    .option('--seed <number>', 'decides prices, orders, latencies, faults and the moments of kills', wholeNumber, 1)
    .option('--duration <seconds>', "virtual length of the bot's session", seconds, 120)
    .option(
      '--within <seconds>',
      'the longest that all checks may take, for a slow machine; what has not ended then counts as not measured',
      within,
      175,
    )
    .option('--symbol <name>', 'something that the venue trades, to ask a quote of', 'BTC/USDT')
    .option('--only <ids>', 'these checks alone, with commas between; the report then has no level', (text) => text.split(','))
    .option('--no-drill', 'hand the notifiers no drill; production.notifiers then fails')
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write it as a page, too')
    .option('--pdf <file>', 'write it as PDF, too')
    .action(async (db: string | undefined, options: CertifyCommandOptions & CertifyStoreOptions) => {
      if (db === undefined) {
        const { certifyKit } = await import('./certify-kit.js');
        end(await certifyKit(options, terminal));
      } else {
        if (options.options !== undefined)
          throw new WrongUsage('--options makes a kit that is tried out, and <db> is a record that is read: give one of the two.');
        const { certifyStore } = await import('./certify-store.js');
        end(await certifyStore(db, options, terminal));
      }
    });
};
