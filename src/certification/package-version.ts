import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The version of the package that this module belongs to; 'unknown' in a host that was bundled. */
export function packageVersion(): string {
  const here = import.meta.url ?? (typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined);
  if (here === undefined || !here.startsWith('file:')) return 'unknown';
  for (let folder = dirname(fileURLToPath(here)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string; readonly version?: string };
    return name === 'venuekit' && version !== undefined ? version : 'unknown';
  }
  return 'unknown';
}
