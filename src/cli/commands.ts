import { analyzeCommand } from './analyze/analyze-command.js';
import type { Command } from './command.js';
import { journalCommand } from './journal/journal-command.js';
import { queryCommand } from './query/query-command.js';
import { venueCommand } from './venue/venue-command.js';

/** Every command, in the order in which help lists them. */
export const commands: readonly Command[] = [venueCommand, journalCommand, queryCommand, analyzeCommand];
