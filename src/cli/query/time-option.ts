import { InvalidArgumentError } from 'commander';
import { readTime } from './read-time.js';

/** For `--from` and `--to`: what a duration counts back from is known once the store has been opened; that it is one, now. */
export function time(text: string): string {
  if (readTime(text, 0) === undefined)
    throw new InvalidArgumentError('It must be a time as 2026-11-27T14:30Z, or how long before the newest record, as 90m.');
  return text;
}
