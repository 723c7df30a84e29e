import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { VenueKitError } from '../../core/errors.js';

/** The subpath under which the package exports the file. */
const SUBPATH = 'venuekit/analytics-worker';

/**
 * Where the file is that the worker thread runs: the option, else beside this module as it was
 * built, else in the installed package. Undefined when it is in none of these places, as in a host
 * that was bundled, or when the sources are run.
 * @throws VenueKitError `WORKER_NOT_FOUND` when the option names a file that does not exist.
 */
export function findWorkerEntry(option: string | URL | undefined): string | undefined {
  if (option !== undefined) {
    const path = option instanceof URL || option.startsWith('file:') ? fileURLToPath(option) : resolve(option);
    if (!existsSync(path)) throw new VenueKitError('WORKER_NOT_FOUND', `There is no worker file at ${path} (workerEntry)`);
    return path;
  }
  const here = ownUrl();
  // A thread can't read TypeScript on every Node that we run on; the build of another day would not do either.
  if (here === undefined || here.endsWith('.ts')) return undefined;
  const beside = fileURLToPath(new URL('./analytics-worker.js', here));
  if (existsSync(beside)) return beside;
  try {
    return createRequire(here).resolve(SUBPATH);
  } catch {
    return undefined;
  }
}

// A build to CommonJS leaves import.meta empty, and has __filename instead.
function ownUrl(): string | undefined {
  const url: unknown = import.meta.url;
  if (typeof url === 'string') return url.startsWith('file:') ? url : undefined;
  return typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined;
}
