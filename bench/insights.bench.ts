import { spawn } from 'node:child_process';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Hour } from './analytics/injected-hours.js';
import { table, targets } from './analytics/shared-data.js';
import { publish } from './harness.js';

const SEEDS = 50;
const MISHAPS = 0.005;

/**
 * Whether the engine's insights are right: faults injected into hours of the main job's workload, in
 * virtual time. `--seeds=5` for a short look.
 */
export default async function insights(): Promise<void> {
  const seeds = argument('--seeds') ?? SEEDS;
  const mishaps = argument('--mishaps') ?? MISHAPS;
  const processes = Math.min(seeds, Math.max(1, os.availableParallelism()));
  const hours = (await Promise.all(Array.from({ length: processes }, (_, i) => inProcess(i + 1, seeds, processes, mishaps)))).flat();
  publish('insights', [section(hours, mishaps)]);
}

function argument(name: string): number | undefined {
  const told = process.argv.find((text) => text.startsWith(`${name}=`));
  return told === undefined ? undefined : Number(told.slice(name.length + 1));
}

async function inProcess(first: number, last: number, every: number, mishaps: number): Promise<readonly Hour[]> {
  const file = fileURLToPath(new URL('./analytics/injected-hours.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...[first, last, every, mishaps].map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const hours: Hour[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const hour = JSON.parse(line) as Hour;
    hours.push(hour);
    console.error(
      `seed ${hour.seed}, ${hour.kind}: ${hour.kind === 'calm' ? '' : hour.isFound ? 'found, ' : 'MISSED, '}${hour.others.length} other insights`,
    );
  }
  if ((await ended) !== 0) throw new Error('a process that ran hours has failed; its message is above');
  return hours;
}

function section(hours: readonly Hour[], mishaps: number): string {
  const kinds = [...new Set(hours.map(({ kind }) => kind))].sort();
  const faulty = hours.filter(({ kind }) => kind !== 'calm');
  const others = hours.flatMap((hour) => hour.others.map((other) => ({ ...other, hour })));
  const recall = faulty.filter(({ isFound }) => isFound).length / faulty.length;
  const falseAnHour = others.length / hours.length;
  return [
    `### Insights on ${hours.length} simulated hours of the main job's workload`,
    '',
    `The bot of \`examples/session\` over \`simulatedBroker\` and a whole kit under \`ManualClock\` (\`test/workload\`), a strategy's look each 1.5 s, ${100 * mishaps} % of the requests spoilt all the time; one fault an hour, at a random time. Found: the right component, within 15 s.`,
    '',
    table(
      ['fault', 'hours', 'found', 'other insights'],
      kinds.map((kind) => {
        const those = hours.filter((hour) => hour.kind === kind);
        const found = kind === 'calm' ? '–' : those.filter(({ isFound }) => isFound).length;
        return [kind, those.length, found, those.reduce((sum, hour) => sum + hour.others.length, 0)];
      }),
    ),
    '',
    targets([
      { target: 'recall ≥ 95 %', reached: `${(100 * recall).toFixed(0)} %`, met: recall >= 0.95 },
      { target: 'false insights ≤ 1 an hour', reached: falseAnHour.toFixed(2), met: falseAnHour <= 1 },
    ]),
    '',
    ...(others.length === 0 ? [] : ['The other insights, all of them:', '']),
    ...others.map(({ hour, component, change, atS }) => `- seed ${hour.seed}, ${hour.kind} at ${hour.atS} s: ${component}, ${change}, at ${atS} s`),
    '',
  ].join('\n');
}
