import { parseArgs } from 'node:util';
import { runBookStream } from '../test/property/sdk/hostile-book-stream.js';

/**
 * A million messages of a hostile market stream, in virtual time: the book that was kept must be the
 * venue's at the end. `npm run soak` runs it; `--messages` and `--seed` choose another run.
 */
const { values } = parseArgs({ options: { messages: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '7' } } });
const [messages, seed] = [Number(values.messages), Number(values.seed)];
if (!Number.isSafeInteger(messages) || messages < 1) throw new RangeError(`--messages must be a whole number from 1, got ${values.messages}`);
if (!Number.isSafeInteger(seed)) throw new RangeError(`--seed must be a whole number, got ${values.seed}`);

const startedAt = performance.now();
const run = await runBookStream(seed, messages, { gap: 0.001, duplicate: 0.01, reorder: 0.002, stall: 0.001, failedSnapshot: 0.1 });
const seconds = (performance.now() - startedAt) / 1_000;
const isSame = run.seen === run.true;
process.stdout.write(
  `${run.sent} messages, ${run.lost} lost, ${run.gapsTold} gaps told, ${run.snapshots} snapshots, ${run.brokenChains} broken chains, ` +
    `${seconds.toFixed(1)} s: the book kept is ${isSame ? '' : 'NOT '}the venue's\n`,
);
process.exitCode = isSame && run.brokenChains === 0 ? 0 : 1;
