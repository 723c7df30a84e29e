import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'tsup';
import ts from 'typescript';
import { entryPoints, outputName } from './entry-points.js';

/**
 * The declarations of the entry points, into dist. Every declaration of src says its types (`isolatedDeclarations`, which
 * tsconfig.src.json holds it to), so that they are emitted without a check, which is for `npm run check:types`; tsup joins them. To have
 * tsup make them out of the sources takes several times as long.
 */
const root = resolve(import.meta.dirname, '..');
const emitted = join(root, '.cache/types');

rmSync(emitted, { recursive: true, force: true });
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const program = ts.createProgram(
  files.map((file) => join(root, 'src', file)),
  {
    ...options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    isolatedDeclarations: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'src'),
    outDir: emitted,
  },
);
const { diagnostics } = program.emit();
if (diagnostics.length > 0)
  throw new Error(
    ts.formatDiagnostics(diagnostics, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }),
  );

const entry = Object.fromEntries(
  Object.entries(entryPoints).map(([subpath, file]) => [
    outputName(subpath),
    join('.cache/types', file.slice('src/'.length).replace(/\.ts$/, '.d.ts')),
  ]),
);
await build({
  config: false,
  silent: true,
  entry,
  format: ['esm'],
  target: 'node20',
  clean: false,
  dts: { only: true, entry, compilerOptions: { ignoreDeprecations: '6.0', rootDir: undefined } },
});
