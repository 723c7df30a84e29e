import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { VenueKitError } from '../core/errors.js';

/** Which file is looked for, and from where. */
export interface WorkerFileSearch {
  /** Name of the built file without its ending, and of the package's subpath, e.g. `parallel-worker`. */
  readonly name: string;
  /** What the host said. */
  readonly told: string | URL | undefined;
  /** The asking module's `import.meta.url`; a bundle to CommonJS leaves it empty. */
  readonly from: string | undefined;
  /** The worker's source beside the asking module, where it may be started as it is while the sources are run. */
  readonly source?: string;
}

/**
 * Where the file is that a worker thread runs: as told, else beside the asking module as it was
 * built, else in the installed package. Undefined when it is in none of these places, as in a host
 * that was bundled: the work is then done inline.
 * @throws VenueKitError `WORKER_NOT_FOUND` when the host names a file that does not exist.
 */
export function findWorkerFile({ name, told, from, source }: WorkerFileSearch): string | undefined {
  if (told !== undefined) {
    const path = told instanceof URL || told.startsWith('file:') ? fileURLToPath(told) : resolve(told);
    if (!existsSync(path)) throw new VenueKitError('WORKER_NOT_FOUND', `There is no worker file at ${path} (workerEntry)`);
    return path;
  }
  const here = from ?? (typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined);
  if (here === undefined || !here.startsWith('file:')) return undefined;
  // The build of another day must not serve while the sources are run.
  if (here.endsWith('.ts')) return source === undefined ? undefined : fileURLToPath(new URL(source, here));
  const beside = fileURLToPath(new URL(`./${name}.js`, here));
  if (existsSync(beside)) return beside;
  try {
    return createRequire(here).resolve(`venuekit/${name}`);
  } catch {
    return undefined;
  }
}
