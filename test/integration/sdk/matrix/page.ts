import type { Case, Outcome } from './cells.js';

const TABLES = {
  place: ['Placing an order', 'Two to four kinds of orders, each at a venue of its own.'],
  cancel: ['Cancelling an order that rests', 'It is cancelled at the venue, and the caller got what the SDK gives for that.'],
  read: ['Reading a quote', 'The caller got it.'],
  composite: [
    'Replacing an order, and placing lists of orders and a trailing stop',
    'At the same time, each struck once: `order/cancelReplace`, an OCO, an OTO, an OTOCO and a trailing stop of Binance, which are nine new orders, and `order/amend/keepPriority` of an order more (ccxt has no call for that). The order that was replaced is cancelled, the one that was amended is smaller, and the caller got both halves of the one answer, each list whole, and the amended order.',
  ],
} as const;

/** The page that shows the matrix as it came out. */
export function pageOf(seen: readonly (readonly [one: Case, outcome: Outcome])[]): string {
  const sections = (Object.keys(TABLES) as (keyof typeof TABLES)[]).map((table) => {
    const [title, words] = TABLES[table];
    const inTable = seen.filter(([one]) => one.table === table);
    const sdks = [...new Set(inTable.map(([{ subject }]) => subject.name))];
    const rows = [...new Set(inTable.map(([{ row }]) => row))].map((row) => {
      const cells = sdks.map((sdk) => cellOf(inTable.filter(([one]) => one.row === row && one.subject.name === sdk).map(([, outcome]) => outcome)));
      return `| ${row} | ${cells.join(' | ')} |`;
    });
    return [`## ${title}`, '', words, '', `| | ${sdks.join(' | ')} |`, `|---|${sdks.map(() => '---|').join('')}`, ...rows, ''].join('\n');
  });
  return `${[INTRODUCTION, ...sections].join('\n')}`;
}

function cellOf(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return '–';
  const errors = [...new Set(outcomes.map(({ error }) => error))].filter((error) => error !== undefined);
  const [wanted, atVenue] = [sum(outcomes.map((one) => one.wanted)), sum(outcomes.map((one) => one.atVenue))];
  const orders = wanted === 0 ? [] : [`${wanted} → ${atVenue}`];
  return [...orders, errors.length === 0 ? '✓' : errors.join('; ')].join(' ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

const INTRODUCTION = `# Every SDK under every fault

Written by the test run (\`test/integration/sdk/matrix/sdk-matrix.test.ts\`), which fails when this page is not what came out: the real SDK packages
under \`resilient()\`, over real sockets, at the simulated venue, while one thing goes wrong.

**3 → 3** is how many orders the bot wanted, and how many are at the venue. **✓**: the caller got what the SDK gives where nothing goes wrong.
Else the SDK's own error, and what \`factsOf(error)\` says of it. **–**: the venue of that SDK knows no such thing.

A request that the network itself delivers twice is tried with orders that rest: one that is over at once gives its id free again on Binance,
and no client can keep the network from ordering twice there. The stream of own orders is the adapter's; of binance-api-node, and of
SDKs over their sockets, it is the SDK's own.
`;
