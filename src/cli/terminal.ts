/** Where a command writes. Results go to `out`, everything else – progress, hints, errors – to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal;
}

/** What a command ends with: 0 done, 1 failed or not ready. Wrong usage (2) is found before a command runs. */
export type ExitCode = 0 | 1;

/** An expected failure: its message is all that the user needs, without a stack. */
export class CommandFailure extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'CommandFailure';
  }
}

/** Wrong usage that shows only once the command has looked at its file. */
export class WrongUsage extends CommandFailure {}

/**
 * Text for a terminal: what comes from a file or a venue must not move the cursor or set colours, so
 * control characters are shown as escapes.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
