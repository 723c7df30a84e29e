import { InvalidArgumentError } from 'commander';
import type { Command } from '../command.js';
import type { CertifyCommandOptions } from './certify-kit.js';

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number of 0 or more.');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 10 && value <= 3_600)) throw new InvalidArgumentError('It must be a number of seconds from 10 to 3600.');
  return value;
}

/** `venuekit certify`: whether a kit is ready, and what it lacks. */
export const certifyCommand: Command = (program, terminal, end) => {
  program
    .command('certify')
    .description(
      'try out whether a kit is ready to trade: on a simulated venue, in virtual time, with processes killed; exit 0 where it is (GOLD or SILVER)',
    )
    .option(
      '--options <file>',
      "module with the host's options of createVenueKit as its default export, or a function that makes them; or plain options as JSON",
    )
    .option('--seed <number>', 'decides prices, orders, latencies, faults and the moments of kills', wholeNumber, 1)
    .option('--duration <seconds>', "virtual length of the bot's session", seconds, 120)
    .option('--symbol <name>', 'something that the venue trades, to ask a quote of', 'BTC/USDT')
    .option('--only <ids>', 'these checks alone, with commas between; the report then has no level', (text) => text.split(','))
    .option('--no-drill', 'hand the notifiers no drill; production.notifiers then fails')
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write it as a page, too')
    .option('--pdf <file>', 'write it as PDF, too')
    .action(async (options: CertifyCommandOptions) => {
      const { certifyKit } = await import('./certify-kit.js');
      end(await certifyKit(options, terminal));
    });
};
