import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { serveBroker } from '../../../src/certification/kill/venue-line.js';
import { seededRandom } from '../../../src/core/random.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { audit, type BookAudit } from './audit.js';
import type { BotTask } from './bot.js';
import { buildProgram } from './build-program.js';

/** How many kills, and what decides their moments and the orders. */
export interface KillRoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The longest that a bot lives. @defaultValue 4_000 */
  readonly longestLifeMs?: number;
  /** Intents that every other bot has made durable at least when it is killed: on a slow machine all would die while they start. @defaultValue 0 */
  readonly leastDurable?: number;
  readonly onRound?: (round: KillRound) => void;
}

export interface KillRound {
  readonly number: number;
  readonly livedMs: number;
  /** Whether it had got through its recovery when it was killed. */
  readonly started: boolean;
  readonly placed: number;
}

/** What was found after the last recovery. */
export interface KillAudit extends BookAudit {
  readonly killed: number;
  readonly killedWhileStarting: number;
}

const AGAIN = 12;

/**
 * Bots that trade over one SQLite journal against one venue, each killed with SIGKILL at a random
 * moment and followed by the next, at 15 % raw faults; then one that cancels what is still working,
 * and the books of the two sides compared.
 */
export async function runKillRounds(options: KillRoundsOptions): Promise<KillAudit> {
  const { rounds, seed, longestLifeMs = 4_000, leastDurable = 0, onRound } = options;
  const random = seededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-kill-'));
  const journal = join(directory, 'orders.db');
  const bot = await buildProgram('bot.ts');
  const venue = givenAHostileVenue(seed);
  try {
    await using line = await serveBroker(simulatedBroker(venue.simulated));
    const durable = new Set<number>();
    let killedWhileStarting = 0;
    for (let number = 1; number <= rounds; number++) {
      const first = Math.max(-1, ...durable) + 1;
      // Some of the last are placed again, as a bot does that does not know how far it got.
      const again = [...durable].filter((earlier) => earlier >= first - AGAIN);
      const task: BotTask = { port: line.port, journal, seed, mode: 'trade', again, first };
      const run = startBot(bot, task, durable);
      // Most die young, some live long enough to see unknown outcomes proved.
      const livedMs = Math.round(random() ** 2 * longestLifeMs);
      const life = new Promise((resolve) => setTimeout(resolve, livedMs));
      await Promise.race([number % 2 === 0 ? life.then(() => run.hasMade(leastDurable)) : life, run.ended]);
      run.child.kill('SIGKILL');
      await run.ended;
      if (run.failure !== undefined || run.child.signalCode !== 'SIGKILL') {
        throw new Error(`round ${number} (seed ${seed}): the bot ended before it was killed: ${run.failure ?? `exit code ${run.child.exitCode}`}`);
      }
      if (!run.hasStarted) killedWhileStarting++;
      onRound?.({ number, livedMs, started: run.hasStarted, placed: Math.max(-1, ...durable) + 1 });
    }
    venue.calm();
    const last = startBot(bot, { port: line.port, journal, seed, mode: 'settle', again: [], first: 0 }, durable);
    await last.ended;
    if (last.child.exitCode !== 0) throw new Error(`the last recovery failed (seed ${seed}): ${last.failure}`);
    await using written = await SqliteOrderJournal.open({ path: journal, readOnly: true });
    return { ...(await audit(venue.simulated, written, intentIds(durable))), killed: rounds, killedWhileStarting };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A venue at 15 % raw faults, until it is told to be calm. */
export function givenAHostileVenue(seed: number): { readonly simulated: SimulatedVenue; readonly calm: () => void } {
  const simulated = new SimulatedVenue({
    seed,
    fence: { maxMs: 60_000, defaultMs: 500 },
    visibilityLagMs: 200,
    partialFills: true,
    latency: { p50Ms: 2, p99Ms: 15 },
    races: { cancelLosesToFill: 0.05, lateFill: 0.02 },
    log: 'hash',
  });
  const faults = [
    simulated.fault({ operation: 'place', when: 'before', kind: 'drop', probability: 0.03 }),
    simulated.fault({ operation: 'place', when: 'after', kind: 'drop', probability: 0.04 }),
    simulated.fault({ operation: 'place', when: 'after', kind: 'reset', probability: 0.03 }),
    simulated.fault({ operation: 'place', when: 'after', kind: 'status', status: 503, probability: 0.02 }),
    simulated.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 450, probability: 0.02 }),
    simulated.fault({ operation: 'place', when: 'before', kind: 'delay', ms: 700, probability: 0.01 }),
    simulated.fault({ operation: 'cancel', when: 'after', kind: 'reset', probability: 0.1 }),
    simulated.fault({ operation: 'find', when: 'after', kind: 'status', status: 502, probability: 0.1 }),
    simulated.fault({ when: 'after', kind: 'stream_gap', probability: 0.02 }),
    simulated.fault({ when: 'after', kind: 'stream_duplicate', probability: 0.05 }),
  ];
  return {
    simulated,
    calm: () => {
      for (const fault of faults) fault[Symbol.dispose]();
    },
  };
}

interface BotRun {
  readonly child: ChildProcess;
  /** Resolves when the process is gone and all that it said has been read. */
  readonly ended: Promise<void>;
  hasStarted: boolean;
  failure: string | undefined;
  /** Resolves when so many of its intents are durable. */
  hasMade(intents: number): Promise<void>;
}

function startBot(program: string, task: BotTask, durable: Set<number>): BotRun {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  let made = 0;
  let look = (): void => {};
  const run: BotRun = {
    child,
    ended: Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => {}),
    hasStarted: false,
    failure: undefined,
    hasMade: (intents) =>
      new Promise((resolve) => {
        look = () => {
          if (made >= intents) resolve();
        };
        look();
      }),
  };
  lines.on('line', (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'started') run.hasStarted = true;
    else if (word === 'durable') {
      durable.add(Number(rest[0]));
      made++;
      look();
    } else run.failure = [run.failure, line].filter(Boolean).join('\n');
  });
  return run;
}

/** The ids of intents by their numbers. */
export function intentIds(numbers: ReadonlySet<number>): ReadonlySet<string> {
  return new Set([...numbers].map((number) => `intent-${number}`));
}
