import type { Bus } from '../../contracts/events.js';
import type { KitTuning } from '../../contracts/kit-tuning.js';
import type { OrderIntent } from '../../contracts/orders.js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { CachedMarketDataClient } from '../../market-data/index.js';
import type { ResilientTradingClient } from '../../trading/index.js';
import type { Objectives } from '../measures/components.js';

/** What of a kit is probed; a kit of `createVenueKit` is one. */
export interface ProbedKit {
  readonly bus: Bus;
  readonly marketData?: Pick<CachedMarketDataClient, 'get'>;
  readonly trading?: Pick<ResilientTradingClient, 'submit' | 'cancel'>;
  readonly tuning?: KitTuning;
}

/** What a probe does, for how long, and who is told. */
export interface ProbeOptions {
  /** What is read: quotes, and bars of a minute every tenth time. @defaultValue ['BTC/USDT'] */
  readonly symbols?: readonly string[];
  /** How long it works, 31 s at least: of less nothing can be said. @defaultValue 60_000 */
  readonly durationMs?: number;
  /** How often each of four readers looks at each symbol; 50 at least. @defaultValue 250 */
  readonly everyMs?: number;
  /** How old a quote may be. @defaultValue everyMs */
  readonly maxAgeMs?: number;
  /** The most reads that are asked for; those beyond are left out. @defaultValue 10_000 */
  readonly maxReads?: number;
  /**
   * Sends orders as well: `intent(n)` of the n-th, from 0, `count` of them spread over the time, each cancelled after two seconds
   * where it rests. They reach the venue that the kit is connected to, whichever that is. @defaultValue none: nothing is ordered
   */
  readonly orders?: { readonly count: number; readonly intent: (n: number) => OrderIntent & { readonly intentId: string } };
  /** The kit's. @defaultValue systemClock */
  readonly clock?: Clock;
  readonly objectives?: Partial<Objectives>;
  /** Decides when each reader begins, and what is drawn in replays. @defaultValue 1 */
  readonly seed?: number;
  readonly logger?: Logger;
  /** Ends the work, and the analysis: what was found until then is given, with `partial`. */
  readonly signal?: AbortSignal;
  /** After each second of work and each detector. */
  readonly onProgress?: (done: number, total: number) => void;
}
