import { defineConfig } from 'tsup';
import { command, entryPoints, outputName, workers } from './scripts/entry-points.js';

const named = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([subpath, file]) => [outputName(subpath), file]));

/**
 * Builds split ESM and its declarations. CommonJS is made from that output by scripts/build-cjs.ts:
 * tsup's own CJS with splitting turns `import()` into `require()`, which would load every optional
 * part at once.
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
  dts:
    process.env.VENUEKIT_BUILD === 'js' ? false : { entry: named(entryPoints), compilerOptions: { ignoreDeprecations: '6.0', rootDir: undefined } },
});
