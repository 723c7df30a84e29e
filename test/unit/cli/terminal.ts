import type { Terminal } from '../../../src/cli/terminal.js';

/** A terminal that keeps what is written to it. */
export function givenATerminal() {
  const output = { out: '', err: '' };
  const terminal: Terminal = {
    out: (text) => {
      output.out += text;
    },
    err: (text) => {
      output.err += text;
    },
    signal: new AbortController().signal,
  };
  return { output, terminal };
}
