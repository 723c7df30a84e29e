import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ParallelFetcher, type ParallelFetcherOptions } from '../../../src/parallel/index.js';

// Beside the packages, so that a worker thread finds them from there.
const folder = mkdtempSync(join(import.meta.dirname, '../../../node_modules/.venuekit-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Worker threads run JavaScript: the entry as the build would ship it.
const workerEntry = join(folder, 'worker.mjs');
const source = new URL('../../../src/parallel/worker.ts', import.meta.url);
writeFileSync(workerEntry, transformSync(readFileSync(source, 'utf8'), { loader: 'ts', format: 'esm', target: 'node20' }).code);

function givenAParser(name: string, body: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, body);
  return path;
}

const doubling = givenAParser(
  'doubling',
  `import { isMainThread } from 'node:worker_threads';
   export default (bytes) => {
     const values = new Float64Array(bytes.byteLength);
     for (let i = 0; i < bytes.byteLength; i++) values[i] = bytes[i] * 2;
     return { values, isMainThread };
   };`,
);

interface Doubled {
  readonly values: Float64Array;
  readonly isMainThread: boolean;
}

const fetchers: ParallelFetcher[] = [];
afterEach(async () => {
  for (const fetcher of fetchers.splice(0)) await fetcher.close();
});

function givenAFetcher(options: ParallelFetcherOptions = {}): ParallelFetcher {
  const fetcher = new ParallelFetcher({ workers: 1, ...options });
  fetchers.push(fetcher);
  return fetcher;
}

const fetched = (bytes: Uint8Array | ArrayBuffer, worker: string | URL, minBytes?: number) => ({
  input: bytes,
  run: async (input: Uint8Array | ArrayBuffer) => input as unknown as Doubled,
  parse: { worker, ...(minBytes === undefined ? {} : { minBytes }) },
});

describe('parsing what was fetched', () => {
  it('transfers large bytes to a worker thread, and typed arrays back', async () => {
    const bytes = new Uint8Array(300_000).fill(21);
    const { values, isMainThread } = await givenAFetcher({ workerEntry }).run(fetched(bytes, doubling));
    expect(isMainThread).toBe(false);
    expect(values).toHaveLength(300_000);
    expect(values[299_999]).toBe(42);
    // Transferred, not copied: nothing is left here.
    expect(bytes.byteLength).toBe(0);
  });

  it('parses small bytes where it is, from minBytes on elsewhere', async () => {
    const fetcher = givenAFetcher({ workerEntry: pathToFileURL(workerEntry) });
    expect(await fetcher.run(fetched(new Uint8Array([1]), doubling))).toMatchObject({ isMainThread: true });
    expect(await fetcher.run(fetched(new Uint8Array([1]), doubling, 1))).toMatchObject({ isMainThread: false });
    expect(await fetcher.run(fetched(new Uint8Array(300_000), doubling, 400_000))).toMatchObject({ isMainThread: true });
  });

  it('leaves the neighbours of a small Buffer alone', async () => {
    const neighbour = Buffer.from('neighbour');
    const own = Buffer.from([7]);
    const { values } = await givenAFetcher({ workerEntry }).run(fetched(own, doubling, 1));
    expect([...values]).toEqual([14]);
    expect(neighbour.toString()).toBe('neighbour');
    expect(own[0]).toBe(7);
  });

  it('parses on the main thread with workers: 0', async () => {
    expect(await givenAFetcher({ workers: 0 }).run(fetched(new ArrayBuffer(300_000), doubling))).toMatchObject({ isMainThread: true });
  });

  it('rejects with what the parser throws, and goes on', async () => {
    const failing = givenAParser('failing', "export default () => { throw new RangeError('not a kline'); };");
    const fetcher = givenAFetcher({ workerEntry });
    await expect(fetcher.run(fetched(new Uint8Array(10), failing, 1))).rejects.toThrow('not a kline');
    await expect(fetcher.run(fetched(new Uint8Array(10), failing))).rejects.toThrow('not a kline');
    expect(await fetcher.run(fetched(new Uint8Array(10), doubling, 1))).toMatchObject({ isMainThread: false });
  });

  it('regression: a parser that called process.exit was never answered', async () => {
    const leaving = givenAParser('leaving', 'export default () => process.exit(3);');
    const leavingByName = givenAParser('leaving-by-name', "import { exit } from 'node:process'; export default async () => { await 0; exit(); };");
    const fetcher = givenAFetcher({ workerEntry });
    await expect(fetcher.run(fetched(new Uint8Array(10), leaving, 1))).rejects.toThrow('process.exit(3)');
    await expect(fetcher.run(fetched(new Uint8Array(10), leavingByName, 1))).rejects.toThrow('process.exit()');
    expect(await fetcher.run(fetched(new Uint8Array(10), doubling, 1))).toMatchObject({ isMainThread: false });
  });

  it('names a parser that is not there, and harms no other task', async () => {
    const fetcher = givenAFetcher({ workerEntry });
    const results = await fetcher.all([fetched(new Uint8Array(1), join(folder, 'missing.mjs')), fetched(new Uint8Array(1), doubling)]);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'WORKER_NOT_FOUND', message: expect.stringContaining('missing.mjs') } });
    expect(results[1]).toMatchObject({ status: 'fulfilled' });
  });

  it('parses on the main thread where threads can not load the worker file (tinypool never answers such tasks)', async () => {
    const broken = givenAParser('broken-entry', "import 'no-such-package';");
    const warnings: string[] = [];
    const silent = (): void => {};
    const logger = { debug: silent, info: silent, error: silent, warn: (_facts: object, message?: string) => void warnings.push(message ?? '') };
    const fetcher = givenAFetcher({ workerEntry: broken, logger });
    expect(await fetcher.run(fetched(new Uint8Array([21]), doubling, 1))).toMatchObject({ isMainThread: true, values: new Float64Array([42]) });
    expect(warnings).toEqual([expect.stringContaining('no worker threads')]);
  });

  it('refuses a worker entry that is not there, naming it', () => {
    expect(() => givenAFetcher({ workerEntry: join(folder, 'lost.mjs') })).toThrow(/There is no worker file at .*lost\.mjs \(workerEntry\)/);
  });

  it('says what a parser must export, and what a task must give', async () => {
    const empty = givenAParser('empty', 'export const parse = 1;');
    await expect(givenAFetcher().run(fetched(new Uint8Array(1), empty))).rejects.toThrow(/must export a function as its default/);
    await expect(givenAFetcher().run({ input: 0, run: async () => 'text', parse: { worker: doubling } })).rejects.toThrow(
      /must give bytes.*got string/,
    );
  });

  it('parses on the main thread in a host whose bundler left the worker file behind', async () => {
    const { build } = await import('esbuild');
    const bundle = join(mkdtempSync(join(tmpdir(), 'venuekit-bundled-')), 'host.mjs');
    await build({
      stdin: {
        contents: `import { ParallelFetcher } from './src/parallel/index.ts';
          const warnings = [];
          const logger = { debug() {}, info() {}, error() {}, warn: (_facts, message) => warnings.push(message) };
          export async function main(bytes, worker) {
            const fetcher = new ParallelFetcher({ logger });
            const result = await fetcher.run({ input: bytes, run: async (input) => input, parse: { worker } });
            await fetcher.close();
            return { result, warnings };
          }`,
        resolveDir: join(import.meta.dirname, '../../..'),
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile: bundle,
      banner: { js: "import { createRequire as hostRequire } from 'node:module'; const require = hostRequire(import.meta.url);" },
    });
    const host = (await import(/* @vite-ignore */ pathToFileURL(bundle).href)) as {
      main(bytes: Uint8Array, worker: string): Promise<{ result: Doubled; warnings: string[] }>;
    };
    const { result, warnings } = await host.main(new Uint8Array(300_000).fill(1), doubling);
    expect(result.isMainThread).toBe(true);
    expect(result.values[0]).toBe(2);
    expect(warnings).toEqual([expect.stringContaining('no worker threads')]);
    rmSync(join(bundle, '..'), { recursive: true, force: true });
  });
});
