import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { entryPoints, outputName } from './scripts/entry-points.js';

// Files that are started rather than imported: worker threads and the command.
const programs: Record<string, string> = {};

const entries = Object.fromEntries(Object.entries(entryPoints).map(([subpath, file]) => [outputName(subpath), file]));

/**
 * Builds split ESM and its declarations. CommonJS is made from that output by scripts/build-cjs.ts:
 * tsup's own CJS with splitting turns `import()` into `require()`, which would load every optional
 * part at once.
 */
export default defineConfig({
  entry: { ...Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file))), ...programs },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  splitting: true,
  treeshake: false,
  clean: true,
  shims: false,
  sourcemap: false,
  dts: process.env.VENUEKIT_BUILD === 'js' ? false : { compilerOptions: { ignoreDeprecations: '6.0', rootDir: undefined } },
});
