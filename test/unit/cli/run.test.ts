import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/cli/command.js';
import { run } from '../../../src/cli/run.js';
import { CommandFailure } from '../../../src/cli/terminal.js';
import { givenATerminal } from './terminal.js';

const judge: Command = (program, terminal, end) => {
  program
    .command('judge')
    .argument('<what>')
    .option('--strict', 'be strict')
    .action(async (what: string) => {
      if (what === 'impossible') throw new CommandFailure('That can not be judged.\u001b[31m');
      if (what === 'broken') throw new TypeError('a fault of the command');
      terminal.out(`judged ${what}\n`);
      end(what === 'bad' ? 1 : 0);
    });
};

const judging = async (...args: string[]) => {
  const { output, terminal } = givenATerminal();
  const code = await run(args, terminal, [judge]);
  return { ...output, code };
};

describe('run', () => {
  it('ends with 0 when the command is done, its result on standard output alone', async () => {
    expect(await judging('judge', 'good')).toEqual({ code: 0, out: 'judged good\n', err: '' });
  });

  it('ends with 1 when the command says that it failed', async () => {
    expect(await judging('judge', 'bad')).toMatchObject({ code: 1 });
  });

  it('ends with 1 and the message alone for a failure that was foreseen, without what would colour the terminal', async () => {
    expect(await judging('judge', 'impossible')).toEqual({ code: 1, out: '', err: 'That can not be judged.\\u001b[31m\n' });
  });

  it('ends with 1 and the stack for one that was not', async () => {
    expect(await judging('judge', 'broken')).toMatchObject({ code: 1, err: expect.stringMatching(/^TypeError: a fault of the command\n +at /) });
  });

  it.each([
    ['an unknown option, suggesting the nearest', ['judge', 'good', '--strct'], /unknown option '--strct'.*--strict/s],
    ['an unknown command, suggesting the nearest', ['juge'], /unknown command 'juge'.*judge/s],
    ['a missing argument, naming it', ['judge'], /missing required argument 'what'/],
    ['one argument too many', ['judge', 'good', 'better'], /too many arguments/],
    ['nothing at all, with help', [], /Usage: venuekit/],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, out, err } = await judging(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(message);
  });

  it('ends with 0 for help, on standard output', async () => {
    expect(await judging('--help')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('judge') });
    expect(await judging('judge', '--help')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--strict') });
  });
});
