import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { reportOf } from '../../../src/cli/journal/intent-report.js';
import type { VenueOrder } from '../../../src/contracts/broker.js';
import { add, compare } from '../../../src/core/decimal.js';
import { seededRandom } from '../../../src/core/random.js';
import { SqliteOrderJournal } from '../../../src/stores/sqlite/order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import type { BotTask } from './bot.js';
import { buildProgram } from './build-program.js';
import { serveBroker } from './venue-line.js';

/** How many kills, and what decides their moments and the orders. */
export interface KillRoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The longest that a bot lives. @defaultValue 1_200 */
  readonly longestLifeMs?: number;
  readonly onRound?: (round: KillRound) => void;
}

export interface KillRound {
  readonly number: number;
  readonly livedMs: number;
  /** Whether it had got through its recovery when it was killed. */
  readonly started: boolean;
  readonly placed: number;
}

/** What was found after the last recovery; the first four must be 0. */
export interface KillAudit {
  /** Second venue orders for one intent. */
  readonly duplicates: number;
  /** Venue orders that the journal does not know. */
  readonly orphans: number;
  /** Intents that were acknowledged and are not in the journal, or that are neither over nor escalated. */
  readonly lost: number;
  /** Intents whose filled quantity is not what the venue filled. */
  readonly wronglyFilled: number;
  readonly killed: number;
  readonly killedWhileStarting: number;
  readonly intents: number;
  readonly venueOrders: number;
  readonly states: Readonly<Record<string, number>>;
  /** Ids of what is wrong, for a look with `venuekit journal`. */
  readonly findings: readonly string[];
}

/**
 * Bots that trade over one SQLite journal against one venue, each killed with SIGKILL at a random
 * moment and followed by the next, at 15 % raw faults; then one that cancels what is still working,
 * and the books of the two sides compared.
 */
export async function runKillRounds(options: KillRoundsOptions): Promise<KillAudit> {
  const { rounds, seed, longestLifeMs = 1_200, onRound } = options;
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
      const highest = Math.max(-1, ...durable);
      // Some of the last are placed again, as a bot does that does not know how far it got.
      const task: BotTask = { port: line.port, journal, seed, mode: 'trade', first: Math.max(0, highest - 5) };
      const run = startBot(bot, task, durable);
      const livedMs = Math.round(random() * longestLifeMs);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, livedMs)), run.ended]);
      run.child.kill('SIGKILL');
      await run.ended;
      if (run.failure !== undefined || run.child.signalCode !== 'SIGKILL') {
        throw new Error(`round ${number} (seed ${seed}): the bot ended before it was killed: ${run.failure ?? `exit code ${run.child.exitCode}`}`);
      }
      if (!run.hasStarted) killedWhileStarting++;
      onRound?.({ number, livedMs, started: run.hasStarted, placed: Math.max(-1, ...durable) + 1 });
    }
    venue.calm();
    const last = startBot(bot, { port: line.port, journal, seed, mode: 'settle', first: 0 }, durable);
    await last.ended;
    if (last.child.exitCode !== 0) throw new Error(`the last recovery failed (seed ${seed}): ${last.failure}`);
    return { ...(await audit(venue.simulated, journal, durable)), killed: rounds, killedWhileStarting };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function givenAHostileVenue(seed: number): { readonly simulated: SimulatedVenue; readonly calm: () => void } {
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
}

function startBot(program: string, task: BotTask, durable: Set<number>): BotRun {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const run: BotRun = {
    child,
    ended: Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => {}),
    hasStarted: false,
    failure: undefined,
  };
  lines.on('line', (line) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'started') run.hasStarted = true;
    else if (word === 'durable') durable.add(Number(rest[0]));
    else run.failure = [run.failure, line].filter(Boolean).join('\n');
  });
  return run;
}

// The last bot has cancelled what was still working.
const SETTLED_STATES = new Set(['filled', 'canceled', 'expired', 'rejected', 'abandoned', 'escalated']);

/** Holds the venue's books against the journal's. */
async function audit(venue: SimulatedVenue, path: string, durable: ReadonlySet<number>): Promise<Omit<KillAudit, 'killed' | 'killedWhileStarting'>> {
  const orders = venue.orders();
  const byClientId = new Map<string, VenueOrder[]>();
  for (const order of orders) {
    const id = order.clientOrderId ?? '';
    byClientId.set(id, [...(byClientId.get(id) ?? []), order]);
  }
  const findings: string[] = [];
  const counts = { duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0 };
  const note = (kind: keyof typeof counts, what: string): void => {
    counts[kind]++;
    findings.push(`${kind}: ${what}`);
  };
  const known = new Set<string>();
  const journalled = new Set<string>();
  const states: Record<string, number> = {};

  await using journal = await SqliteOrderJournal.open({ path, readOnly: true });
  for await (const records of journal.intents()) {
    const [first, ...others] = records;
    if (first === undefined || first.type === 'halt') continue;
    const { intentId, state, view } = reportOf([first, ...others]);
    journalled.add(intentId);
    states[state] = (states[state] ?? 0) + 1;
    if (view === undefined || !SETTLED_STATES.has(state)) note('lost', `${intentId} is ${state}`);
    if (view === undefined) continue;
    for (const id of view.venueOrderIds) known.add(id);
    const atVenue = byClientId.get(view.clientOrderId) ?? [];
    for (const extra of atVenue.slice(1)) note('duplicates', `${intentId} has order ${extra.venueOrderId}, too`);
    const filled = atVenue.reduce((sum, order) => add(sum, order.filledQty), '0');
    if (compare(filled, view.filledQty) !== 0) note('wronglyFilled', `${intentId}: ${view.filledQty} here, ${filled} at the venue`);
  }
  for (const order of orders) if (!known.has(order.venueOrderId)) note('orphans', `${order.venueOrderId} (${order.clientOrderId})`);
  for (const number of durable) if (!journalled.has(`intent-${number}`)) note('lost', `intent-${number} was acknowledged`);
  return { ...counts, intents: journalled.size, venueOrders: orders.length, states, findings };
}
