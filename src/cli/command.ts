import type { Command as CommanderCommand } from 'commander';
import type { ExitCode, Terminal } from './terminal.js';

/**
 * One command: adds itself to the program and, when it is called, hands its exit code to `end`. What
 * is heavy it imports in its action, so that `venuekit --help` stays quick.
 */
export type Command = (program: CommanderCommand, terminal: Terminal, end: (code: ExitCode) => void) => void;
