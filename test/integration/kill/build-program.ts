import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const built = new Map<string, Promise<string>>();

/**
 * Makes one file of plain JavaScript of a program, named from this folder, and gives its path: a process that
 * starts in a tenth of a second leaves more of its life to be killed in. Lies under node_modules, so
 * that packages are found; removed when this process ends.
 */
export function buildProgram(file: string): Promise<string> {
  const known = built.get(file);
  if (known !== undefined) return known;
  const building = buildNow(file);
  built.set(file, building);
  return building;
}

async function buildNow(file: string): Promise<string> {
  const directory = join(ROOT, 'node_modules', '.cache', 'venuekit');
  const outfile = join(directory, `${basename(file, '.ts')}-${process.pid}.mjs`);
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
  });
  process.once('exit', () => rmSync(outfile, { force: true }));
  return outfile;
}
