import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isAsExpected, type Judged } from '../test/workload/planted/judge.js';
import { PLANTED } from '../test/workload/planted/planted.js';
import { table, targets } from './analytics/shared-data.js';
import { digits, publish } from './harness.js';

const SEEDS = 20;

/**
 * Whether the analyzer is right: a flaw planted for each detector, the same run without it, and the run again with the change that
 * was proposed. `--seeds=3` for a short look, `--only=ttl-too-long` for one detector; `--judged=a.ndjson,b.ndjson` makes the page of
 * what `bench/analyzer/planted-runs.ts` wrote before, where a run of all is too long for one sitting.
 */
export default async function analyzer(): Promise<void> {
  const seeds = Number(argument('--seeds') ?? SEEDS);
  const only = argument('--only');
  const ids = PLANTED.map(({ id }) => id).filter((id) => only === undefined || only.split(',').includes(id));
  const judgedBefore = argument('--judged');
  if (judgedBefore !== undefined) {
    const lines = judgedBefore.split(',').flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
    publish('analyzer', [section(lines.map((line) => JSON.parse(line) as Judged))]);
    return;
  }
  const jobs = ids.flatMap((id) => Array.from({ length: seeds }, (_, i) => ({ id, seed: i + 1 })));
  const processes = Math.max(1, Math.min(jobs.length, Number(argument('--processes') ?? os.availableParallelism())));
  const parts = Array.from({ length: processes }, (_, i) => jobs.filter((_, job) => job % processes === i));
  const judged = (await Promise.all(parts.map(inProcess))).flat();
  publish('analyzer', [section(judged)]);
}

function argument(name: string): string | undefined {
  return process.argv.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
}

async function inProcess(jobs: readonly { readonly id: string; readonly seed: number }[]): Promise<readonly Judged[]> {
  const file = fileURLToPath(new URL('./analyzer/planted-runs.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(jobs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const judged: Judged[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const one = JSON.parse(line) as Judged;
    judged.push(one);
    const moved = one.expected === undefined ? '' : `, expected ${digits(one.expected)}, moved ${digits(one.moved!)}`;
    console.error(`${one.id}, seed ${one.seed}: ${one.isFound ? 'found' : 'MISSED'}${one.isFalse ? ', FALSE' : ''}${moved}`);
  }
  if ((await ended) !== 0) throw new Error('a process that ran planted flaws has failed; its message is above');
  return judged;
}

function section(judged: readonly Judged[]): string {
  const seeds = new Set(judged.map(({ seed }) => seed)).size;
  const share = (part: readonly Judged[], whole: readonly Judged[]): number => part.length / whole.length;
  const estimated = judged.filter(({ expected }) => expected !== undefined);
  const found = share(
    judged.filter(({ isFound }) => isFound),
    judged,
  );
  const wrong = share(
    judged.filter(({ isFalse }) => isFalse),
    judged,
  );
  const others = judged.reduce((sum, one) => sum + one.others.length, 0);
  const close = share(estimated.filter(isAsExpected), estimated);
  const rows = PLANTED.filter(({ id }) => judged.some((one) => one.id === id)).map(({ id, flaw }) => {
    const those = judged.filter((one) => one.id === id);
    const known = those.filter(({ expected }) => expected !== undefined);
    const ratios = known.map(({ expected, moved }) => moved! / expected!).sort((a, b) => a - b);
    return [
      id,
      flaw,
      `${those.filter(({ isFound }) => isFound).length} of ${those.length}`,
      `${those.filter(({ isFalse }) => isFalse).length}`,
      known.length === 0 ? 'no estimate' : `${known.filter(isAsExpected).length} of ${known.length}`,
      known.length === 0 ? '–' : `${digits(ratios[0]!)} … ${digits(ratios[ratios.length >> 1]!)} … ${digits(ratios.at(-1)!)}`,
    ];
  });
  return [
    `### A flaw for each detector, over ${seeds} seeds`,
    '',
    'For each seed three runs of a kit in virtual time: with the flaw, without it, and with the flaw and the change that the analyzer proposed, made through `tuning` of `createVenueKit` (`test/workload/planted`). "Moved as estimated": what the run itself measured changed by the estimate ± 25 %; beside it the smallest, middle and largest ratio of what moved to what was estimated. False: the same detector finds something in the run without the flaw.',
    '',
    table(['detector', 'planted', 'found', 'false', 'moved as estimated', 'moved ÷ estimated'], rows),
    '',
    targets([
      { target: 'found ≥ 95 %', reached: `${(100 * found).toFixed(1)} %`, met: found >= 0.95 },
      {
        target: 'false findings ≤ 5 %',
        reached: `${(100 * wrong).toFixed(1)} %, and ${others} findings of other detectors in the runs without a flaw`,
        met: wrong <= 0.05,
      },
      { target: 'moves by the estimate ± 25 % in ≥ 80 %', reached: `${(100 * close).toFixed(1)} % of ${estimated.length}`, met: close >= 0.8 },
    ]),
    '',
  ].join('\n');
}
