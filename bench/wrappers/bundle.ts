import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * The wrappers, bundled as the package is: what loads TypeScript for the other benches names each function as it is made, which a
 * wrapper that makes a few for each call would be measured by.
 */
const bundled = fileURLToPath(new URL('../../node_modules/.cache/venuekit-bench/', import.meta.url));
const entry = (sdk: string): string => fileURLToPath(new URL(`../../src/sdk/${sdk}/index.ts`, import.meta.url));

export async function bundle(): Promise<void> {
  await build({
    entryPoints: { ccxt: entry('ccxt'), alpaca: entry('alpaca'), binance: entry('binance') },
    outdir: bundled,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
}

/** What {@link bundle} has made. */
export const loadCcxt = async () => (await import(`${bundled}ccxt.mjs`)) as typeof import('../../src/sdk/ccxt/index.js');
export const loadAlpaca = async () => (await import(`${bundled}alpaca.mjs`)) as typeof import('../../src/sdk/alpaca/index.js');
export const loadBinance = async () => (await import(`${bundled}binance.mjs`)) as typeof import('../../src/sdk/binance/index.js');
