import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_TABLE as ALPACA, type ErrorRow as AlpacaRow } from '../src/sdk/alpaca/verdict.js';
import { ERROR_TABLE as BINANCE, type ErrorRow as BinanceRow } from '../src/sdk/binance/error-table.js';
import { STATUS_OF_CODE } from '../src/sdk/binance/sdks/sdk-api-node.js';
import { ERROR_TABLE as KRAKEN, type ErrorRow as KrakenRow } from '../src/sdk/kraken/verdict.js';
import { LOCAL_FAILURES, type LocalFailureRow } from '../src/sdk/shared/local-failures.js';

/**
 * Writes docs/reference/error-tables.md from the error tables. With `--check` it only compares, and fails
 * where the page is not what the code says.
 */
const PAGE = fileURLToPath(new URL('../docs/reference/error-tables.md', import.meta.url));

/** What each SDK leaves of an answer that says no, and so what the table of its venue is asked with. */
const SDKS = [
  [
    'ccxt binance',
    'Binance',
    'a class of its tree, the same for ambiguous and final answers',
    'status, headers and body of the call, kept as ccxt takes them in',
  ],
  [
    'ccxt alpaca',
    'Alpaca',
    'a class of its tree; 403 of a lack of money is an `ExchangeNotAvailable`',
    'status, headers and body of the call, kept as ccxt takes them in',
  ],
  ['ccxt kraken', 'Kraken', 'a class of its tree; what is ambiguous is a plain `ExchangeError`', 'the list of errors in the body, with HTTP 200'],
  ['Alpaca 3', 'Alpaca', 'an error of axios', '`response` of that error'],
  ['Alpaca 4', 'Alpaca', 'a class by status; `retryAfterMs` on every one', 'the response, taken at `fetch` underneath it'],
  ['@binance/connector', 'Binance', 'an error of axios', '`response` of that error'],
  [
    '@binance/spot',
    'Binance',
    'a class by status; 429 and 418 without status and headers',
    'the response, taken at the adapter of axios underneath it',
  ],
  ['binance', 'Binance', 'a plain object, no `Error`', 'its `body`, with status and headers taken at axios underneath it'],
  [
    'binance-api-node',
    'Binance',
    'an `Error` with the code alone',
    'the code, with the status that the last table here has for it; the end of a ban from its words',
  ],
] as const;

/** The page, as the code has it. */
export function errorTablesReference(): string {
  return `# What each error proves

Written from the code by \`scripts/error-tables-reference.ts\`; edit the code. A failed order is sent again only where its row, and its row alone, says that
nothing was made of it: *rejected* and *refused* are final for that sending, *refused* may be sent again once the venue lets it, *duplicate* is looked up. **Whatever
is in no row is an unknown outcome**, and so is a request without any answer, unless it never left or no connection was made. The first row that fits counts.

## What is asked, by SDK

The classes of the SDKs take no part in it. Alpaca 3 and 4 are versions of @alpacahq/alpaca-trade-api.

${table(['SDK', 'venue', 'what it throws', 'what is read'], SDKS)}
## Binance

Source: \`src/sdk/binance/error-table.ts\`. Of order calls over WebSocket it is asked with the status and error of the answer.

${table(['status', 'code', 'in the words', 'proves', 'source'], BINANCE.map(binanceCells))}
### Where binance-api-node hides the status

${table(
  ['codes', 'stands for', 'source'],
  STATUS_OF_CODE.map(({ codes: [first, last], status, source }) => [first === last ? String(first) : `${first} … ${last}`, String(status), source]),
)}
## Alpaca

Source: \`src/sdk/alpaca/verdict.ts\`.

${table(['status', 'code', 'in the words', 'proves', 'source'], ALPACA.map(alpacaCells))}
## Kraken

Source: \`src/sdk/kraken/verdict.ts\`. Of several errors the one that proves least counts.

${table(['error', 'proves', 'source'], KRAKEN.map(krakenCells))}
## What never left

Source: \`src/sdk/shared/local-failures.ts\`. Thrown by an SDK, or by what it sends with, before anything is sent, and the same again however often it is tried: the
caller gets it at once, with \`sent: 'no'\`. Everything else that never left, such as an address that is not found, is tried again. Bad arguments that an SDK
looks at before it sends (ccxt's \`ArgumentsRequired\` and \`BadSymbol\`, \`RequiredError\` of Alpaca 4 and @binance/spot, \`MissingParameterError\`
of @binance/connector, those of binance-api-node), or missing keys of @binance/spot and ccxt alpaca, never come so far: they are thrown as they are.

${table(['error', 'SDKs', '`code` of the facts', 'source'], LOCAL_FAILURES.map(localCells))}`;
}

function localCells({ sdks, code, name, message, tells, source }: LocalFailureRow): string[] {
  const quoted = (what: string, { source: words }: RegExp): string => `${what} \`${words.replaceAll('|', '\\|')}\``;
  const error = [name, code && quoted('code', code), message && quoted('words', message)].filter((one) => one !== undefined);
  return [error.join(', '), sdks, tells, source];
}

function binanceCells({ status, code, message, isItsOwn, verdict, isBan, resyncClock, source }: BinanceRow): string[] {
  const statuses = status === undefined ? 'any' : status[0] === status[1] ? String(status[0]) : `${status[0]} … ${status[1]}`;
  const proves = `${verdict}${isBan === true ? ', a ban' : ''}${resyncClock === true ? ', and the clock is asked' : ''}`;
  return [
    statuses,
    code === undefined ? (isItsOwn === true ? 'any other' : '') : String(code),
    message === undefined ? '' : `\`${message}\``,
    proves,
    source,
  ];
}

function alpacaCells({ status, code, message, verdict, source }: AlpacaRow): string[] {
  return [String(status), code === undefined ? '' : String(code), message === undefined ? '' : `\`${message.source}\``, verdict, source];
}

function krakenCells({ error, verdict, limit, isBan, resyncClock, source }: KrakenRow): string[] {
  const more = [isBan === true ? 'a ban' : '', limit === undefined ? '' : `counter: ${limit}`, resyncClock === true ? 'and the clock is asked' : ''];
  return [`\`${error.source.replaceAll('|', '\\|')}\``, [verdict, ...more.filter((one) => one !== '')].join(', '), source];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return `${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = errorTablesReference();
  if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, 'utf8') !== page) {
    console.error('docs/reference/error-tables.md is not what the code says: run `npx tsx scripts/error-tables-reference.ts` and commit it.');
    process.exitCode = 1;
  }
}
