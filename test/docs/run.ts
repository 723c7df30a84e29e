import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assumedNames, modulesOf, ROOT } from './snippets.js';

/**
 * Runs the snippets of pages one after the other, with what test/docs/given.ts gives them, and prints what each page has printed as JSON:
 * `node --import tsx test/docs/run.ts README.md …`, in a folder that may be written to. Those that say `alone` are left out.
 */
const given = pathToFileURL(join(ROOT, 'test/docs/given.ts')).href;
const folder = join(ROOT, '.cache/docs', String(process.pid));
mkdirSync(folder, { recursive: true });
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const printed: Record<string, string[]> = {};
let lines: string[] = [];
console.log = (...values: unknown[]) => void lines.push(values.join(' '));
console.warn = console.log;

for (const page of process.argv.slice(2)) {
  lines = printed[page] = [];
  const [module] = modulesOf(readFileSync(join(ROOT, page), 'utf8'), assumedNames());
  const file = join(folder, `${basename(page, '.md')}.ts`);
  writeFileSync(file, module!.replace(/from '(?:#assumed|ccxt)'/g, `from '${given}'`));
  await import(pathToFileURL(file).href);
}
process.stdout.write(JSON.stringify(printed), () => process.exit());
