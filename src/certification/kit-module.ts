import { pathToFileURL } from 'node:url';
import { asError, VenueKitError } from '../core/errors.js';
import { requireKnown, requireObject, requireText } from '../core/options.js';
import type { VenueKit, VenueKitOptions } from '../kit/venue-kit.js';

/** Makes a kit as the host does, around `createVenueKit`. */
export type CreateKit = (options: VenueKitOptions) => Promise<VenueKit>;

/** Where the host's own function is found that makes its kits: a file, so that another process can find it, too. */
export interface KitModule {
  /** Path or `file:` URL. */
  readonly module: string | URL;
  /** Name of the function among the module's exports. @defaultValue 'createKit' */
  readonly export?: string;
}

/** @throws TypeError that names the option */
export function requireKitModule(given: KitModule): KitModule {
  requireKnown('create', requireObject('create', given), ['module', 'export']);
  if (!(given.module instanceof URL)) requireText('create.module', given.module);
  if (given.export !== undefined) requireText('create.export', given.export);
  return given;
}

/** @throws VenueKitError KIT_MODULE where the file can't be loaded or has no such function */
export async function loadCreateKit(given: KitModule | undefined): Promise<CreateKit> {
  if (given === undefined) return (await import('../kit/create-venue-kit.js')).createVenueKit;
  const url = moduleUrl(given.module);
  const name = given.export ?? 'createKit';
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new VenueKitError('KIT_MODULE', `The module ${url} could not be loaded: ${asError(error).message}`, { cause: error });
  }
  const create = loaded[name];
  if (typeof create !== 'function')
    throw new VenueKitError('KIT_MODULE', `The module ${url} exports no function ${name} that makes a kit (create.export).`);
  return create as CreateKit;
}

export const moduleUrl = (module: string | URL): string =>
  module instanceof URL ? module.href : module.startsWith('file:') ? module : pathToFileURL(module).href;
