import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import fastq from 'fastq';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import { systemClock } from '../src/core/clock.js';
import { seededRandom } from '../src/core/random.js';
import { ParallelFetcher } from '../src/parallel/index.js';
import { ParseWorkers } from '../src/parallel/parse-workers.js';
import { type Contender, compare, digits, publish, toMarkdown } from './harness.js';

const CONCURRENCY = 12;
const BATCH = 1_000;

const echo = async (n: number): Promise<number> => n;

/** Runs `iterations` instant tasks in batches, so that a queue is at work and memory does not grow with the count. */
async function inBatches(iterations: number, add: (n: number) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let done = 0; done < iterations; done += BATCH) {
    const batch = Math.min(BATCH, iterations - done);
    const results = await Promise.all(Array.from({ length: batch }, (_, i) => add(i)));
    sum += results.length;
  }
  return sum;
}

async function instantTasks(): Promise<readonly string[]> {
  const fetcher = new ParallelFetcher({ concurrency: CONCURRENCY });
  const grouped = new ParallelFetcher({ concurrency: CONCURRENCY, groups: { bars: { concurrency: CONCURRENCY, ratePerSecond: 1e9 } } });
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const limit = pLimit(CONCURRENCY);
  const fast = fastq.promise(echo, CONCURRENCY);
  let turn = 0;
  const comparison = await compare(
    `an instant task, ${CONCURRENCY} slots, ${BATCH} queued at a time`,
    [
      { name: 'bare call', role: 'floor', run: (n) => inBatches(n, echo) },
      { name: 'venuekit', role: 'ours', run: (n) => inBatches(n, (i) => fetcher.run({ input: i, run: echo })) },
      {
        name: 'venuekit, ten priorities',
        role: 'ours',
        run: (n) => inBatches(n, (i) => fetcher.run({ input: i, run: echo, priority: ++turn % 10 })),
      },
      {
        name: 'venuekit, a group with a rate',
        role: 'ours',
        run: (n) => inBatches(n, (i) => grouped.run({ input: i, run: echo, group: 'bars' })),
      },
      { name: 'p-queue', role: 'peer', run: (n) => inBatches(n, (i) => queue.add(() => echo(i))) },
      {
        name: 'p-queue, ten priorities',
        role: 'peer',
        run: (n) => inBatches(n, (i) => queue.add(() => echo(i), { priority: ++turn % 10 })),
      },
      { name: 'p-limit', role: 'peer', run: (n) => inBatches(n, (i) => limit(echo, i)) },
      { name: 'fastq', role: 'peer', run: (n) => inBatches(n, (i) => fast.push(i)) },
    ],
    {
      targets: (ns) => {
        const ratio = ns('venuekit') / ns('p-queue');
        return [{ target: '≤ p-queue + 20 %', reached: `${digits(ratio)}×`, met: ratio <= 1.2 }];
      },
    },
  );
  const alone = await compare(
    'an instant task, one at a time',
    [
      { name: 'venuekit', role: 'ours', run: (n) => oneAtATime(n, (i) => fetcher.run({ input: i, run: echo })) },
      { name: 'p-queue', role: 'peer', run: (n) => oneAtATime(n, (i) => queue.add(() => echo(i))) },
      { name: 'p-limit', role: 'peer', run: (n) => oneAtATime(n, (i) => limit(echo, i)) },
      { name: 'fastq', role: 'peer', run: (n) => oneAtATime(n, (i) => fast.push(i)) },
    ],
    {
      targets: (ns) => {
        const ratio = ns('venuekit') / ns('p-queue');
        return [{ target: '≤ p-queue + 20 %', reached: `${digits(ratio)}×`, met: ratio <= 1.2 }];
      },
    },
  );
  await fetcher.close();
  await grouped.close();
  return [toMarkdown(comparison), toMarkdown(alone)];
}

async function oneAtATime(iterations: number, add: (n: number) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let i = 0; i < iterations; i++) sum += await add(i);
  return sum;
}

/** Share of the slots' time in which they were busy, over one batch of tasks of 5–30 ms. */
async function efficiencyTable(): Promise<string> {
  const random = seededRandom(7);
  const durations = Array.from({ length: 1_200 }, () => 5 + 25 * random());
  const rows: string[] = [];
  const targets: string[] = [];
  const measure = async (name: string, tasks: readonly number[], run: (work: (ms: number) => Promise<void>) => Promise<unknown>): Promise<number> => {
    let busy = 0;
    const start = performance.now();
    await run(async (ms) => {
      const from = performance.now();
      await new Promise((resolve) => setTimeout(resolve, ms));
      busy += performance.now() - from;
    });
    const efficiency = busy / (CONCURRENCY * (performance.now() - start));
    rows.push(`| ${name} | ${tasks.length} | ${(efficiency * 100).toFixed(1)} % |`);
    return efficiency;
  };
  const withFetcher =
    (tasks: readonly number[], hints: boolean) =>
    async (work: (ms: number) => Promise<void>): Promise<void> => {
      const fetcher = new ParallelFetcher({ concurrency: CONCURRENCY });
      await fetcher.all(tasks.map((ms) => ({ input: ms, run: work, ...(hints ? { costHintMs: ms } : {}) })));
      await fetcher.close();
    };
  const target = (name: string, reached: number, least: number): void => {
    targets.push(`| ${name} ≥ ${least} | ${reached.toFixed(3)} | ${reached >= least ? 'met' : 'MISSED'} |`);
  };

  const few = durations.slice(0, 120);
  target('1,200 tasks', await measure('**venuekit**', durations, withFetcher(durations, false)), 0.97);
  await measure('p-queue', durations, async (work) => {
    const queue = new PQueue({ concurrency: CONCURRENCY });
    await queue.addAll(durations.map((ms) => () => work(ms)));
  });
  await measure('Promise.all of 12 at a time', durations, async (work) => {
    for (let i = 0; i < durations.length; i += CONCURRENCY) await Promise.all(durations.slice(i, i + CONCURRENCY).map(work));
  });
  target('120 tasks with cost hints', await measure('**venuekit, cost hints**', few, withFetcher(few, true)), 0.95);
  await measure('**venuekit, no hints**', few, withFetcher(few, false));
  await measure('p-queue', few, async (work) => {
    const queue = new PQueue({ concurrency: CONCURRENCY });
    await queue.addAll(few.map((ms) => () => work(ms)));
  });
  return `### Efficiency: busy ÷ (${CONCURRENCY} × makespan), tasks of 5–30 ms\n\n| | tasks | efficiency |\n|---|---:|---:|\n${rows.join('\n')}\n\n| target | reached | |\n|---|---|---|\n${targets.join('\n')}\n`;
}

/** What a queued task holds, and what its order costs, as the queue grows. */
async function growth(): Promise<string> {
  const rows: string[] = [];
  for (const count of [10, 1_000, 100_000]) {
    // A short queue is over in microseconds: what a warm one costs is seen only when it is filled and emptied again and again.
    const rounds = Math.max(3, Math.ceil(20_000 / count));
    const micros = { venuekit: [] as number[], 'p-queue': [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const which of ['venuekit', 'p-queue'] as const) micros[which].push(await queueAndRun(count, which));
    }
    const median = (of: number[]): string => digits(of.sort((a, b) => a - b)[of.length >> 1] as number);
    const held = count < 1_000 ? ['–', '–'] : [await heldByQueued(count, 'venuekit'), await heldByQueued(count, 'p-queue')];
    rows.push(`| ${count.toLocaleString('en')} | ${median(micros.venuekit)} | ${held[0]} | ${median(micros['p-queue'])} | ${held[1]} |`);
  }
  return `### Queued tasks, ten priorities: what each costs and holds\n\n| queued | venuekit µs to queue and run | B held | p-queue µs | B held |\n|---:|---:|---:|---:|---:|\n${rows.join('\n')}\n\nTimes are medians of rounds that fill a paused queue and let it run empty, the two taking turns. Held: heap in use with the tasks queued, less before, over their number, after a collection.\n`;
}

interface Queues {
  readonly add: (i: number) => Promise<number>;
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

function givenPaused(which: 'venuekit' | 'p-queue'): Queues {
  if (which === 'p-queue') {
    const queue = new PQueue({ concurrency: CONCURRENCY, autoStart: false });
    return { add: (i) => queue.add(() => echo(i), { priority: i % 10 }), start: () => void queue.start(), close: async () => {} };
  }
  const fetcher = new ParallelFetcher({ concurrency: CONCURRENCY });
  fetcher.pause();
  return { add: (i) => fetcher.run({ input: i, run: echo, priority: i % 10 }), start: () => fetcher.resume(), close: () => fetcher.close() };
}

async function queueAndRun(count: number, which: 'venuekit' | 'p-queue'): Promise<number> {
  const { add, start, close } = givenPaused(which);
  const results = new Array<Promise<number>>(count);
  const started = performance.now();
  for (let i = 0; i < count; i++) results[i] = add(i);
  start();
  await Promise.all(results);
  const micros = ((performance.now() - started) * 1_000) / count;
  await close();
  return micros;
}

async function heldByQueued(count: number, which: 'venuekit' | 'p-queue'): Promise<string> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { add, start, close } = givenPaused(which);
  collect();
  const before = process.memoryUsage().heapUsed;
  const results = Array.from({ length: count }, (_, i) => add(i));
  collect();
  const held = (process.memoryUsage().heapUsed - before) / count;
  start();
  await Promise.all(results);
  await close();
  return held.toFixed(0);
}

/** 1 MB to a worker and 1 MB back, transferred. */
async function workers(): Promise<string> {
  const folder = join(import.meta.dirname, '../node_modules/.venuekit-bench');
  mkdirSync(folder, { recursive: true });
  const parser = join(folder, 'parser.mjs');
  writeFileSync(parser, 'export default (bytes) => bytes;\n');
  const mover = (move: string): string => `import ${move} from '${move.toLowerCase()}';\nexport default ({ bytes }) => ${move}.move(bytes);\n`;
  writeFileSync(join(folder, 'tinypool.mjs'), mover('Tinypool'));
  writeFileSync(join(folder, 'piscina.mjs'), mover('Piscina'));
  const workerEntry = join(folder, 'worker.mjs');
  const source = readFileSync(new URL('../src/parallel/worker.ts', import.meta.url), 'utf8');
  writeFileSync(workerEntry, transformSync(source, { loader: 'ts', format: 'esm', target: 'node20' }).code);
  const fetcher = new ParallelFetcher({ workers: 1, workerEntry });
  const parsers = new ParseWorkers({ threads: 1, entry: workerEntry, logger: undefined, bus: undefined, clock: systemClock });
  const tinypool = new Tinypool({ filename: join(folder, 'tinypool.mjs'), minThreads: 1, maxThreads: 1 });
  const piscina = new Piscina({ filename: join(folder, 'piscina.mjs'), minThreads: 1, maxThreads: 1 });
  const round =
    (send: (bytes: Uint8Array) => Promise<Uint8Array>) =>
    async (n: number): Promise<number> => {
      let bytes: Uint8Array = new Uint8Array(1_000_000);
      for (let i = 0; i < n; i++) bytes = await send(bytes);
      return bytes.byteLength;
    };
  const contenders: Contender[] = [
    { name: 'venuekit parse', role: 'ours', run: round((bytes) => parsers.parse(bytes, { worker: parser }) as Promise<Uint8Array>) },
    {
      name: 'venuekit, the whole task: slot, fetch, parse',
      role: 'ours',
      run: round((input) => fetcher.run({ input, run: async (bytes: Uint8Array) => bytes, parse: { worker: parser } })),
    },
    { name: 'tinypool', role: 'peer', run: round((bytes) => tinypool.run({ bytes }, { transferList: [bytes.buffer as ArrayBuffer] })) },
    { name: 'piscina', role: 'peer', run: round((bytes) => piscina.run({ bytes }, { transferList: [bytes.buffer as ArrayBuffer] })) },
  ];
  // A thread takes hundreds of milliseconds to start: not what is measured here.
  for (const contender of contenders) await contender.run(10);
  const comparison = await compare('1 MB to a worker and back, transferred', contenders, {
    targets: (ns) => {
      const ratio = ns('venuekit parse') / ns('tinypool');
      return [{ target: '≤ tinypool + 10 %', reached: `${digits(ratio)}×`, met: ratio <= 1.1 }];
    },
  });
  await Promise.all([fetcher.close(), parsers.close(), tinypool.destroy(), piscina.destroy()]);
  rmSync(folder, { recursive: true });
  return toMarkdown(comparison);
}

export default async function fetch(): Promise<void> {
  publish('fetch', [...(await instantTasks()), await efficiencyTable(), await growth(), await workers()]);
}
