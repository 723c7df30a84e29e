import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DeskFindings, runDesk } from '../test/integration/desk/desk-run.js';
import { HAS_POSTGRES } from '../test/setup/postgres-server.js';
import { HAS_REDIS } from '../test/setup/redis-server.js';

/**
 * `tsx scripts/desk-rounds.ts --minutes 10 --seed 1`: eight processes on one account, Redis and PostgreSQL of their own, one of them
 * killed, or stopped past its lease, every ten seconds, a ban between; then the books of both sides, the units that were sent in any
 * window, and how soon bans were obeyed and senders replaced. Ends with 1 when anything is doubled, orphaned or lost, or a target was
 * missed or not tried. `--write` keeps the page in docs/benchmarks.
 */
const PAGE = fileURLToPath(new URL('../docs/benchmarks/desk.md', import.meta.url));
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
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

const found = await runDesk({ ms: minutes * 60_000, killEveryMs: 10_000, seed, onRound: (said) => console.error(said) });
const { findings, ...counts } = found;
console.log(JSON.stringify(counts, null, 2));
for (const finding of findings.slice(0, 50)) console.error(finding);
if (values.write) writeFileSync(PAGE, pageOf(found));
process.exitCode = findings.length > 0 ? 1 : 0;

function pageOf(run: DeskFindings): string {
  const { banObeyedMs, takeoverMs, takeovers, limit, leaseMs } = run;
  const sorted = [...banObeyedMs].sort((a, b) => a - b);
  const ms = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(value < 10 ? 1 : 0));
  const times = (after: 'killed' | 'stopped'): number => takeovers.filter((one) => one.after === after).length;
  const row = (what: string, target: string, reached: number | string, isMet: boolean): string =>
    `| ${what} | ${target} | ${reached} | ${isMet ? 'met' : 'MISSED'} |`;
  const none = (what: string, count: number): string => row(what, '0', count, count === 0);
  const most = sorted.at(-1);
  return `# A desk: eight processes on one account

\`npm run desk-rounds -- --minutes ${minutes} --seed ${seed} --write\` on Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}.
One process sends, one stands by, six read for as much as a limit of ${limit.units} units in ${limit.perMs / 1_000} s allows, over a Redis and a PostgreSQL of their own.
Every ten seconds one is ended and replaced, in turn: the sender killed, the sender stopped past its lease of ${leaseMs / 1_000} s
and woken when another leads, a reader killed, another reader killed. Five seconds after each the venue bans everybody, and tells one process.

${run.killed} processes ended, ${run.intents} orders placed, ${run.venueOrders} of them at the venue, ${run.requests} requests.

| | target | reached | |
|---|---|---:|---|
${none('orders doubled', run.duplicates)}
${none('orders at the venue that the journal does not know', run.orphans)}
${none('orders lost', run.lost)}
${none('orders whose fills are not those of the venue', run.wronglyFilled)}
${row('most units in any window, as sent', `≤ ${limit.units}`, run.mostInAWindow, run.mostInAWindow <= limit.units)}
${row(`most units at the venue, in any window shorter by the spread of the ways there (${run.spreadMs} ms)`, `≤ ${limit.units}`, run.mostAtVenue, run.mostAtVenue <= limit.units)}
${row(`last request of any process after one was told of a ban, ${banObeyedMs.length} bans: p50 ${ms(sorted[sorted.length >> 1])} ms, most`, '≤ 50 ms', `${ms(most)} ms`, most !== undefined && most <= 50)}
${row(`longest takeover from a killed sender, ${times('killed')} times`, '≤ lease + 2 s', `${ms(takeoverMs.killed)} ms`, takeoverMs.killed <= leaseMs + 2_000)}
${row(`longest takeover from a stopped sender, ${times('stopped')} times`, '≤ lease + 2 s', `${ms(takeoverMs.stopped)} ms`, takeoverMs.stopped <= leaseMs + 2_000)}

A takeover ends when the new sender has reconciled and takes orders. A sender that was killed on the same host is known to be dead, and its lease need not run out.
${run.findings.length === 0 ? '' : `\nWhat was wrong:\n\n${run.findings.map((finding) => `- ${finding}`).join('\n')}\n`}`;
}
