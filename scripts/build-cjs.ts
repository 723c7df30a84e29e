import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

/**
 * Makes `.cjs` of every ES module in dist, and `.d.cts` of every declaration, chunk by chunk, so
 * that both formats are split in the same way and `import()` stays lazy in both.
 */
const dist = new URL('../dist', import.meta.url).pathname;

// What refers to a sibling in dist: `from "./x.js"`, `import("./x.js")`, `import "./x.js"`, `require("./x.js")`.
const SIBLING = /((?:from|import|require)\s*\(?\s*["'])(\.{1,2}\/[^"']+?)\.js(["'])/g;

// The command is started, never required.
const started = new Set(['cli.js']);

for (const file of readdirSync(dist)) {
  if (started.has(file)) continue;
  const path = join(dist, file);
  if (file.endsWith('.d.ts')) {
    writeFileSync(path.replace(/\.d\.ts$/, '.d.cts'), readFileSync(path, 'utf8').replace(SIBLING, '$1$2.cjs$3'));
  } else if (file.endsWith('.js')) {
    const { code } = await transform(readFileSync(path, 'utf8'), {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      supported: { 'dynamic-import': true },
      define: { 'import.meta.url': '__venuekitModuleUrl' },
    });
    const url = code.includes('__venuekitModuleUrl') ? 'const __venuekitModuleUrl = require("node:url").pathToFileURL(__filename).href;\n' : '';
    const shebang = /^#!.*\n/.exec(code)?.[0] ?? '';
    writeFileSync(path.replace(/\.js$/, '.cjs'), shebang + url + code.slice(shebang.length).replace(SIBLING, '$1$2.cjs$3'));
  }
}
