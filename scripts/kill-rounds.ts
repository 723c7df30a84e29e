import { parseArgs } from 'node:util';
import { runKillRounds } from '../test/integration/kill/kill-rounds.js';

/**
 * `tsx scripts/kill-rounds.ts --rounds 200 --seed 1`: trading bots over one SQLite journal, each killed
 * with SIGKILL at a random moment; then the venue's books against the journal's. Ends with 1 when
 * anything is doubled, orphaned or lost.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } } });
const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error('--rounds must be a whole number of 1 or more, --seed a whole number');
  process.exit(2);
}

const startedAt = performance.now();
const audit = await runKillRounds({
  rounds,
  seed,
  onRound: ({ number, livedMs, started, placed }) => {
    if (number % 10 !== 0 && number !== rounds) return;
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.error(
      `${number}/${rounds} killed, ${placed} placed, ${seconds} s; the last lived ${livedMs} ms${started ? '' : ' and was still starting'}`,
    );
  },
});
const { findings, ...counts } = audit;
console.log(JSON.stringify({ ...counts, seconds: Math.round((performance.now() - startedAt) / 1000) }, null, 2));
for (const finding of findings.slice(0, 50)) console.error(finding);
process.exitCode = findings.length > 0 ? 1 : 0;
