import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateKit, KitModule } from '../../certification/index.js';
import { TUNING_SCHEMA } from '../../contracts/kit-tuning.js';
import { asError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import type { VenueKitOptions } from '../../kit/venue-kit.js';
import { CommandFailure } from '../terminal.js';

/** What a host says of its kit in a file. */
export interface HostFile {
  readonly options: VenueKitOptions;
  /** Its own function that makes kits, where it exports one as `createKit`. */
  readonly createKit?: CreateKit;
  readonly create?: KitModule;
}

/**
 * Reads a module whose default export is the options, or a function that makes them; or JSON of
 * options that are plain values, or what `venuekit plan --apply` has written; or the trace of a run, of which the options in force count.
 * @throws CommandFailure that says what is wrong with it
 */
export async function readHostFile(file: string): Promise<HostFile> {
  const path = resolve(file);
  if (!existsSync(path)) throw new CommandFailure(`There is no file ${file} (--options).`);
  if (isTrace(path)) return { options: await fromTrace(file, path) };
  if (extname(path) === '.json') return { options: fromJson(file, path, readFileSync(path, 'utf8')) };
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new CommandFailure(`${file} could not be loaded (--options): ${redactText(asError(error).message)}`, { cause: error });
  }
  const { default: exported, createKit } = loaded;
  const options: unknown = typeof exported === 'function' ? await (exported as () => unknown)() : exported;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new CommandFailure(`${file} must export the options of createVenueKit as its default export, or a function that makes them (--options).`);
  return {
    options,
    ...(typeof createKit === 'function' ? { createKit: createKit as CreateKit, create: { module: path } } : {}),
  };
}

function isTrace(path: string): boolean {
  const head = Buffer.alloc(64);
  const opened = openSync(path, 'r');
  try {
    readSync(opened, head);
  } finally {
    closeSync(opened);
  }
  return head.toString('latin1').startsWith('{"schema":"venuekit.trace/');
}

/** What was in force when the trace was recorded: its adapters are not in it. */
async function fromTrace(file: string, path: string): Promise<VenueKitOptions> {
  const { readTrace } = await import('../../analyzer/index.js');
  try {
    const { tuning } = await readTrace(path);
    return tuning === undefined ? {} : { tuning };
  } catch (error) {
    throw new CommandFailure(`${file} could not be read (--options): ${asError(error).message}`, { cause: error });
  }
}

function fromJson(file: string, path: string, text: string): VenueKitOptions {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${file} is no JSON (--options): ${asError(error).message}`, { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new CommandFailure(`${file} must hold an object of options (--options).`);
  // What a plan has written is read by createVenueKit itself.
  return (parsed as { readonly schema?: unknown }).schema === TUNING_SCHEMA ? { optionsFile: path } : parsed;
}
