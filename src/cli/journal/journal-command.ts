import type { Command } from '../command.js';
import type { JournalCommandOptions } from './show-journal.js';

/** `venuekit journal <file>`: what an order journal holds. */
export const journalCommand: Command = (program, terminal, end) => {
  program
    .command('journal')
    .description('list the intents of an order journal with their states, attempts and evidence; may be used while the bot runs')
    .argument('<file>', 'the SQLite file')
    .option('--intent <id>', 'this intent alone, with everything that was written about it')
    .option('--account <name>', 'this account alone')
    .option('--unresolved', 'leave out what is over')
    .option('--check', 'look the whole file over for damage, too')
    .option('--json', 'print JSON')
    .action(async (file: string, options: JournalCommandOptions) => {
      const { showJournal } = await import('./show-journal.js');
      end(await showJournal(file, options, terminal));
    });
};
