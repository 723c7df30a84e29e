import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Speed, measured so that it can be believed: contenders run interleaved in one process, several
 * rounds, and what counts is the median and the ratio to the floor and to the best peer, since
 * absolute times drift with the machine.
 */

/** One way to do the work. `run` does it `iterations` times and returns something that depends on the results, so that none of it is dead code. */
export interface Contender {
  readonly name: string;
  /** `floor`: the least that the work can cost; `ours`; `peer`: another library. */
  readonly role: 'floor' | 'ours' | 'peer';
  run(iterations: number): unknown | Promise<unknown>;
}

export interface Measured {
  readonly name: string;
  readonly role: Contender['role'];
  /** Median over rounds, nanoseconds an operation. */
  readonly nsPerOp: number;
  readonly minNs: number;
  readonly maxNs: number;
}

export interface Comparison {
  readonly title: string;
  readonly measured: readonly Measured[];
  /** Targets and what was reached, in words, e.g. `≤ 3× floor`. */
  readonly targets: readonly { readonly target: string; readonly reached: string; readonly met: boolean }[];
}

export interface CompareOptions {
  /** @defaultValue 7 */
  readonly rounds?: number;
  /** Wall time that one round of one contender should take. @defaultValue 60 */
  readonly roundMs?: number;
  /** Largest count of iterations in a round, for work that piles up memory. */
  readonly maxIterations?: number;
  /**
   * `processor`: the time that this process had a processor, the collector's and the compiler's threads included, so that what else
   * the machine does is not counted. For work that never waits. @defaultValue 'wall'
   */
  readonly time?: 'wall' | 'processor';
  /** Reads the medians and says which targets were met. */
  readonly targets?: (ns: (name: string) => number) => readonly { target: string; reached: string; met: boolean }[];
}

let sink: unknown;

/** Runs the contenders interleaved and gives their medians. */
export async function compare(title: string, contenders: readonly Contender[], options: CompareOptions = {}): Promise<Comparison> {
  const { rounds = 7, roundMs = 60, maxIterations = 50_000_000, targets } = options;
  const clock = CLOCKS[options.time ?? 'wall'];
  const iterations = new Map<Contender, number>();
  for (const contender of contenders) iterations.set(contender, await calibrate(contender, roundMs, maxIterations, clock));
  const samples = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    // Another order each round: whoever runs after the garbage collector's victim must not always be the same.
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) {
      const count = iterations.get(contender) as number;
      samples.get(contender)?.push((await time(contender, count, clock)) / count);
    }
  }
  const measured = contenders.map((contender): Measured => {
    const sorted = (samples.get(contender) as number[]).sort((a, b) => a - b);
    return {
      name: contender.name,
      role: contender.role,
      nsPerOp: sorted[sorted.length >> 1] as number,
      minNs: sorted[0] as number,
      maxNs: sorted[sorted.length - 1] as number,
    };
  });
  const ns = (name: string): number => {
    const found = measured.find((m) => m.name === name);
    if (found === undefined) throw new Error(`no contender named ${name} in "${title}"`);
    return found.nsPerOp;
  };
  return { title, measured, targets: targets?.(ns) ?? [] };
}

/** Nanoseconds of an arbitrary origin. */
type BenchClock = () => number;

const CLOCKS: Readonly<Record<'wall' | 'processor', BenchClock>> = {
  wall: () => Number(process.hrtime.bigint()),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  },
};

// What is not optimised yet, or was held up while it was first run, would get so few iterations that it never is: it is looked at again.
const LOOKS = 3;

async function calibrate(contender: Contender, roundMs: number, maxIterations: number, clock: BenchClock): Promise<number> {
  const inRound = (count: number, elapsedMs: number): number =>
    Math.max(1, Math.min(maxIterations, Math.round((count * roundMs) / Math.max(elapsedMs, 1e-3))));
  let count = 1;
  for (;;) {
    const elapsedMs = (await time(contender, count, clock)) / 1e6;
    if (elapsedMs >= roundMs / 4 || count >= maxIterations) {
      count = inRound(count, elapsedMs);
      break;
    }
    count = Math.min(maxIterations, count * 4);
  }
  for (let look = 1; look < LOOKS; look++) count = Math.max(count, inRound(count, (await time(contender, count, clock)) / 1e6));
  return count;
}

async function time(contender: Contender, count: number, clock: BenchClock): Promise<number> {
  const start = clock();
  const result = contender.run(count);
  sink = result instanceof Promise ? await result : result;
  return clock() - start;
}

/** The comparison as a Markdown table with ratios to the floor and to the best peer. */
export function toMarkdown({ title, measured, targets }: Comparison): string {
  const floor = measured.find((m) => m.role === 'floor')?.nsPerOp;
  const bestPeer = Math.min(...measured.filter((m) => m.role === 'peer').map((m) => m.nsPerOp));
  const lines = [`### ${title}`, '', '| | ns/op | min – max | × floor | × best peer |', '|---|---:|---:|---:|---:|'];
  for (const m of [...measured].sort((a, b) => a.nsPerOp - b.nsPerOp)) {
    const name = m.role === 'ours' ? `**${m.name}**` : m.name;
    const toFloor = floor === undefined ? '' : digits(m.nsPerOp / floor);
    const toPeer = Number.isFinite(bestPeer) ? digits(m.nsPerOp / bestPeer) : '';
    lines.push(`| ${name} | ${digits(m.nsPerOp)} | ${digits(m.minNs)} – ${digits(m.maxNs)} | ${toFloor} | ${toPeer} |`);
  }
  if (targets.length > 0) {
    lines.push('', '| target | reached | |', '|---|---|---|');
    for (const { target, reached, met } of targets) lines.push(`| ${target} | ${reached} | ${met ? 'met' : 'MISSED'} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** Three significant digits, plain. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(6, 2 - magnitude)));
}

/** Markdown from a bench, with what it ran on; kept in docs/benchmarks/ when asked with `--write`. */
export function publish(area: string, sections: readonly string[]): void {
  const head = `# Benchmarks: ${area}\n\nNode ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown processor'}. \`npm run bench -- ${area}\`. Contenders interleaved in one process, median of the rounds; trust the ratios.\n`;
  const page = [head, ...sections].join('\n');
  console.log(page);
  if (!process.argv.includes('--write')) return;
  mkdirSync('docs/benchmarks', { recursive: true });
  writeFileSync(`docs/benchmarks/${area}.md`, page);
}

/** For a bench's own checksum: prints what the last timed run returned, so that it can't be optimised away. */
export function lastResult(): unknown {
  return sink;
}
