import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/random.js';
import { SqliteOrderJournal } from '../../src/stores/sqlite/order-journal.js';
import { buildProgram } from './kill/build-program.js';

const SEED = 4_711;
let directory: string;
let path: string;
let running: Appender[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-processes-'));
  path = join(directory, 'orders.db');
});
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
  rmSync(directory, { recursive: true, force: true });
});

interface Appender {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
  /** Resolves with the first line, from now on or before, that begins so. @throws when the process ends without it */
  says(beginning: string): Promise<string>;
  /** Resolves when it has been told so many times, over its whole life, that an intent was acknowledged. @throws as `says` */
  acknowledges(count: number): Promise<unknown>;
}

interface Task {
  readonly name?: string;
  readonly ttlMs?: number;
  readonly atOnce?: number;
  readonly size?: number;
  readonly restMs?: number;
}

async function givenAnAppender(task: Task = {}, wrap: (command: readonly string[]) => readonly string[] = (command) => command): Promise<Appender> {
  const program = await buildProgram('appender.ts');
  const argument = JSON.stringify({ path, name: 'bot-a', ttlMs: 60_000, atOnce: 8, size: 200, ...task });
  const [file, ...args] = wrap([process.execPath, program, argument]) as [string, ...string[]];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const waiting = new Set<() => void>();
  reader.on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const hears = <T>(what: string, find: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void appender.ended.then(() => reject(new Error(`ended without ${what}, but said: ${lines.slice(-3).join(' · ')}`)));
    });
  const appender: Appender = {
    child,
    lines,
    ended: Promise.all([once(child, 'exit'), once(reader, 'close')]),
    says: (beginning) => hears(`"${beginning}"`, () => lines.find((line) => line.startsWith(beginning))),
    acknowledges: (count) => hears(`${count} acknowledgements`, () => (acknowledgedBy(appender).length >= count ? true : undefined)),
  };
  running.push(appender);
  return appender;
}

async function kill(appender: Appender): Promise<void> {
  appender.child.kill('SIGKILL');
  await appender.ended;
}

const acknowledgedBy = ({ lines }: Appender): string[] =>
  lines.filter((line) => line.startsWith('acknowledged ')).map((line) => line.slice('acknowledged '.length));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Stopped in the middle of a write, a process keeps SQLite's own lock on the file, and nobody gets in whatever the lease says. */
async function stopBetweenWrites(appender: Appender): Promise<void> {
  for (;;) {
    appender.child.kill('SIGSTOP');
    // The state letter follows the name, which may hold anything but ends with the last bracket.
    while (!/\) T [^)]*$/.test(readFileSync(`/proc/${appender.child.pid}/stat`, 'utf8'))) await pause(1);
    if (canWrite()) return;
    appender.child.kill('SIGCONT');
    await pause(1);
  }
}

function canWrite(): boolean {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return true;
  } catch (error) {
    expect((error as Error).message).toMatch(/database is locked/);
    return false;
  } finally {
    database.close();
  }
}

async function idsIn(journal: SqliteOrderJournal): Promise<Map<string | undefined, number>> {
  const found = new Map<string | undefined, number>();
  for await (const records of journal.intents()) found.set(records[0]?.intentId, records.length);
  return found;
}

describe('the order journal between processes', () => {
  it('refuses a second process while the first one lives, naming it', async () => {
    const first = await givenAnAppender();
    await first.says('held');
    const second = await givenAnAppender({ name: 'bot-b' });
    expect(await second.says('locked')).toMatch(new RegExp(`JOURNAL_LOCKED Account main is being written by bot-a \\(process ${first.child.pid} on`));
    await expect(second.ended).resolves.toBeDefined();
    await first.says('acknowledged');
  });

  it.runIf(existsSync('/proc/self/stat'))('gives the lease of a killed process to the next one at once, sixty seconds before its end', async () => {
    const first = await givenAnAppender();
    await first.says('acknowledged');
    await kill(first);
    const second = await givenAnAppender({ name: 'bot-b' });
    await second.says('held');
    await second.says('acknowledged');
    await using journal = await SqliteOrderJournal.open({ path, readOnly: true });
    expect(await journal.leases()).toMatchObject([{ owner: 'bot-b', epoch: 2, holder: { pid: second.child.pid } }]);
  });

  it.runIf(existsSync('/proc/self/stat'))(
    'lets a standby in when a stopped process has let its time run out, and refuses that one when it wakes',
    async () => {
      // It rests in between, or a slow disk leaves no moment to stop it at.
      const first = await givenAnAppender({ ttlMs: 300, atOnce: 1, restMs: 20 });
      await first.says('acknowledged');
      await stopBetweenWrites(first);
      await pause(400);
      const second = await givenAnAppender({ name: 'bot-b' });
      await second.says('acknowledged');
      first.child.kill('SIGCONT');
      expect(await first.says('refused JOURNAL_LOCKED')).toMatch(/The lease of epoch 1 .* bot-b .* with epoch 2/);
      const mark = acknowledgedBy(first).length;
      await pause(200);
      expect(acknowledgedBy(first)).toHaveLength(mark);
    },
  );

  it('says that another process is writing when one was stopped in the middle of a write, and lets the next in when that one ends', async () => {
    const first = await givenAnAppender();
    await first.says('acknowledged');
    await kill(first);
    const stopped = new DatabaseSync(path);
    stopped.exec('BEGIN IMMEDIATE');
    const second = await givenAnAppender({ name: 'bot-b' });
    expect(await second.says('failed')).toMatch(/^failed JOURNAL .*another process is writing to it and has not finished in time/);
    stopped.close();
    const third = await givenAnAppender({ name: 'bot-c' });
    await third.says('acknowledged');
  });

  it('loses nothing that was acknowledged to processes that are killed while they write', async () => {
    const random = seededRandom(SEED);
    const acknowledged: string[] = [];
    for (let round = 0; round < 8; round++) {
      const appender = await givenAnAppender({ name: `bot-${round}`, atOnce: 20 });
      await appender.says('held');
      // By what it has done, not by time: on a slow disk it would have done nothing.
      await appender.acknowledges(Math.floor(random() * 60));
      await pause(random() * 10);
      await kill(appender);
      acknowledged.push(...acknowledgedBy(appender));
    }
    expect(acknowledged.length).toBeGreaterThan(100);
    await using journal = await SqliteOrderJournal.open({ path });
    expect(await journal.integrity()).toEqual([]);
    const found = await idsIn(journal);
    expect(acknowledged.filter((id) => found.get(id) !== 2)).toEqual([]);
  });

  it('recovers everything before the tear when the end of the log is cut off or overwritten', async () => {
    const random = seededRandom(SEED);
    const appender = await givenAnAppender({ atOnce: 1 });
    await appender.says('acknowledged bot-a-40');
    await kill(appender);
    for (let round = 0; round < 12; round++) {
      const copy = join(directory, `torn-${round}.db`);
      copyFileSync(path, copy);
      const log = readFileSync(`${path}-wal`);
      const cut = Math.floor(random() * log.length);
      if (round % 2 === 0) writeFileSync(`${copy}-wal`, log.subarray(0, cut));
      else writeFileSync(`${copy}-wal`, Buffer.concat([log.subarray(0, cut), Buffer.from(log.subarray(cut).map((byte) => byte ^ 0x5a))]));
      const outcome = await recover(copy);
      // Where the tables themselves were still in the log, what is left is an empty journal.
      const ids = [...outcome.keys()];
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, i) => `bot-a-${i}`));
      expect([...outcome.values()].every((records) => records === 2)).toBe(true);
    }
  });

  it('says what is wrong when the file itself was cut off, and gives no half of it', async () => {
    const journal = await SqliteOrderJournal.open({ path });
    const { epoch } = await journal.acquire('main', 'bot', 60_000);
    const records = Array.from({ length: 500 }, (_, i) => ({
      account: 'main',
      intentId: `i${i}`,
      at: 1,
      epoch,
      type: 'prepared',
      body: 'x'.repeat(200),
    }));
    await journal.append(records);
    await journal.close();
    truncateSync(path, Math.floor(statSync(path).size / 2));
    await expect(recover(path)).rejects.toMatchObject({ code: 'JOURNAL', message: expect.stringMatching(/damaged/) });
  });

  describe('when the disk is full', () => {
    it('refuses with a JOURNAL error, keeps running, and has everything that it acknowledged', async () => {
      // Files may not grow past 256 KiB: what the kernel then answers stands for a disk that is full.
      const appender = await givenAnAppender({ size: 2_000 }, (command) => ['bash', '-c', 'ulimit -f 256; exec "$@"', 'bash', ...command]);
      expect(await appender.says('refused')).toMatch(/^refused JOURNAL Order journal: Could not write/);
      await kill(appender);
      const acknowledged = acknowledgedBy(appender);
      expect(acknowledged.length).toBeGreaterThan(10);
      await using journal = await SqliteOrderJournal.open({ path });
      const found = await idsIn(journal);
      expect(acknowledged.filter((id) => found.get(id) !== 2)).toEqual([]);
      expect(await journal.integrity()).toEqual([]);
    });

    const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
    it.runIf(canMount)('goes on by itself once there is room again', async () => {
      // A disk of one megabyte, seen by this process alone; a file of 600 KB that goes away is the room.
      const script = `
        mount -t tmpfs -o size=1m tmpfs ${directory} && head -c 600000 /dev/zero > ${directory}/ballast || exit 1
        available() { df --output=avail ${directory} | tail -1; }
        (while [ "$(available)" -gt 16 ]; do sleep 0.05; done; sleep 0.5; rm ${directory}/ballast) > /dev/null &
        exec "$@"`;
      const appender = await givenAnAppender({ size: 1_000, atOnce: 2, ttlMs: 900 }, (command) => [
        'unshare',
        '-rm',
        'bash',
        '-c',
        script,
        'bash',
        ...command,
      ]);
      expect(await appender.says('refused')).toMatch(/^refused JOURNAL Order journal: Could not write .* the disk is full/);
      const before = acknowledgedBy(appender).length;
      await appender.acknowledges(before + 1);
      expect(appender.lines.some((line) => line.startsWith('refused JOURNAL_LOCKED'))).toBe(false);
    });
  });
});

async function recover(file: string): Promise<Map<string | undefined, number>> {
  await using journal = await SqliteOrderJournal.open({ path: file });
  const found = await idsIn(journal);
  expect(await journal.integrity()).toEqual([]);
  return found;
}
