import type { MarketDataAdapter, MarketKind } from '../contracts/market-data.js';
import { requireInteger, requireKnown, requireNonNegative, requireObject, requireOneOf } from '../core/options.js';

/** How values of one kind are kept. Defaults are those of {@link defaultPolicies}. */
export interface KindPolicy {
  /** How long a value counts as fresh, ms from the send of its request. Infinity: until its revision (bars). */
  readonly ttlMs: number;
  /** How much longer it may be served while a fresh one is fetched. @defaultValue 0 */
  readonly swrMs?: number;
  /** How much longer it may be served when the venue fails. @defaultValue 0 */
  readonly staleIfErrorMs?: number;
  /** How long a symbol that the venue does not list is remembered. @defaultValue 300_000 */
  readonly negativeMs?: number;
  /**
   * How requests are put together: at most `max` in a call, collected for `windowMs`. What is asked
   * for in one turn always shares a call; a window longer than 0 makes the first caller wait for it.
   * @defaultValue the adapter's limit, 0 ms
   */
  readonly batch?: { readonly max: number; readonly windowMs: number };
  /** What is fetched before it is asked for. */
  readonly prefetch?: 'off' | 'period' | 'hot' | 'barClose';
  /** Whether the shared level keeps it too, where there is one. @defaultValue true */
  readonly shared?: boolean;
}

/** A policy with nothing left open. */
export interface ResolvedPolicy {
  readonly ttlMs: number;
  readonly swrMs: number;
  readonly staleIfErrorMs: number;
  readonly negativeMs: number;
  readonly batchMax: number;
  readonly batchWindowMs: number;
  readonly prefetch: 'off' | 'period' | 'hot' | 'barClose';
  readonly shared: boolean;
  /** How often the reads of a key are noticed by the store and the prefetch: more would tell them nothing. */
  readonly noticeMs: number;
}

export const marketKinds: readonly MarketKind[] = ['quote', 'book', 'trades', 'bars', 'instrument'];

/** One of something for each kind. */
export function forEachKind<T>(make: (kind: MarketKind) => T): Readonly<Record<MarketKind, T>> {
  return { quote: make('quote'), book: make('book'), trades: make('trades'), bars: make('bars'), instrument: make('instrument') };
}

/** Quotes, books and trades by their period; bars until their revision, fetched at the close; instruments for an hour. */
export const defaultPolicies: Readonly<Record<MarketKind, Readonly<Pick<ResolvedPolicy, 'ttlMs' | 'prefetch'>>>> = {
  quote: { ttlMs: 1_000, prefetch: 'period' },
  book: { ttlMs: 500, prefetch: 'period' },
  trades: { ttlMs: 1_000, prefetch: 'period' },
  bars: { ttlMs: Infinity, prefetch: 'barClose' },
  instrument: { ttlMs: 3_600_000, prefetch: 'off' },
};

/** A tenth of the TTL says well enough when somebody reads, within these bounds. */
const LEAST_NOTICE_MS = 100;
const MOST_NOTICE_MS = 1_000;

const NEGATIVE_MS = 300_000;
const POLICY_OPTIONS = ['ttlMs', 'swrMs', 'staleIfErrorMs', 'negativeMs', 'batch', 'prefetch', 'shared'];

/**
 * The policies of all kinds, what is not given from the defaults.
 * @throws RangeError or TypeError that names the option, e.g. `kinds.quote.ttlMs`.
 */
export function resolvePolicies(
  given: Partial<Record<MarketKind, Partial<KindPolicy>>>,
  adapter: MarketDataAdapter,
): Readonly<Record<MarketKind, ResolvedPolicy>> {
  requireKnown('kinds', requireObject('kinds', given), marketKinds);
  const resolved = marketKinds.map((kind) => [kind, resolvePolicy(kind, given[kind] ?? {}, adapter.batchLimit(kind))] as const);
  return Object.fromEntries(resolved) as Record<MarketKind, ResolvedPolicy>;
}

function resolvePolicy(kind: MarketKind, given: Partial<KindPolicy>, batchLimit: number): ResolvedPolicy {
  const name = `kinds.${kind}`;
  requireKnown(name, requireObject(name, given), POLICY_OPTIONS);
  requireInteger(`adapter.batchLimit(${JSON.stringify(kind)})`, batchLimit, 1);
  const { ttlMs = defaultPolicies[kind].ttlMs, prefetch = defaultPolicies[kind].prefetch, batch, shared = true } = given;
  if (batch !== undefined) requireKnown(`${name}.batch`, requireObject(`${name}.batch`, batch), ['max', 'windowMs']);
  if (typeof shared !== 'boolean') throw new TypeError(`${name}.shared must be true or false, got ${String(shared)}`);
  return {
    ttlMs: requireTtl(`${name}.ttlMs`, ttlMs),
    swrMs: requireNonNegative(`${name}.swrMs`, given.swrMs ?? 0),
    staleIfErrorMs: requireNonNegative(`${name}.staleIfErrorMs`, given.staleIfErrorMs ?? 0),
    negativeMs: requireNonNegative(`${name}.negativeMs`, given.negativeMs ?? NEGATIVE_MS),
    batchMax: Math.min(batchLimit, batch === undefined ? batchLimit : requireInteger(`${name}.batch.max`, batch.max, 1)),
    batchWindowMs: batch === undefined ? 0 : requireNonNegative(`${name}.batch.windowMs`, batch.windowMs),
    prefetch: requireOneOf(`${name}.prefetch`, prefetch, ['off', 'period', 'hot', 'barClose']),
    shared,
    // Bars have a close to be read at, of which their TTL says nothing.
    noticeMs: kind === 'bars' ? LEAST_NOTICE_MS : Math.min(MOST_NOTICE_MS, Math.max(LEAST_NOTICE_MS, ttlMs / 10)),
  };
}

function requireTtl(name: string, value: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number above 0, or Infinity, got ${String(value)}`);
  if (!(value > 0)) throw new RangeError(`${name} must be a number above 0, or Infinity, got ${value}`);
  return value;
}
