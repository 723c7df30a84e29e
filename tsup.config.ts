import { defineConfig } from 'tsup';
import { command, entryPoints, outputName, workers } from './scripts/entry-points.js';

const named = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([subpath, file]) => [outputName(subpath), file]));

/**
 * Builds split ESM. Its declarations are made by scripts/build-types.ts, and CommonJS from both by
 * scripts/build-cjs.ts: tsup's own CJS with splitting turns `import()` into `require()`, which would
 * load every optional part at once.
 */
export default defineConfig({
  entry: { ...named(entryPoints), ...named(workers), cli: command },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  treeshake: false,
  clean: true,
  shims: false,
  sourcemap: false,
});
