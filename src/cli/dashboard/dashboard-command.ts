import { InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.js';
import type { Command } from '../command.js';
import { readTime } from '../query/read-time.js';
import type { ServeDashboardOptions } from './serve-dashboard.js';

/** `venuekit dashboard <file>`: the live page of a metric store, for a bot that has none of its own. */
export const dashboardCommand: Command = (program, terminal, end) => {
  program
    .command('dashboard')
    .description('serve the live page of a metric store until interrupted; may be used while the bot runs')
    .argument('<file>', 'the SQLite file')
    .option('--port <number>', 'port; 0 for any free one', portNumber, 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--title <text>', 'heading of the page')
    .option('--from <time>', 'beginning of a range of the past to open with', timeOption)
    .option('--to <time>', 'its end', timeOption)
    .option('--json', 'print JSON')
    .action(async (file: string, options: ServeDashboardOptions) => {
      const { serveDashboard } = await import('./serve-dashboard.js');
      end(await serveDashboard(file, options, terminal));
    });
};

/** Epoch ms of a time on the command line. */
export function timeOption(text: string): number {
  const time = readTime(text, systemClock.now());
  if (time === undefined) throw new InvalidArgumentError('Expected a time such as 2026-01-05T09:30:00Z, 1767605400000, now, or 1h for an hour ago.');
  return time;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  return port;
}
