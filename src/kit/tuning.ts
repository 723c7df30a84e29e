import { type KitTuning, TUNING_SCHEMA } from '../contracts/kit-tuning.js';
import { VenueKitError } from '../core/errors.js';
import { requireKnown, requireObject, requireText } from '../core/options.js';
import type { VenueKitOptions } from './venue-kit.js';

const PARTS = ['policy', 'marketData', 'fetcher', 'pools'] as const satisfies readonly (keyof KitTuning)[];

/**
 * What a kit is tuned by: its own `defaults`, then `policy` and `tuning` as given, then the file.
 * @throws TypeError for a name that does not exist; VenueKitError OPTIONS_FILE for a file that can't be read
 */
export async function tuningOf({ policy, tuning, optionsFile }: VenueKitOptions, defaults: KitTuning): Promise<KitTuning> {
  if (tuning !== undefined) requireParts('tuning', tuning);
  const layers = [defaults, policy === undefined ? {} : { policy }, tuning ?? {}, optionsFile === undefined ? {} : await readTuning(optionsFile)];
  return layers.reduce(onto);
}

async function readTuning(path: string): Promise<KitTuning> {
  requireText('optionsFile', path);
  const { readFile } = await import('node:fs/promises');
  const refuse = (why: string, cause?: unknown): VenueKitError =>
    new VenueKitError('OPTIONS_FILE', `optionsFile ${path} ${why}; "venuekit plan <db> --apply ${path}" writes one`, { cause });
  let file: unknown;
  try {
    file = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw refuse(error instanceof SyntaxError ? `is no JSON: ${error.message}` : 'can not be read', error);
  }
  if (typeof file !== 'object' || file === null || (file as { schema?: unknown }).schema !== TUNING_SCHEMA)
    throw refuse(`must have the schema ${TUNING_SCHEMA}`);
  const { schema: _, ...tuning } = file as KitTuning & { readonly schema: string };
  requireParts(`optionsFile ${path}`, tuning);
  return tuning;
}

// What is in the parts is checked by those that they are for, which name each option.
function requireParts(where: string, tuning: KitTuning): void {
  requireKnown(where, requireObject(where, tuning), PARTS);
  for (const part of PARTS) if (tuning[part] !== undefined) requireObject(`${where} ${part}`, tuning[part]);
  requireKnown(`${where} marketData`, tuning.marketData ?? {}, ['kinds', 'maxEntries', 'maxBytes']);
  requireKnown(`${where} fetcher`, tuning.fetcher ?? {}, ['concurrency', 'retry', 'maxQueue', 'workers']);
  for (const [name, pool] of Object.entries(tuning.pools ?? {}))
    requireKnown(`${where} pools.${name}`, requireObject(`${where} pools.${name}`, pool), ['max', 'min', 'idleTimeoutMs', 'maxLifetimeMs']);
}

/** What `over` says, and what `base` says where it says nothing. */
function onto(base: KitTuning, over: KitTuning): KitTuning {
  const kinds = eachOf(base.marketData?.kinds, over.marketData?.kinds);
  const pools = eachOf(base.pools, over.pools);
  const marketData = { ...base.marketData, ...over.marketData, ...(kinds === undefined ? {} : { kinds }) };
  return {
    ...both('policy', base, over),
    ...both('fetcher', base, over),
    ...(base.marketData === undefined && over.marketData === undefined ? {} : { marketData }),
    ...(pools === undefined ? {} : { pools }),
  };
}

function both<K extends 'policy' | 'fetcher'>(part: K, base: KitTuning, over: KitTuning): Pick<KitTuning, K> | undefined {
  return base[part] === undefined && over[part] === undefined ? undefined : ({ [part]: { ...base[part], ...over[part] } } as Pick<KitTuning, K>);
}

function eachOf<T extends object>(
  base: Readonly<Record<string, T>> | undefined,
  over: Readonly<Record<string, T>> | undefined,
): Record<string, T> | undefined {
  if (base === undefined && over === undefined) return undefined;
  const names = new Set([...Object.keys(base ?? {}), ...Object.keys(over ?? {})]);
  return Object.fromEntries([...names].map((name) => [name, { ...base?.[name], ...over?.[name] } as T]));
}
