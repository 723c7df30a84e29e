import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type CertificationReport, certify } from '../src/certification/index.js';
import { systemClock } from '../src/core/clock.js';
import { createVenueKit } from '../src/kit/create-venue-kit.js';
import { SimulatedVenue, simulatedBroker } from '../src/testing/index.js';
import * as module from '../test/certification/mutants.js';
import { buildProgram } from '../test/integration/kill/build-program.js';

/**
 * Certifies a healthy kit on several seeds, and then each kit with a deliberate defect: the healthy one
 * must be GOLD, a defect must fail exactly the checks that it is known to fail. `--write` keeps the
 * table in docs/concepts/certification.md; `--processes 4` runs so many at a time; `--only a,b` runs some,
 * `healthy-1` among them; `--seeds 1,2,3` names the seeds of the healthy kit. `--shard 1/3 --keep-in FILE`
 * runs a third and keeps the rows, `--write-from FILE,FILE,FILE` makes the table of them.
 */
const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    processes: { type: 'string', default: '1' },
    shard: { type: 'string', default: '1/1' },
    'keep-in': { type: 'string' },
    'write-from': { type: 'string' },
  },
});
const root = resolve(import.meta.dirname, '..');
const page = join(root, 'docs/concepts/certification.md');
// Long enough for each check to say something, short enough for forty kits.
const MUTANT_DURATION_MS = 30_000;

// As plain JavaScript, so that processes that are killed start in a tenth of a second.
const processEntry = await buildProgram('../../../src/certification/kill/process.ts');
const mutantsFile = await buildProgram('../../certification/mutants.ts');
// Nor do they need the loader that this script was started with.
process.execArgv.splice(0);

interface Row {
  readonly name: string;
  readonly report: CertificationReport;
  readonly failed: readonly string[];
  readonly failedCritical: readonly string[];
}

async function certified(name: string, mutant: module.Mutant | undefined, seed: number, durationMs: number | undefined): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-mutant-'));
  const venue = new SimulatedVenue({
    fence: { maxMs: 60_000, defaultMs: 2_000 },
    visibilityLagMs: 400,
    limits: [
      { id: 'weight', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
      { id: 'orders', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
    ],
  });
  const adapter = simulatedBroker(venue);
  const create = mutant?.create === undefined ? undefined : (module as unknown as Record<string, typeof createVenueKit>)[mutant.create];
  const make = create === undefined || mutant?.isHost === false ? createVenueKit : create;
  try {
    await using kit = await make({
      broker: adapter,
      marketData: adapter,
      dataDir: join(folder, 'data'),
      notifiers: [{ name: 'desk', notify: async () => {} }],
    });
    await kit.start();
    await systemClock.sleep(1_200);
    const dashboard = mutant?.dashboard?.(kit);
    const report = await certify(kit, {
      seed,
      processEntry,
      // Many at a time, on a machine that does other things as well.
      withinMs: 900_000,
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(mutant?.create === undefined || mutant.isHostOnly === true ? {} : { create: { module: mutantsFile, export: mutant.create } }),
      ...(dashboard === undefined ? {} : { dashboard }),
    });
    await dashboard?.[Symbol.asyncDispose]();
    const all = report.categories.flatMap(({ checks }) => checks);
    const failed = all.filter(({ passed }) => !passed);
    return { name, report, failed: failed.map(({ id }) => id), failedCritical: failed.filter(({ critical }) => critical).map(({ id }) => id) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What could not be measured, since the machine was held up, says nothing of the kit: it is certified once more. */
async function certifiedInTime(...args: Parameters<typeof certified>): Promise<Row> {
  const row = await certified(...args);
  return row.report.notMeasured.length === 0 ? row : certified(...args);
}

const wrong: string[] = [];
const rows: Record<string, string> = {};
const keep = (name: string, row: string): void => {
  rows[name] = row;
  if (values['keep-in'] !== undefined) writeFileSync(values['keep-in'], JSON.stringify(rows, undefined, 1));
};
const say = (line: string): void => console.log(line);

const HEALTHY = 'healthy-';
const all = [...(values.seeds === '' ? [] : values.seeds.split(',')).map((seed) => `${HEALTHY}${seed}`), ...Object.keys(module.mutants)];
const chosen = values.only === undefined ? all : values.only.split(',');
const [shard, shards] = values.shard.split('/').map(Number) as [number, number];
const processes = Number(values.processes);
if (values['write-from'] !== undefined)
  for (const file of values['write-from'].split(',')) Object.assign(rows, JSON.parse(readFileSync(file, 'utf8')));
else if (processes > 1) await inProcesses();
else
  for (const name of chosen.filter((_, i) => i % shards === shard - 1))
    await (name.startsWith(HEALTHY) ? runHealthy(Number(name.slice(HEALTHY.length))) : runMutant(name));

/** This script again, so many times, each with a part of the work. */
async function inProcesses(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'venuekit-mutants-'));
  const parts = Array.from({ length: processes }, async (_, i) => {
    const file = join(folder, `${i}.json`);
    const args = ['--only', chosen.join(','), '--shard', `${i + 1}/${processes}`, '--keep-in', file];
    const child = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (existsSync(file)) Object.assign(rows, JSON.parse(readFileSync(file, 'utf8')));
    if (code !== 0) wrong.push(`part ${i + 1} of ${processes} ended with ${code ?? 'a signal'}`);
  });
  await Promise.all(parts);
  rmSync(folder, { recursive: true, force: true });
  if (values['keep-in'] !== undefined) writeFileSync(values['keep-in'], JSON.stringify(rows, undefined, 1));
  for (const name of chosen) if (!(name in rows)) wrong.push(`${name} was not run`);
}

async function runHealthy(seed: number): Promise<void> {
  const { report, failed } = await certifiedInTime('healthy', undefined, seed, undefined);
  say(
    `healthy, seed ${seed}: ${report.level ?? 'none'}, ${report.readiness} %, ${(report.tookMs / 1000).toFixed(1)} s${failed.length === 0 ? '' : `; failed ${failed.join(', ')}`}`,
  );
  if (report.level === 'GOLD') {
    keep(
      `${HEALTHY}${seed}`,
      `| none (seed ${seed}) | ${failed.length === 0 ? 'none' : failed.map((id) => `\`${id}\``).join(', ')} | ${measuredOf(report, failed[0])} | ${report.level ?? ''} ${report.readiness} % |`,
    );
    return;
  }
  wrong.push(`the healthy kit is ${report.level ?? 'none'} on seed ${seed}`);
  for (const { id, passed, measured } of report.categories.flatMap(({ checks }) => checks)) if (!passed) say(`    ${id}: ${measured}`);
  for (const { id, why } of report.notMeasured) say(`    ${id} was not measured: ${why}`);
}

async function runMutant(name: string): Promise<void> {
  const mutant = module.mutants[name];
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  const row = await certifiedInTime(name, mutant, 1, MUTANT_DURATION_MS);
  const { report, failed, failedCritical } = row;
  const [own, ...others] = mutant.fails;
  const missed = [own, ...others].filter((id) => !failed.includes(id));
  const unexpected = failed.filter((id) => !mutant.fails.includes(id) && mutant.mayFail?.includes(id) !== true);
  const otherCritical = failedCritical.filter((id) => id !== own && mutant.mayFail?.includes(id) !== true);
  const isRight = missed.length === 0 && unexpected.length === 0 && otherCritical.length === 0 && report.notMeasured.length === 0;
  say(
    `${isRight ? 'right' : 'WRONG'} ${name}: failed ${failed.join(', ') || 'nothing'}; ${report.level ?? 'none'} ${report.readiness} %, ${(report.tookMs / 1000).toFixed(1)} s`,
  );
  if (!isRight) {
    wrong.push(
      `${name}: missed ${missed.join(', ') || 'none'}, unexpected ${[...new Set([...unexpected, ...otherCritical])].join(', ') || 'none'}, not measured ${report.notMeasured.map(({ id, why }) => `${id} (${why})`).join(', ') || 'none'}`,
    );
    for (const { id, passed, measured } of report.categories.flatMap(({ checks }) => checks))
      if (!passed || id === own) say(`    ${id}: ${measured}`);
    // What is wrong has no place in the table.
    return;
  }
  keep(
    name,
    `| ${mutant.defect} | ${failed.map((id) => `\`${id}\`${failedCritical.includes(id) ? ' (critical)' : ''}`).join(', ')} | ${measuredOf(report, own)} | ${report.level ?? ''} ${report.readiness} % |`,
  );
}

function measuredOf(report: CertificationReport, id: string | undefined): string {
  const check = report.categories.flatMap(({ checks }) => checks).find((one) => one.id === id);
  const text = check === undefined ? '' : String(check.measured).replaceAll('|', '/');
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`;
}

if ((values.write && values.only === undefined && shards === 1) || values['write-from'] !== undefined) {
  const begin = '<!-- mutants: node --import tsx scripts/certification-mutants.ts --write -->';
  const end = '<!-- /mutants -->';
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < 0) throw new Error(`${page} has no place for the table`);
  const table = all.flatMap((name) => rows[name] ?? []).join('\n');
  writeFileSync(
    page,
    `${text.slice(0, before + begin.length)}\n| defect | checks that fail | measured | level |\n|---|---|---|---|\n${table}\n${text.slice(after)}`,
  );
}
for (const line of wrong) console.error(line);
process.exit(wrong.length === 0 ? 0 : 1);
