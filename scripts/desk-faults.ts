import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FaultRow, type FaultRun, runFaults } from '../test/integration/desk/fault-run.js';
import { HAS_POSTGRES } from '../test/setup/postgres-server.js';
import { HAS_REDIS } from '../test/setup/redis-server.js';

/**
 * `tsx scripts/desk-faults.ts --seconds 30`: Redis and PostgreSQL killed and restarted, and cut off, under bots that go on. Ends with 1
 * when something was not as it should be. `--write` keeps the table in docs/benchmarks.
 */
const PAGE = fileURLToPath(new URL('../docs/benchmarks/desk-faults.md', import.meta.url));
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' }, write: { type: 'boolean', default: false } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error('--seconds must be a number above 0');
  process.exit(2);
}
if (!HAS_POSTGRES || !HAS_REDIS) {
  console.error('PostgreSQL and Redis are needed: sh scripts/install-test-services.sh');
  process.exit(2);
}

const run = await runFaults({ outMs: seconds * 1_000, onFault: (row) => console.error(JSON.stringify(row)) });
const wrong = [...run.rows.flatMap(({ fault, wrong: what }) => what.map((one) => `${fault}: ${one}`)), ...run.books.findings];
console.log(tableOf(run));
for (const one of wrong) console.error(one);
if (values.write) writeFileSync(PAGE, pageOf());
process.exitCode = wrong.length > 0 ? 1 : 0;

function tableOf({ rows, limit, maxAgeMs }: FaultRun): string {
  const ms = (value: number): string => (Number.isFinite(value) ? String(Math.round(value)) : 'never');
  const refusals = ({ refused }: FaultRow): string =>
    Object.entries(refused)
      .map(([code, count]) => `${count} ${code}`)
      .join(', ') || '0';
  const head = [
    '',
    'reads (failed)',
    `oldest value given, of ${maxAgeMs} ms allowed`,
    'orders acknowledged meanwhile',
    'orders refused',
    `most units in a window of ${limit.units}`,
    `alone, of ${limit.alone} set aside`,
    'orders back after, ms',
    'shared again after, ms',
    '',
  ];
  const lines = rows.map((row) =>
    [
      row.fault,
      `${row.reads} (${row.failedReads})`,
      ms(row.oldestMs),
      row.acked,
      refusals(row),
      row.mostUnits,
      row.mostUnitsAlone ?? '–',
      ms(row.ordersBackMs),
      ms(row.sharedBackMs),
      row.wrong.length === 0 ? 'as it should be' : 'WRONG',
    ].join(' | '),
  );
  return `| ${head.join(' | ')} |\n|---|${'---:|'.repeat(head.length - 2)}---|\n${lines.map((line) => `| ${line} |`).join('\n')}`;
}

function pageOf(): string {
  const { duplicates, orphans, lost, wronglyFilled, intents, venueOrders } = run.books;
  return `# Redis and PostgreSQL away

\`npm run desk-faults -- --seconds ${seconds} --write\` on Node ${process.version}. One bot trades and reads behind wires that can be cut, another reads beside it on the
same limit; each fault lasts ${seconds} s, and no bot is restarted. A server that is cut off answers nothing and says nothing. Without Redis the
cache goes on with its first level, and orders with the share that is set aside for each process; without PostgreSQL orders are refused, and nothing is sent.

${tableOf(run)}

Then the books: ${intents} orders in the journal, ${venueOrders} at the venue, ${duplicates} doubled, ${orphans} unknown to the journal, ${lost} lost, ${wronglyFilled} with other fills than the venue's.
${wrong.length === 0 ? '' : `\nWhat was wrong:\n\n${wrong.map((one) => `- ${one}`).join('\n')}\n`}`;
}
