import type { Limit } from '../../src/core/limits.js';
import { type LatencyOptions, SimulatedVenue, serveAlpaca, serveBinance, serveKraken } from '../../src/testing/index.js';

/**
 * A served venue in a process of its own, so that its work does not share the client's event loop.
 * Started by `RemoteVenue`; says where it listens, answers questions, ends with its parent.
 */

/** What the process is started with. */
export interface VenueSettings {
  /** Held back from every answer; none when absent. */
  readonly latency?: LatencyOptions;
  /** Until an accepted order is sure to show in look-ups. */
  readonly visibilityLagMs?: number;
  /** @defaultValue 'binance' */
  readonly protocol?: 'binance' | 'alpaca' | 'kraken';
  readonly limits?: readonly Limit[];
}

/** What a parent may ask. */
export type VenueRequest =
  | { readonly ask: 'fault'; readonly share: number }
  | { readonly ask: 'orders' }
  /** HTTP requests received, and the processor time that this process has used. */
  | { readonly ask: 'usage' };

export interface VenueUsage {
  readonly requests: number;
  readonly requestsByEndpoint: Readonly<Record<string, number>>;
  readonly cpuMs: number;
}

const DROPPED_FOR_MS = 60_000;
const RATE_LIMITED_FOR_MS = 1_000;
const KINDS = 5;

const { protocol = 'binance', ...settings } = JSON.parse(process.argv[2] ?? '{}') as VenueSettings;
const venue = new SimulatedVenue({
  ...settings,
  seed: 7,
  log: 'hash',
  symbols: Object.fromEntries(['BTC/USDT', 'ETH/USDT', 'LTC/USDT', 'BTC/USD', 'AAPL'].map((symbol) => [symbol, { price: 100 }])),
  // Longer than any run: at its end the venue's own books are the judge.
  archiveAfterMs: 900_000,
});
const serve = { binance: serveBinance, alpaca: serveAlpaca, kraken: serveKraken }[protocol];
const served = await serve(venue);

/** Five kinds of trouble in equal shares, as in examples/session. */
function fault(share: number): void {
  const probability = share / KINDS;
  venue.fault({ when: 'before', kind: 'drop', probability, ms: DROPPED_FOR_MS });
  venue.fault({ when: 'after', kind: 'drop', probability, ms: DROPPED_FOR_MS });
  venue.fault({ when: 'before', kind: 'status', status: 503, probability });
  venue.fault({ when: 'before', kind: 'status', status: 429, code: -1003, probability, ms: RATE_LIMITED_FOR_MS });
  venue.fault({ when: 'after', kind: 'reset', probability });
}

function answer(request: VenueRequest): unknown {
  switch (request.ask) {
    case 'fault':
      return fault(request.share);
    case 'orders':
      return venue.orders();
    case 'usage': {
      const { user, system } = process.cpuUsage();
      const { requests, requestsByEndpoint } = served.stats();
      return { requests, requestsByEndpoint, cpuMs: (user + system) / 1000 } satisfies VenueUsage;
    }
  }
}

process.on('message', (request: VenueRequest) => process.send?.({ answer: answer(request) }));
process.on('disconnect', () => void served.close().then(() => process.exit(0)));
process.send?.({ answer: { url: served.url, credentials: served.credentials } });
