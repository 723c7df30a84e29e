import { CommanderError, Command as Program } from 'commander';
import { isVenueKitError } from '../core/errors.js';
import type { Command } from './command.js';
import { commands } from './commands.js';
import { CommandFailure, type ExitCode, printable, type Terminal, WrongUsage } from './terminal.js';

const WRONG_USAGE = 2;

/**
 * Runs one command line and gives the exit code: 0 done, 1 failed, 2 wrong usage, where the message
 * names the option and the nearest one.
 */
export async function run(args: readonly string[], terminal: Terminal, registry: readonly Command[] = commands): Promise<number> {
  let code: ExitCode = 0;
  const program = new Program('venuekit')
    .description('Looks after what stands between a trading bot and its venue.')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  for (const add of registry) {
    add(program, terminal, (ended) => {
      code = ended;
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    for (const line of messageOf(error).split('\n')) terminal.err(`${printable(line)}\n`);
    return error instanceof WrongUsage ? WRONG_USAGE : 1;
  }
}

// Of an unexpected error the stack is what helps to find it.
function messageOf(error: unknown): string {
  if (error instanceof CommandFailure || isVenueKitError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
