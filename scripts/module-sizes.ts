import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { entryPoints } from './entry-points.js';
import { installPacked, packTarball } from './packed.js';

const root = resolve(import.meta.dirname, '..');
const readme = join(root, 'README.md');
const BEGIN = '<!-- sizes: npm run sizes -->';
const END = '<!-- /sizes -->';

const peers = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { peerDependencies: Record<string, string> }).peerDependencies,
);

/**
 * What a host pays for `names` of an entry point: bundled from the packed package, minified,
 * gzipped, dependencies included; what is loaded on demand is paid on demand.
 * @returns bytes
 */
export async function sizeOf(host: string, specifier: string, names = '*'): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export ${names} from ${JSON.stringify(specifier)};`, resolveDir: host },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
    outdir: 'out',
    external: peers,
    metafile: true,
    logLevel: 'silent',
  });
  const wanted = new Set<string>();
  const visit = (path: string): void => {
    if (wanted.has(path)) return;
    wanted.add(path);
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) visit(next);
  };
  visit('out/stdin.js');
  return outputFiles
    .filter((file) => [...wanted].some((path) => file.path.endsWith(path)))
    .reduce((sum, file) => sum + gzipSync(file.contents).length, 0);
}

/** The sizes that the README states, in kB by subpath. */
export function statedSizes(): Map<string, number> {
  const [, table = ''] = readFileSync(readme, 'utf8').split(BEGIN);
  return new Map([...table.split(END)[0]!.matchAll(/^\| `(venuekit[^`]*)` \|.*\| ([\d.]+) \|$/gm)].map(([, name, kb]) => [name!, Number(kb)]));
}

/** Name of the package's entry point as a host writes it. */
export const specifierOf = (subpath: string): string => (subpath === '.' ? 'venuekit' : `venuekit${subpath.slice(1)}`);

if (process.argv[1] === import.meta.filename) {
  const host = installPacked(packTarball());
  const [before = '', rest = ''] = readFileSync(readme, 'utf8').split(BEGIN);
  const [table = '', after = ''] = rest.split(END);
  const lines = table.trim().split('\n');
  for (const subpath of Object.keys(entryPoints)) {
    const name = specifierOf(subpath);
    const kb = ((await sizeOf(host, name)) / 1000).toFixed(1);
    const row = lines.findIndex((line) => line.startsWith(`| \`${name}\` |`));
    if (row < 0) throw new Error(`README.md has no row for ${name} in its table of modules`);
    lines[row] = lines[row]!.replace(/\| [^|]* \|$/, `| ${kb} |`);
    console.log(name, kb);
  }
  writeFileSync(readme, `${before}${BEGIN}\n${lines.join('\n')}\n${END}${after}`);
  rmSync(host, { recursive: true, force: true });
}
