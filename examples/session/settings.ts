import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';

/** What the main job can be told. */
export interface Settings {
  readonly seed: number;
  /** Of each side, in seconds; both sides run at the same time. */
  readonly duration: number;
  /** Share of requests that the venue spoils, in all. */
  readonly faults: number;
  readonly symbols: readonly string[];
  readonly data: string;
  readonly out: string;
  /** Of the first served venue; the second takes the next one. 0: any free ports. */
  readonly port: number;
  /** Show the live page of the venuekit side while it runs. */
  readonly open?: boolean;
}

export const KNOWN_SYMBOLS = ['BTC/USD', 'ETH/USD', 'LTC/USD'] as const;

/** Reads the command line; wrong usage ends the process with exit code 2 and a message. */
export function readSettings(argv: readonly string[]): Settings {
  const command = new Command('npm start --')
    .description('Runs one bot twice against the same replayed venue: on the raw SDK, and through venuekit.')
    .option('--seed <number>', 'seed of faults, orders and fills', wholeNumber, 7)
    .option('--duration <seconds>', 'length of the replayed session on the clock', within(3, 600), 36)
    .option('--faults <share>', 'share of requests that fail, from 0 to 0.5', within(0, 0.5), 0.05)
    .option('--symbols <list>', `watchlist, from ${KNOWN_SYMBOLS.join(', ')}`, symbols, [...KNOWN_SYMBOLS])
    .option('--data <file>', 'the recorded session', fileURLToPath(new URL('./data/btc_session.csv.gz', import.meta.url)))
    .option('--out <folder>', 'where the reports and the metrics go', 'out')
    .option('--port <number>', 'port of the first served venue, 0 for any', within(0, 65_534), 0)
    .option('--open', 'serve the live page of the venuekit side while it runs, and print its address')
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse([...argv]);
  return command.opts<Settings>();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError(`expected a whole number of 0 or more, got ${JSON.stringify(text)}.`);
  return value;
}

function within(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most))
      throw new InvalidArgumentError(`expected a number between ${least} and ${most}, got ${JSON.stringify(text)}.`);
    return value;
  };
}

function symbols(text: string): string[] {
  const asked = text.split(',').map((symbol) => symbol.trim());
  for (const symbol of asked) {
    if (!(KNOWN_SYMBOLS as readonly string[]).includes(symbol)) {
      throw new InvalidArgumentError(`the recorded session has no ${JSON.stringify(symbol)}; it has ${KNOWN_SYMBOLS.join(', ')}.`);
    }
  }
  return [...new Set(asked)];
}
