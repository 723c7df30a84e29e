import { readdirSync } from 'node:fs';
import { nearest } from '../src/core/options.js';

/**
 * `npm run bench -- pool cache --write`: runs the named areas, or all. An area is a file
 * `bench/<area>.bench.ts` whose default export is an async function.
 */
const areas = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length));
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
for (const area of asked) {
  if (areas.includes(area)) continue;
  const near = nearest(area, areas);
  console.error(`There is no bench "${area}"${near === undefined ? '' : `; did you mean "${near}"?`} Areas: ${areas.join(', ')}`);
  process.exit(2);
}
for (const area of asked.length > 0 ? asked : areas) {
  const { default: bench } = (await import(`./${area}.bench.ts`)) as { default: () => Promise<void> };
  await bench();
}
