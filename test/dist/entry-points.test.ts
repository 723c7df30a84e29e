import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryPoints, outputName, prebuilt, workers as threads } from '../../scripts/entry-points.js';
import { sizeOf, specifierOf as specifier, statedSizes } from '../../scripts/module-sizes.js';
import { installPacked, packTarball } from '../../scripts/packed.js';

const root = resolve(import.meta.dirname, '../..');
const subpaths = Object.keys(entryPoints);
const workers = { ...threads, ...prebuilt };
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};

let host = '';
beforeAll(() => {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing: run `npm run build` first');
  host = installPacked(packTarball());
});
afterAll(() => rmSync(host, { recursive: true, force: true }));

const runInHost = (file: string, text: string): string => {
  writeFileSync(join(host, file), text);
  return execFileSync(process.execPath, [file], { cwd: host, encoding: 'utf8' });
};

describe('the packed tarball', () => {
  it('exports exactly the entry points, each as ESM and CJS with types of its own', () => {
    expect(Object.keys(manifest.exports)).toEqual([...subpaths, ...Object.keys(workers), './package.json']);
    for (const subpath of subpaths) {
      const name = outputName(subpath);
      expect(manifest.exports[subpath]).toEqual({
        import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
        require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
      });
      for (const ending of ['js', 'cjs', 'd.ts', 'd.cts']) expect(existsSync(join(host, 'node_modules/venuekit/dist', `${name}.${ending}`)), `${name}.${ending}`).toBe(true);
    }
  });

  it.each(subpaths)('%s is imported as ESM and required as CJS, with the same names, without any optional peer', (subpath) => {
    const names = (output: string): string[] => JSON.parse(output) as string[];
    const esm = names(runInHost('probe.mjs', `import * as it from ${JSON.stringify(specifier(subpath))};\nconsole.log(JSON.stringify(Object.keys(it).sort()));`));
    const cjs = names(runInHost('probe.cjs', `console.log(JSON.stringify(Object.keys(require(${JSON.stringify(specifier(subpath))})).sort()));`));
    expect(esm.length).toBeGreaterThan(0);
    expect(cjs).toEqual(esm);
  });

  it.each(Object.keys(workers))('%s resolves to a file that a thread can run', (subpath) => {
    expect(manifest.exports[subpath]).toBe(`./dist/${outputName(subpath)}.js`);
    expect(existsSync(join(host, 'node_modules/venuekit/dist', `${outputName(subpath)}.js`))).toBe(true);
  });

  it('brings no source of a test, a bench or an example along', () => {
    const top = readdirSync(join(host, 'node_modules/venuekit'));
    expect(top.filter((name) => ['src', 'test', 'bench', 'examples', 'scripts'].includes(name))).toEqual([]);
  });

  it('works when CommonJS and ESM copies meet in one process', () => {
    const output = runInHost(
      'mixed.cjs',
      `const { VenueKitError } = require('venuekit');
       import('venuekit').then(({ isVenueKitError }) => console.log(isVenueKitError(new VenueKitError('CLOSED', 'x'), 'CLOSED')));`,
    );
    expect(output.trim()).toBe('true');
  });

  it.each([
    ['*', '.', 15],
    ['{ MetricsRegistry }', './metrics', 10],
  ])('%s of %s stays within %d kB', async (names, subpath, limitKb) => {
    expect((await sizeOf(host, specifier(subpath), names)) / 1000).toBeLessThanOrEqual(limitKb);
  });

  it('is as large as the README says, to a tenth', async () => {
    const stated = statedSizes();
    expect([...stated.keys()]).toEqual(subpaths.map(specifier));
    for (const [name, kb] of stated) {
      const measured = (await sizeOf(host, name)) / 1000;
      expect(Math.abs(measured - kb) / kb, `${name}: ${measured} kB measured, ${kb} stated; run npm run sizes`).toBeLessThan(0.1);
    }
  });
});
