import { requireFunction, requireInteger, requireKnown, requireMethods, requireObject, requirePositive, requireText } from '../core/options.js';
import type { Dashboard } from '../dashboard/index.js';
import { type KitModule, requireKitModule } from './kit-module.js';

/** Options of `certify`. */
export interface CertifyOptions {
  /** How long the bot of the session trades, in virtual time; 10 s of it at least. @defaultValue 120_000 */
  readonly durationMs?: number;
  /** Decides prices, orders, latencies, faults and the moments of kills. @defaultValue 1 */
  readonly seed?: number;
  /** After each check; `id` is the one that has ended. */
  readonly onProgress?: (done: number, total: number, id: string) => void;
  /** Ends the run: the report is then partial, and has no level. */
  readonly signal?: AbortSignal;
  /** The host's own function that makes kits, where it puts more around `createVenueKit` than its options say. @defaultValue createVenueKit */
  readonly create?: KitModule;
  /** Something that the host's venue trades, to ask a quote of. @defaultValue 'BTC/USDT' */
  readonly symbol?: string;
  /** The host's own, whose access is tried. @defaultValue one over the kit's store, with the defaults */
  readonly dashboard?: Dashboard;
  /** Whether the kit's notifiers are handed an alert, and its end, that say that they are a drill. @defaultValue true */
  readonly drill?: boolean;
  /**
   * The longest that all checks may take together, in real time, and half of it the longest of one: what has not come to its end then was
   * not measured, and the report has no level. More for a machine that is slow or busy. @defaultValue 175_000
   */
  readonly withinMs?: number;
  /** File of the process that is killed, for hosts that are bundled. @defaultValue found beside this module or in the installed package */
  readonly processEntry?: string | URL;
  /** Checks to run, by id; a report of some of them has no level. @defaultValue all */
  readonly only?: readonly string[];
}

const OPTIONS = [
  'durationMs',
  'seed',
  'onProgress',
  'signal',
  'create',
  'symbol',
  'dashboard',
  'drill',
  'withinMs',
  'processEntry',
  'only',
] as const satisfies readonly (keyof CertifyOptions)[];
const SHORTEST_MS = 10_000;
const DURATION_MS = 120_000;
const WITHIN_MS = 175_000;

/** As they were given, with the defaults. */
export type CertifySettings = CertifyOptions & Required<Pick<CertifyOptions, 'durationMs' | 'seed' | 'symbol' | 'drill' | 'withinMs'>>;

/** @throws RangeError or TypeError that names the option; which checks there are is known only where they are */
export function requireCertifyOptions(options: CertifyOptions): CertifySettings {
  requireKnown('certify', requireObject('options', options), OPTIONS);
  const { durationMs = DURATION_MS, seed = 1, onProgress, create, symbol = 'BTC/USDT', dashboard, drill = true, withinMs = WITHIN_MS } = options;
  if (requirePositive('durationMs', durationMs) < SHORTEST_MS)
    throw new RangeError(`durationMs must be at least ${SHORTEST_MS}: of a shorter session nothing can be said; got ${durationMs}`);
  requireInteger('seed', seed);
  requirePositive('withinMs', withinMs);
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  if (create !== undefined) requireKitModule(create);
  requireText('symbol', symbol);
  if (dashboard !== undefined) requireMethods('dashboard', dashboard, ['listen']);
  return { ...options, durationMs, seed, symbol, drill, withinMs };
}
