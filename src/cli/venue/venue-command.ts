import { InvalidArgumentError, Option } from 'commander';
import type { Command } from '../command.js';
import { FAULT_PRESETS } from './fault-presets.js';
import type { VenueCommandOptions } from './serve-venue.js';

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** `venuekit venue`: a simulated venue on this machine's loopback, for trying a bot against. */
export const venueCommand: Command = (program, terminal, end) => {
  program
    .command('venue')
    .description('serve a simulated venue on 127.0.0.1 until interrupted')
    .addOption(new Option('--protocol <name>', 'whose protocol it speaks').choices(['binance', 'alpaca', 'kraken']).default('binance'))
    .option('--port <number>', 'port; 0 for any free one', wholeNumber(0, 65_535), 0)
    .option('--seed <number>', 'decides prices, fills and faults', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .addOption(new Option('--faults <mixture>', 'what goes wrong').choices(Object.keys(FAULT_PRESETS)).default('calm'))
    .option('--json', 'print JSON')
    .action(async (options: VenueCommandOptions) => {
      const { serveVenue } = await import('./serve-venue.js');
      end(await serveVenue(options, terminal));
    });
};
