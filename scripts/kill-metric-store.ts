import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '../src/core/random.js';
import { MetricEngine } from '../src/stores/sqlite/metric-store-engine.js';
// @ts-expect-error: plain JavaScript, shared with the process that is killed
import { valueOf as expectedValue } from '../test/fixtures/metric-store-values.mjs';
import { buildStorePrograms } from '../test/setup/store-programs.js';

const valueAt = expectedValue as (id: number, t: number) => number;
const T0 = 1_704_067_200_000;
const SERIES = 200;

/** What one round found. */
export interface KillRound {
  readonly acknowledged: number;
  /** Acknowledged over all rounds, and not in the file. */
  readonly missing: number;
  readonly wrong: number;
  readonly slots: number;
  readonly integrity: string;
}

/**
 * Kills a process in the middle of writing metrics, as often as asked, and looks after each kill
 * whether everything that it had acknowledged is in the file, in chunks or in the log.
 */
export async function killWriters(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly worker: boolean;
  /** Address of the program that writes. */
  readonly writer: string;
}): Promise<readonly KillRound[]> {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-kill-'));
  const path = join(directory, 'metrics.db');
  const random = seededRandom(options.seed);
  const acknowledged: number[] = [];
  const found: KillRound[] = [];
  try {
    for (let round = 0; round < options.rounds; round++) {
      const next = acknowledged.reduce((newest, t) => Math.max(newest, t), T0 - 1000) + 60_000;
      acknowledged.push(...(await writeUntilKilled(path, next, options, random)));
      found.push(await examine(path, acknowledged));
    }
    return found;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function writeUntilKilled(
  path: string,
  first: number,
  { worker, writer }: { readonly worker: boolean; readonly writer: string },
  random: Random,
): Promise<number[]> {
  const said = `${path}.acknowledged`;
  rmSync(said, { force: true });
  const child = spawn(process.execPath, [fileURLToPath(writer), path, said, String(first), String(SERIES), worker ? 'worker' : 'inline'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // From the first acknowledged tick on; some slots are passed in that time, so that the kill meets the compaction too.
  const started = setInterval(() => {
    if ((statSync(said, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
    clearInterval(started);
    setTimeout(() => child.kill('SIGKILL'), 50 + random() * 700);
  }, 10);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(started);
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself, with ${code}`));
      // The last line may have been cut: what was not said whole was not acknowledged.
      resolve(readFileSync(said, 'utf8').split('\n').slice(0, -1).map(Number));
    });
  });
}

async function examine(path: string, acknowledged: readonly number[]): Promise<KillRound> {
  const engine = await MetricEngine.open({ path, readOnly: false });
  try {
    // Left-over slots are compacted on opening; what is there must be right before and after.
    await engine.settled();
    const integrity = String(engine.database.pragma('integrity_check'));
    const slots = Number(engine.database.prepare('SELECT count(*) AS n FROM slot').get()?.n);
    const results = await engine.query({ metric: 'm', from: 0, to: Number.MAX_SAFE_INTEGER });
    let missing = 0;
    let wrong = 0;
    for (const { labels, t, v } of results) {
      const points = new Map(Array.from(t, (at, i) => [at, v[i]]));
      for (const at of acknowledged) if (!points.has(at)) missing++;
      for (const [at, value] of points) if (!Object.is(value, valueAt(Number(labels.id), at))) wrong++;
    }
    if (results.length !== SERIES) missing += acknowledged.length * (SERIES - results.length);
    return { acknowledged: acknowledged.length, missing, wrong, slots, integrity };
  } finally {
    await engine.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rounds = Number(process.argv[2] ?? 25);
  if (!Number.isInteger(rounds) || rounds < 1) {
    console.error(`kill-metric-store: rounds must be a whole number of 1 or more, got ${process.argv[2]}`);
    process.exit(2);
  }
  let bad = 0;
  using programs = await buildStorePrograms();
  for (const worker of [true, false]) {
    const found = await killWriters({ rounds, seed: 7, worker, writer: programs.writer });
    const broken = found.filter(({ missing, wrong, integrity }) => missing > 0 || wrong > 0 || integrity !== 'ok');
    const { acknowledged = 0, slots = 0 } = found[found.length - 1] ?? {};
    console.log(
      `${worker ? 'worker' : 'calling thread'}: ${rounds} kills, ${acknowledged} ticks of ${SERIES} series acknowledged, ${slots} slots compacted, ${broken.length} rounds with losses`,
    );
    bad += broken.length;
  }
  process.exitCode = bad === 0 ? 0 : 1;
}
