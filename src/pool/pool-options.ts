import type { Wiring } from '../contracts/wiring.js';
import { requireFunction, requireInteger, requireKnown, requireNonNegative, requireObject, requirePositive, requireText } from '../core/options.js';

/** How a {@link ConnectionPool} makes, keeps and ends connections. Times are milliseconds. */
export interface PoolOptions<T> extends Wiring {
  /** Names the pool in events, logs and errors. @defaultValue 'pool' */
  readonly name?: string;
  /** Opens a connection. The signal aborts when opening takes too long or the pool closes. */
  readonly create: (signal: AbortSignal) => Promise<T>;
  /** Ends a connection. The place of a connection counts as taken until this has settled. */
  readonly destroy?: (resource: T) => void | Promise<void>;
  /** Whether a connection is fit to be handed out. A throw counts as no. */
  readonly validate?: (resource: T) => boolean | Promise<boolean>;
  /** Most connections at a time, those being opened or closed included. @defaultValue 15 */
  readonly max?: number;
  /** Connections opened ahead of need and kept, in use or not. @defaultValue 0 */
  readonly min?: number;
  /** Most callers that may wait; the next one is refused at once. @defaultValue no limit */
  readonly maxWaiting?: number;
  /** Longest wait of an acquire. @defaultValue 30_000 */
  readonly acquireTimeoutMs?: number;
  /** Connections beyond `min` that were idle this long are closed. @defaultValue never */
  readonly idleTimeoutMs?: number;
  /** Connections are replaced at this age, a random share of up to a tenth earlier, so that they do not all end at once. @defaultValue never */
  readonly maxLifetimeMs?: number;
  /** With `validate`: checked before it is handed out when it was idle this long. 0: on every acquire. @defaultValue 0 */
  readonly validateAfterIdleMs?: number;
  /** With `validate`: how often idle connections are checked, one after the other. @defaultValue never */
  readonly healthCheckIntervalMs?: number;
  /** Warns of a lease that is held this long. @defaultValue never */
  readonly leakWarningMs?: number;
  /** Records where each lease was taken, for the leak warning; costs several microseconds an acquire. @defaultValue false */
  readonly captureLeaseStacks?: boolean;
  /** After a failed create: the next one waits, twice as long each time. @defaultValue 100 ms, up to 10_000 ms */
  readonly createBackoff?: { readonly baseMs: number; readonly capMs: number };
  /** A create that takes longer has failed; what it gives later is destroyed. @defaultValue 30_000 */
  readonly createTimeoutMs?: number;
  /** A validation that takes longer says no. @defaultValue 5_000 */
  readonly validateTimeoutMs?: number;
  /** A destroy that takes longer no longer holds its place. @defaultValue 5_000 */
  readonly destroyTimeoutMs?: number;
}

/** {@link PoolOptions} as checked, with defaults filled in; Infinity stands for never. */
export interface PoolPolicy<T> {
  readonly name: string;
  readonly create: (signal: AbortSignal) => Promise<T>;
  readonly destroy: ((resource: T) => void | Promise<void>) | undefined;
  readonly validate: ((resource: T) => boolean | Promise<boolean>) | undefined;
  readonly max: number;
  readonly min: number;
  readonly maxWaiting: number;
  readonly acquireTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly validateAfterIdleMs: number;
  readonly healthCheckIntervalMs: number;
  readonly leakWarningMs: number;
  readonly captureLeaseStacks: boolean;
  readonly createBackoff: { readonly baseMs: number; readonly capMs: number };
  readonly createTimeoutMs: number;
  readonly validateTimeoutMs: number;
  readonly destroyTimeoutMs: number;
}

const KNOWN = [
  'bus',
  'clock',
  'random',
  'logger',
  'name',
  'create',
  'destroy',
  'validate',
  'max',
  'min',
  'maxWaiting',
  'acquireTimeoutMs',
  'idleTimeoutMs',
  'maxLifetimeMs',
  'validateAfterIdleMs',
  'healthCheckIntervalMs',
  'leakWarningMs',
  'captureLeaseStacks',
  'createBackoff',
  'createTimeoutMs',
  'validateTimeoutMs',
  'destroyTimeoutMs',
] as const satisfies readonly (keyof PoolOptions<unknown>)[];

/**
 * @throws RangeError or TypeError that names option, expectation and value.
 */
export function poolPolicy<T>(options: PoolOptions<T>): PoolPolicy<T> {
  requireKnown('ConnectionPool', requireObject('options', options), KNOWN);
  const max = requireInteger('max', options.max ?? 15, 1);
  const min = requireInteger('min', options.min ?? 0);
  if (min > max) throw new RangeError(`min must be at most max, got min ${min} with max ${max}`);
  const baseMs = requirePositive('createBackoff.baseMs', options.createBackoff?.baseMs ?? 100);
  const capMs = requirePositive('createBackoff.capMs', options.createBackoff?.capMs ?? Math.max(10_000, baseMs));
  if (capMs < baseMs) throw new RangeError(`createBackoff.capMs must be at least baseMs, got capMs ${capMs} with baseMs ${baseMs}`);
  const captureLeaseStacks: unknown = options.captureLeaseStacks ?? false;
  if (typeof captureLeaseStacks !== 'boolean') {
    throw new TypeError(`captureLeaseStacks must be true or false, got ${String(captureLeaseStacks)}`);
  }
  if (options.validate === undefined) {
    for (const option of ['validateAfterIdleMs', 'healthCheckIntervalMs'] as const) {
      if (options[option] !== undefined) throw new TypeError(`${option} needs the option validate, which says whether a connection is fit`);
    }
  }
  return {
    name: requireText('name', options.name ?? 'pool'),
    create: requireFunction('create', options.create),
    destroy: options.destroy && requireFunction('destroy', options.destroy),
    validate: options.validate && requireFunction('validate', options.validate),
    max,
    min,
    maxWaiting: options.maxWaiting === undefined ? Infinity : requireInteger('maxWaiting', options.maxWaiting),
    acquireTimeoutMs: requirePositive('acquireTimeoutMs', options.acquireTimeoutMs ?? 30_000),
    idleTimeoutMs: duration('idleTimeoutMs', options.idleTimeoutMs),
    maxLifetimeMs: duration('maxLifetimeMs', options.maxLifetimeMs),
    validateAfterIdleMs: requireNonNegative('validateAfterIdleMs', options.validateAfterIdleMs ?? 0),
    healthCheckIntervalMs: duration('healthCheckIntervalMs', options.healthCheckIntervalMs),
    leakWarningMs: duration('leakWarningMs', options.leakWarningMs),
    captureLeaseStacks,
    createBackoff: { baseMs, capMs },
    createTimeoutMs: requirePositive('createTimeoutMs', options.createTimeoutMs ?? 30_000),
    validateTimeoutMs: requirePositive('validateTimeoutMs', options.validateTimeoutMs ?? 5_000),
    destroyTimeoutMs: requirePositive('destroyTimeoutMs', options.destroyTimeoutMs ?? 5_000),
  };
}

function duration(name: string, ms: number | undefined): number {
  return ms === undefined ? Infinity : requirePositive(name, ms);
}
