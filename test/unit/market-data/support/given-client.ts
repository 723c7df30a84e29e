import { ManualClock } from '../../../../src/core/manual-clock.js';
import { CachedMarketDataClient } from '../../../../src/market-data/cached-market-data-client.js';
import type { CachedMarketDataOptions } from '../../../../src/market-data/cached-market-data-options.js';
import { ScriptedAdapter } from './scripted-adapter.js';

export type GivenOptions = Partial<CachedMarketDataOptions> & { readonly latencyMs?: number; readonly limit?: number };

/** A client on virtual time, in front of an adapter that does what the test says. */
export function givenClient({ latencyMs, limit, ...options }: GivenOptions = {}) {
  const clock = new ManualClock();
  const adapter = new ScriptedAdapter(clock, { ...(latencyMs === undefined ? {} : { latencyMs }), ...(limit === undefined ? {} : { limit }) });
  const client = new CachedMarketDataClient({ adapter, clock, ...options });
  /** Lets the promise settle within the time that a load takes. */
  const settle = async <T>(promise: Promise<T>, ms = adapter.latencyMs): Promise<T> => {
    promise.catch(() => {});
    await clock.advance(ms);
    return promise;
  };
  return { clock, adapter, client, settle };
}

export const BTC = { symbol: 'BTC/USDT' };
export const ETH = { symbol: 'ETH/USDT' };
