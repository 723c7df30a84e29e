import { AsyncLocalStorage } from 'node:async_hooks';
import { systemRandom } from '../../core/random.js';
import { fullJitter } from '../../resilience/backoff.js';
import type { Overrides } from '../shared/overrides.js';
import type { SdkSession } from '../shared/sdk-session.js';
import type { CcxtExchange } from './exchange.js';

/** Errors of ccxt that end with the connection or its state: the next call connects anew and takes a new snapshot. */
const PASSING = ['NetworkError', 'ChecksumError', 'InvalidNonce', 'UnsubscribeError'];
const BACKOFF = { baseMs: 100, capMs: 5_000 };

/**
 * Lets the `watch*` methods of ccxt.pro live through dropped connections: a pending call rejects when
 * the socket drops, and the next one reconnects, so it is made again after a pause, and the caller's
 * loop hears of nothing but the next update. Any other error is the caller's.
 */
export function watchPersistently(sdk: CcxtExchange, overrides: Overrides, session: SdkSession, closing: AbortSignal): void {
  // ccxt's watch methods call each other: only the outermost makes the call again.
  const within = new AsyncLocalStorage<true>();
  const pause = fullJitter({ ...BACKOFF, random: systemRandom });
  const say = (state: 'live' | 'down'): void => {
    if (session.bus.has('stream.state')) session.bus.emit('stream.state', { venue: sdk.id, state });
  };
  for (const name of watchMethodsOf(sdk)) {
    overrides.wrap(name, (watch) => async (...args) => {
      if (within.getStore() === true) return watch(...args);
      for (let failures = 0; ; ) {
        try {
          const update = await within.run(true, () => watch(...args));
          if (failures > 0) say('live');
          return update;
        } catch (error) {
          if (closing.aborted || !isPassing(error)) throw error;
          if (failures === 0) say('down');
          failures++;
          session.logger.warn({ error, method: name, failures }, 'a stream of the SDK broke off; it is taken up again');
          await session.clock.sleep(pause(failures), closing).catch(() => {
            throw error;
          });
        }
      }
    });
  }
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
