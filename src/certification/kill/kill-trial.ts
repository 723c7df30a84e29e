import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { VenueOrder } from '../../contracts/broker.js';
import type { TradingPolicy } from '../../contracts/trading-policy.js';
import { onAbort, throwIfAborted } from '../../core/abort.js';
import { systemClock } from '../../core/clock.js';
import { add, compare } from '../../core/decimal.js';
import { VenueKitError } from '../../core/errors.js';
import { seededRandom } from '../../core/random.js';
import { SimulatedVenue, simulatedBroker } from '../../testing/index.js';
import { findWorkerFile } from '../../threads/find-worker-file.js';
import type { KitModule } from '../kit-module.js';
import type { TrialGround } from '../trials/trial.js';
import type { KillTask, ToldOrder } from './process.js';
import { serveBroker } from './venue-line.js';

export interface KillOptions extends Pick<TrialGround, 'options' | 'seed' | 'signal'> {
  /** In force, wherever it was given. */
  readonly policy: TradingPolicy | undefined;
  readonly create: KitModule | undefined;
  /** File of the process, for hosts that are bundled. */
  readonly processEntry: string | URL | undefined;
}

/** What real processes came to that were killed and followed by the next. */
export interface KillResult {
  readonly lives: number;
  /** Intents that a killed process was told are durable. */
  readonly durable: number;
  readonly duplicates: number;
  readonly orphans: number;
  readonly lost: number;
  readonly wronglyFilled: number;
  /** What a life said that could not start or go on. */
  readonly failure?: string;
  /** Why nothing can be said of the kit: the machine did not get as far as running it. */
  readonly heldUp?: string;
  readonly findings: readonly string[];
}

const KILLS = 3;
/** Intents that may have reached the venue before anybody was told: the last life places them again as well. */
const MARGIN = 8;
/** Until a process runs at all, which is not the kit's to decide; then until the kit has started in it. */
const ALIVE_MS = 60_000;
const START_MS = 60_000;
const SETTLE_MS = 90_000;
const LEAST_IN_A_LIFE = 5;
const LONGEST_LIFE_MS = 30_000;
const POLL_MS = 10;
const LIFE_MS = { least: 150, most: 700 };

/**
 * A process with a kit of the host's options trades over a line to a simulated venue in this one, is
 * killed with SIGKILL in the middle of it, and the next one takes over, three times; a last one tells
 * what it knows, and the venue's books are held against it.
 */
export async function runKills(options: KillOptions): Promise<KillResult> {
  const { signal, seed } = options;
  throwIfAborted(signal);
  const file = findWorkerFile({ name: 'certification-process', told: options.processEntry, from: import.meta.url });
  if (file === undefined)
    throw new VenueKitError(
      'WORKER_NOT_FOUND',
      "The file of the process that is killed was not found. A bundled host names it: certify(kit, { processEntry: 'node_modules/venuekit/dist/certification-process.js' })",
    );
  const folder = await mkdtemp(join(tmpdir(), 'venuekit-certify-'));
  const venue = new SimulatedVenue({
    seed,
    fence: { maxMs: 60_000, defaultMs: 800 },
    visibilityLagMs: 100,
    latency: { p50Ms: 2, p99Ms: 10 },
    log: 'hash',
  });
  // Answers that take long, so that kills meet orders whose answer has not come.
  const fault = venue.fault({ operation: 'place', when: 'after', kind: 'delay', ms: 60, probability: 0.3 });
  try {
    await using line = await serveBroker(simulatedBroker(venue));
    const random = seededRandom(seed + 11);
    const durable = new Set<number>();
    const { options: kit } = options;
    const isOnDisk = kit.journal === undefined ? kit.dataDir !== undefined : kit.journal.path !== undefined || options.create !== undefined;
    const task = {
      port: line.port,
      seed,
      // The host's own folder is never touched; what it is kept in, is: a folder like it, or none. A journal that was handed in and is
      // no file can only be made again by the host's own function.
      ...(isOnDisk ? { dataDir: join(folder, 'data') } : {}),
      ...(options.create === undefined ? {} : { create: { ...options.create, module: String(options.create.module) } }),
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    };
    for (let life = 1; life <= KILLS; life++) {
      const process = new Life(file, { ...task, mode: 'trade', again: [...durable].slice(-6), first: Math.max(-1, ...durable) + 1 }, durable, signal);
      const wanted = durable.size + LEAST_IN_A_LIFE;
      await process.started();
      // On a machine that is busy a life is as long as its work takes.
      const until = systemClock.monotonic() + LONGEST_LIFE_MS;
      while (process.isWell && durable.size < wanted && systemClock.monotonic() < until) await systemClock.sleep(POLL_MS, signal);
      if (process.isWell) await systemClock.sleep(LIFE_MS.least + random() * (LIFE_MS.most - LIFE_MS.least), signal);
      await process.kill();
      if (!process.isWell) return failed(life, durable.size, process);
    }
    fault[Symbol.dispose]();
    const last = new Life(
      file,
      { ...task, mode: 'settle', again: Array.from({ length: Math.max(-1, ...durable) + 1 + MARGIN }, (_, number) => number), first: 0 },
      durable,
      signal,
    );
    await last.started();
    await last.ended(SETTLE_MS);
    if (!last.isWell) return failed(KILLS + 1, durable.size, last);
    return { lives: KILLS + 1, durable: durable.size, ...audit(venue, last.told, durable) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const failed = (lives: number, durable: number, { failure, heldUp }: Life): KillResult => ({
  lives,
  durable,
  duplicates: 0,
  orphans: 0,
  lost: 0,
  wronglyFilled: 0,
  ...(failure === undefined ? {} : { failure }),
  ...(heldUp === undefined ? {} : { heldUp }),
  findings: [],
});

/** One process, from its start to its end. */
class Life {
  readonly told: ToldOrder[] = [];
  failure: string | undefined;
  heldUp: string | undefined;
  readonly #child: ChildProcess;
  readonly #over: Promise<void>;
  readonly #alive: Promise<void>;
  readonly #begun: Promise<void>;
  readonly #aborting: Disposable;

  constructor(file: string, task: KillTask, durable: Set<number>, signal: AbortSignal) {
    // A module of the host's may need what this process was started with to be loaded.
    const execArgv = task.create === undefined ? [] : process.execArgv;
    this.#child = fork(file, [JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'ignore', 'ipc'], execArgv });
    this.#aborting = onAbort(signal, () => this.#child.kill('SIGKILL'));
    const lines = createInterface({ input: this.#child.stdout! });
    const exit = once(this.#child, 'exit').then(() => {});
    const first = (...words: readonly string[]): Promise<void> =>
      new Promise((resolve) => {
        lines.on('line', (line) => {
          if (words.includes(wordOf(line))) resolve();
        });
        void exit.then(resolve);
      });
    lines.on('line', (line) => {
      const [word, rest] = [wordOf(line), line.slice(line.indexOf(' ') + 1)];
      if (word === 'durable') durable.add(Number(rest));
      else if (word === 'order') this.told.push(JSON.parse(rest) as ToldOrder);
      else if (word === 'failed') this.failure = rest;
    });
    this.#alive = first('alive', 'failed');
    this.#begun = first('started', 'failed');
    this.#over = Promise.all([exit, once(lines, 'close')]).then(() => this.#aborting[Symbol.dispose]());
  }

  get isWell(): boolean {
    return this.failure === undefined && this.heldUp === undefined;
  }

  /** Waits until its kit has started. */
  async started(): Promise<void> {
    if (await isLate(this.#alive, ALIVE_MS)) this.heldUp = `a process did not run within ${ALIVE_MS / 1000} s`;
    else if (await isLate(this.#begun, START_MS)) this.failure = `its kit did not start within ${START_MS / 1000} s`;
  }

  async ended(withinMs: number): Promise<void> {
    if (!this.isWell) return this.kill();
    if (await isLate(this.#over, withinMs)) this.failure = `it did not come to an end within ${withinMs / 1000} s`;
    await this.kill();
    if (this.failure === undefined && this.#child.exitCode !== 0) this.failure = `it ended with exit code ${this.#child.exitCode}`;
  }

  async kill(): Promise<void> {
    if (this.failure === undefined && this.#child.exitCode !== null && this.#child.exitCode !== 0)
      this.failure = `it ended by itself with exit code ${this.#child.exitCode}`;
    this.#child.kill('SIGKILL');
    await this.#over;
  }
}

const wordOf = (line: string): string => line.split(' ', 1)[0]!;

async function isLate(work: Promise<void>, ms: number): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const timer = systemClock.schedule(ms, () => resolve(true));
    void work.then(() => {
      timer[Symbol.dispose]();
      resolve(false);
    });
  });
}

const OVER: readonly string[] = ['filled', 'canceled', 'expired', 'rejected', 'abandoned'];

function audit(venue: SimulatedVenue, told: readonly ToldOrder[], durable: ReadonlySet<number>): Omit<KillResult, 'lives' | 'durable'> {
  const findings: string[] = [];
  const counts = { duplicates: 0, orphans: 0, lost: 0, wronglyFilled: 0 };
  const note = (kind: keyof typeof counts, what: string): void => {
    counts[kind]++;
    if (findings.length < 10) findings.push(`${kind}: ${what}`);
  };
  const byClientId = new Map<string, VenueOrder[]>();
  for (const order of venue.orders()) byClientId.set(order.clientOrderId ?? '', [...(byClientId.get(order.clientOrderId ?? '') ?? []), order]);
  for (const number of durable) if (!told.some((order) => order.number === number)) note('lost', `intent ${number} was durable, and nobody knows it`);
  for (const { number, clientOrderId, state, filledQty } of told) {
    const atVenue = byClientId.get(clientOrderId) ?? [];
    byClientId.delete(clientOrderId);
    for (const extra of atVenue.slice(1)) note('duplicates', `intent ${number} has order ${extra.venueOrderId}, too`);
    if (!OVER.includes(state)) note('lost', `intent ${number} is ${state}`);
    const filled = atVenue.reduce((sum, order) => add(sum, order.filledQty), '0');
    if (compare(filled, filledQty) !== 0) note('wronglyFilled', `intent ${number} has filled ${filled}, ${filledQty} here`);
  }
  for (const [id, orders] of byClientId) for (const order of orders) note('orphans', `${order.venueOrderId} (${id}) is known to nobody`);
  return { ...counts, findings };
}
