import { AsyncLocalStorage } from 'node:async_hooks';
import { systemRandom } from '../../../core/random.js';
import { fullJitter } from '../../../resilience/backoff.js';
import type { Overrides } from '../../shared/overrides.js';
import type { SdkSession } from '../../shared/sdk-session.js';
import type { StreamRecovery } from '../../shared/streams/stream-recovery.js';
import type { CcxtExchange } from '../exchange.js';
import { type Candle, KeptWatches } from './kept-watches.js';
import type { CcxtReads, CcxtRow, RowMethod } from './watched-rows.js';

/** Errors of ccxt that end with the connection or its state: the next call connects anew and takes a new snapshot. */
const PASSING = ['NetworkError', 'ChecksumError', 'InvalidNonce', 'UnsubscribeError'];
const BACKOFF = { baseMs: 100, capMs: 5_000 };

/** Methods that tell rows, of which none must be missing. */
const ROWS: readonly RowMethod[] = ['watchTrades', 'watchTradesForSymbols', 'watchMyTrades', 'watchOrders'];

type Watch = (...args: unknown[]) => Promise<unknown>;

/**
 * Lets the `watch*` methods of ccxt.pro live through dropped connections: a pending call rejects when
 * the socket drops, and the next one reconnects, so it is made again after a pause, and the caller's
 * loop hears of nothing but the next update. Rows that were missed meanwhile are read, and come first.
 * Any other error is the caller's.
 */
export function watchPersistently(sdk: CcxtExchange, overrides: Overrides, session: SdkSession, recovery: StreamRecovery): void {
  // ccxt's watch methods call each other: only the outermost makes the call again.
  const within = new AsyncLocalStorage<true>();
  const pause = fullJitter({ ...BACKOFF, random: systemRandom });
  const { closing } = recovery;
  const persistent =
    (name: string, watch: Watch): Watch =>
    async (...args) => {
      for (let failures = 0; ; ) {
        try {
          const update = await within.run(true, () => watch(...args));
          if (failures > 0) recovery.say('live');
          return update;
        } catch (error) {
          if (closing.aborted || !isPassing(error)) throw error;
          if (failures === 0) recovery.say('down');
          failures++;
          session.logger.warn({ error, method: name, failures }, 'a stream of the SDK broke off; it is taken up again');
          await session.clock.sleep(pause(failures), closing).catch(() => {
            throw error;
          });
        }
      }
    };
  const kept = new KeptWatches(sdk as CcxtReads, recovery);
  for (const name of watchMethodsOf(sdk)) {
    overrides.wrap(name, (watch) => {
      const lasting = persistent(name, watch);
      const row = ROWS.find((method) => method === name);
      return (...args) => {
        if (within.getStore() === true) return watch(...args);
        if (row !== undefined) return kept.rows(row, args, () => lasting(...args) as Promise<readonly CcxtRow[]>);
        if (name === 'watchOHLCV') return kept.candles(args, () => lasting(...args) as Promise<readonly Candle[]>);
        return lasting(...args);
      };
    });
  }
  // Also where nobody waits for an update, and no call of the bot would hear of it.
  const hear = (name: string, heard: () => void): void => {
    overrides.wrap<(...args: unknown[]) => unknown>(name, (own) => (...args) => {
      own(...args);
      if (!closing.aborted) heard();
    });
  };
  hear('onClose', () => kept.dropped());
  hear('onError', () => kept.dropped());
  hear('onConnected', () => kept.connected());
  // What the account's streams would have told of is known by the orders that were placed.
  overrides.wrap('createOrder', (create) => (...args) => {
    kept.ordered(args[0]);
    return create(...args);
  });
}

function watchMethodsOf(sdk: object): readonly string[] {
  const names = new Set<string>();
  for (let at: object | null = sdk; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) if (/^watch[A-Z]/.test(name) && name !== 'watchMultiple') names.add(name);
  }
  return [...names];
}

// By name along the chain: the classes are those of the caller's copy of ccxt.
function isPassing(error: unknown): boolean {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    const name = (at as { constructor?: { name?: unknown } }).constructor?.name;
    if (typeof name === 'string' && PASSING.includes(name)) return true;
  }
  return false;
}
