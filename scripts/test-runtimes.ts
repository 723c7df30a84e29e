import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packTarball } from './packed.js';

/**
 * Runs test/runtimes/smoke.mjs over the packed tarball on every supported runtime, each installed
 * in a folder of its own under .cache/runtimes. `npm run test:runtimes -- node@22 bun` picks some.
 */
interface Runtime {
  readonly name: string;
  /** What to install for it. */
  readonly package: string;
  readonly command: (folder: string) => readonly [string, ...string[]];
  /** A failure is reported without failing the run. */
  readonly advisory?: true;
}

const LIMIT_MS = 180_000;
const node = (major: number): Runtime => ({
  name: `node@${major}`,
  package: `node@${major}`,
  command: (folder) => [join(folder, 'node_modules/node/bin/node')],
});
const runtimes: readonly Runtime[] = [
  node(20),
  node(22),
  node(24),
  node(26),
  { name: 'bun', package: 'bun', command: (folder) => [join(folder, 'node_modules/.bin/bun'), 'run'] },
  { name: 'deno', package: 'deno', command: (folder) => [join(folder, 'node_modules/.bin/deno'), 'run', '-A', '--no-prompt'], advisory: true },
];

const root = resolve(import.meta.dirname, '..');
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !runtimes.some((runtime) => runtime.name === name));
if (unknown !== undefined) {
  console.error(`There is no runtime "${unknown}"; choose from ${runtimes.map((runtime) => runtime.name).join(', ')}`);
  process.exit(2);
}
if (!existsSync(join(root, 'dist/index.js'))) {
  console.error('dist/ is missing: run `npm run build` first');
  process.exit(2);
}

const tarball = packTarball();
const lines: string[] = [];
const hashes = new Map<string, string>();
let failed = 0;
for (const runtime of runtimes) {
  if (asked.length > 0 && !asked.includes(runtime.name)) continue;
  const folder = join(root, '.cache/runtimes', runtime.name);
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'node_modules/venuekit'), { recursive: true, force: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  for (const file of ['smoke.mjs', 'smoke.cjs']) copyFileSync(join(root, 'test/runtimes', file), join(folder, file));
  console.error(`${runtime.name}: installing`);
  try {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', runtime.package, tarball], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: LIMIT_MS,
    });
  } catch (error) {
    lines.push(`${runtime.name}: not installed (${(error as Error).message.split('\n')[0]})`);
    failed += runtime.advisory ? 0 : 1;
    continue;
  }
  const [program, ...args] = runtime.command(folder);
  const results = ['smoke.mjs', 'smoke.cjs'].map((file) => spawnSync(program, [...args, file], { cwd: folder, encoding: 'utf8', timeout: LIMIT_MS }));
  const bad = results.find((result) => result.status !== 0);
  if (bad === undefined) {
    const hash = /log hash (\w+)/.exec(results[0]?.stdout ?? '')?.[1] ?? 'none';
    hashes.set(runtime.name, hash);
    lines.push(`${runtime.name}: ${results.map((result) => result.stdout.trim().split('\n').at(-1)).join(' · ')}`);
  } else {
    lines.push(`${runtime.name}: FAILED${runtime.advisory ? ' (advisory)' : ''}\n${(bad.error?.message ?? '') + bad.stdout + bad.stderr}`);
    failed += runtime.advisory ? 0 : 1;
  }
}
console.log(lines.join('\n'));
if (new Set(hashes.values()).size > 1) {
  console.log(`The same seed gave different logs: ${JSON.stringify(Object.fromEntries(hashes))}`);
  failed++;
}
process.exitCode = failed > 0 ? 1 : 0;
