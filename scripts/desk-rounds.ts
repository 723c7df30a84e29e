import { parseArgs } from 'node:util';
import { runDesk } from '../test/integration/desk/desk-run.js';
import { HAS_POSTGRES } from '../test/setup/postgres-server.js';
import { HAS_REDIS } from '../test/setup/redis-server.js';

/**
 * `tsx scripts/desk-rounds.ts --minutes 10 --seed 1`: eight processes on one account, Redis and PostgreSQL of their own, one of them
 * killed every ten seconds; then the books of both sides, and the units that were sent in any window. Ends with 1 when anything is
 * doubled, orphaned or lost, or a limit was exceeded.
 */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } } });
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('--minutes must be a number above 0, --seed a whole number');
  process.exit(2);
}
if (!HAS_POSTGRES || !HAS_REDIS) {
  console.error('PostgreSQL and Redis are needed: sh scripts/install-test-services.sh');
  process.exit(2);
}

const { findings, ...counts } = await runDesk({ ms: minutes * 60_000, killEveryMs: 10_000, seed });
console.log(JSON.stringify(counts, null, 2));
for (const finding of findings.slice(0, 50)) console.error(finding);
const { duplicates, orphans, lost, wronglyFilled, overWhenSent, overAtVenue } = counts;
process.exitCode = duplicates + orphans + lost + wronglyFilled + overWhenSent + overAtVenue > 0 ? 1 : 0;
