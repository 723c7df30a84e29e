import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { VenueKitError } from '../../core/errors.js';

/** Files that are built beside the package's modules: the page's, the worker's, and the fonts. */
export type AssetName = PageFile | `${PageFile}.gz` | 'dashboard-worker.js' | 'dashboard-regular.ttf' | 'dashboard-medium.ttf';

/** What a page loads. Each is packed when it is built: a first visitor does not wait for that. */
export type PageFile = 'dashboard-page.js' | 'dashboard-canvas.js' | 'dashboard-page.css';

/** Finds the built files: in the folder that the host named, beside this module, or in the installed package. */
export class DashboardAssets {
  readonly #told: string | undefined;
  readonly #read = new Map<AssetName, Promise<Buffer>>();
  #folder: string | undefined;

  /** @throws VenueKitError `ASSETS_NOT_FOUND` where the named folder has not got them */
  constructor(told: string | URL | undefined) {
    this.#told = told === undefined ? undefined : told instanceof URL || told.startsWith('file:') ? fileURLToPath(told) : resolve(told);
    if (this.#told !== undefined) this.path('dashboard-worker.js');
  }

  path(name: AssetName): string {
    this.#folder ??= this.#told ?? packageFolder();
    const path = join(this.#folder ?? '', name);
    if (this.#folder === undefined || !existsSync(path)) {
      const where = this.#folder === undefined ? 'beside this module or in an installed venuekit' : `in ${this.#folder}`;
      throw new VenueKitError(
        'ASSETS_NOT_FOUND',
        `The dashboard's file ${name} was not found ${where}. A bundled host names the folder: createDashboard({ assets: 'node_modules/venuekit/dist' })`,
      );
    }
    return path;
  }

  /** Read once. */
  read(name: AssetName): Promise<Buffer> {
    let bytes = this.#read.get(name);
    if (bytes === undefined) {
      bytes = readFile(this.path(name));
      bytes.catch(() => this.#read.delete(name));
      this.#read.set(name, bytes);
    }
    return bytes;
  }
}

function packageFolder(): string | undefined {
  const here = import.meta.url ?? (typeof __filename === 'string' ? pathToFileURL(__filename).href : undefined);
  if (here === undefined || !here.startsWith('file:')) return undefined;
  const beside = dirname(fileURLToPath(here));
  if (existsSync(join(beside, 'dashboard-worker.js'))) return beside;
  // The build of another day must not serve while the sources are run.
  if (here.endsWith('.ts')) return undefined;
  try {
    return dirname(createRequire(here).resolve('venuekit/dashboard-worker'));
  } catch {
    return undefined;
  }
}
