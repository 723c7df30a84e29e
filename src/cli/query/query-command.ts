import { InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.js';
import type { Command } from '../command.js';
import { readDuration, readTime } from './read-time.js';
import type { QueryCommandOptions } from './show-query.js';

/** `venuekit query <file> <expr>`: asks a metric store. */
export const queryCommand: Command = (program, terminal, end) => {
  const time = (text: string): number =>
    readTime(text, systemClock.now()) ?? refuse('a time such as 2026-01-05T09:30:00Z, 1767605400000, now, or 1h for an hour ago');
  const duration = (text: string): number => readDuration(text) ?? refuse('a duration such as 30s or 1m30s');
  const command = program
    .command('query')
    .description('ask a metric store, at one instant or over a time; may be used while the bot runs')
    .argument('<file>', 'the SQLite file')
    .argument('<expr>', "an expression, such as 'rate(venuekit_venue_calls_total[1m])'")
    .option('--from <time>', 'beginning of the time; without it, the instant --to alone', time)
    .option('--to <time>', 'its end', time, undefined)
    .option('--step <duration>', 'between two values; by default the time in 60 steps', duration)
    .option('--json', 'print JSON')
    .action(async (file: string, expr: string, options: QueryCommandOptions) => {
      const [{ showQuery }, { compileQuery, QuerySyntaxError }] = await Promise.all([import('./show-query.js'), import('../../query/index.js')]);
      try {
        const to = options.to ?? systemClock.now();
        if (options.from !== undefined && options.from > to) command.error('error: --from must not be after --to', { exitCode: 2 });
        if (options.step !== undefined && options.from === undefined) command.error('error: --step needs --from', { exitCode: 2 });
        end(await showQuery(file, compileQuery(expr), { ...options, to }, terminal));
      } catch (error) {
        if (error instanceof QuerySyntaxError) command.error(`error: ${error.message}`, { exitCode: 2 });
        throw error;
      }
    });
};

function refuse(expected: string): never {
  throw new InvalidArgumentError(`Expected ${expected}.`);
}
