import { writeSync } from 'node:fs';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';

/**
 * A process that appends intents `<name>-0`, `<name>-1`, … to the journal for as long as it lives and
 * says of each when it was acknowledged. What it says before the first: `locked <message>`, or `held`.
 */
interface AppenderTask {
  readonly path: string;
  readonly name: string;
  readonly ttlMs: number;
  readonly atOnce: number;
  /** Characters of each body. */
  readonly size: number;
  /** How long each of them rests after an intent. @defaultValue 0 */
  readonly restMs?: number;
}

function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);

const task = JSON.parse(process.argv[2] as string) as AppenderTask;
const journal = await SqliteOrderJournal.open({ path: task.path });
const lease = await journal.acquire('main', task.name, task.ttlMs).catch((error: Error) => {
  tell(`${codeOf(error) === 'JOURNAL_LOCKED' ? 'locked' : 'failed'} ${codeOf(error)} ${error.message}`);
  process.exit(1);
});
tell('held');
// A second reader of the event loop: it must go on while the disk is slow or full.
setInterval(() => void lease.renew().catch((error: unknown) => tell(`not_renewed ${codeOf(error)}`)), task.ttlMs / 3);

let next = 0;
await Promise.all(
  Array.from({ length: task.atOnce }, async () => {
    for (;;) {
      const intentId = `${task.name}-${next++}`;
      const record = { account: 'main', intentId, at: 1_000, epoch: lease.epoch, type: 'prepared', body: 'x'.repeat(task.size) };
      try {
        await journal.append([record, { ...record, type: 'sending' }]);
        tell(`acknowledged ${intentId}`);
        if (task.restMs !== undefined) await new Promise((resolve) => setTimeout(resolve, task.restMs));
      } catch (error) {
        tell(`refused ${codeOf(error)} ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }),
);
