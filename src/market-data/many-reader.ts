import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { droppedError, expiredError, overAgeError } from './cache-errors.js';
import type { CacheIndex } from './cache-index.js';
import type { CacheReader } from './cache-reader.js';
import type { Cell } from './cell.js';
import type { ResolvedPolicy } from './kind-policy.js';
import type { ReadResult } from './pending-read.js';

/** How often values are asked for again that grew too old while they waited for others. */
const MOST_RECHECKS = 2;

export interface ManyReaderOptions {
  readonly clock: Clock;
  readonly index: CacheIndex;
  readonly reader: CacheReader;
  readonly policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
}

/** How one read of several went. */
export interface OneOfMany {
  cell: Cell;
  result: ReadResult;
}

/**
 * Reads that are answered together: the first to come waits for the last. What outlived its TTL or `maxAgeMs` meanwhile, or was
 * dropped by a gap, is not handed over but read again.
 */
export class ManyReader {
  readonly #options: ManyReaderOptions;

  constructor(options: ManyReaderOptions) {
    this.#options = options;
  }

  /** @param read - one read, as it is made alone, so much time after the first. */
  async read<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    { maxAgeMs, isScan }: { readonly maxAgeMs: number; readonly isScan: boolean },
    read: (cell: Cell, waitedMs: number) => ReadResult | Promise<ReadResult>,
  ): Promise<readonly OneOfMany[]> {
    const { clock, index } = this.#options;
    const startedAt = clock.monotonic();
    const cells = requests.map((request) => index.obtain(kind, request));
    const many = await Promise.all(cells.map(async (cell): Promise<OneOfMany> => ({ cell, result: await read(cell, 0) })));
    for (let round = 0; ; round++) {
      const now = clock.monotonic();
      const late = many.filter((one) => !this.#holds(one, now, maxAgeMs, isScan, round === MOST_RECHECKS));
      if (late.length === 0) return many;
      await Promise.all(
        late.map(async (one) => {
          // The cell may have been given up, with what it held, while it was waited for.
          one.cell = index.obtain(kind, one.cell.request);
          one.result = await read(one.cell, now - startedAt);
        }),
      );
    }
  }

  /** Judges `one` as of now; false: it has to be read again. In the last round what can't be handed over becomes an error. */
  #holds(one: OneOfMany, now: number, maxAgeMs: number, isScan: boolean, isLastRound: boolean): boolean {
    const { cell, result } = one;
    if (!('read' in result)) return true;
    const { kind, symbol } = cell;
    const ageMs = this.#options.reader.ageAt(now, kind, result, maxAgeMs !== Infinity);
    const isDropped = result.epoch !== undefined && result.epoch !== symbol.epoch;
    // A scan is long, and takes the answers of the venue as they come.
    const isAwaited = isScan && (result.read.outcome === 'miss' || result.read.outcome === 'coalesced');
    if (!isDropped && ageMs <= maxAgeMs && (isAwaited || now < untilOf(one.cell, result))) {
      one.result = { ...result, read: { ...result.read, ageMs }, at: now };
      return true;
    }
    if (!isLastRound) return false;
    one.result = { error: this.#refusal(cell, ageMs, maxAgeMs, isDropped), outcome: 'miss' };
    return true;
  }

  #refusal({ kind, symbol: { symbol } }: Cell, ageMs: number, maxAgeMs: number, isDropped: boolean): Error {
    if (isDropped) return droppedError(kind, symbol);
    return ageMs > maxAgeMs ? overAgeError(kind, symbol, ageMs, maxAgeMs) : expiredError(kind, symbol, ageMs, this.#options.policies[kind].ttlMs);
  }
}

// A heartbeat may have confirmed meanwhile what is held.
function untilOf({ entry, freshUntil }: Cell, { read, until }: Extract<ReadResult, { readonly read: unknown }>): number {
  return entry?.value === read.value ? Math.max(until, freshUntil) : until;
}
