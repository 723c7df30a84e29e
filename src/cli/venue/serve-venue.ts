import { systemClock } from '../../core/clock.js';
import { serveAlpaca } from '../../testing/serve-alpaca.js';
import { type ServedVenue, serveBinance } from '../../testing/serve-binance.js';
import { serveKraken } from '../../testing/serve-kraken.js';
import type { ServedOverHttp } from '../../testing/served/serving.js';
import { SimulatedVenue } from '../../testing/simulated-venue.js';
import type { SimulatedVenueOptions } from '../../testing/venue/venue-options.js';
import type { ExitCode, Terminal } from '../terminal.js';
import { FAULT_PRESETS } from './fault-presets.js';

/** Options of `venuekit venue`. */
export interface VenueCommandOptions {
  readonly protocol: 'binance' | 'alpaca' | 'kraken';
  readonly port: number;
  readonly seed: number;
  readonly faults: keyof typeof FAULT_PRESETS;
  readonly json?: boolean;
}

/** What the venues are like whose protocols are spoken. */
const VENUES: Readonly<Record<VenueCommandOptions['protocol'], SimulatedVenueOptions>> = {
  binance: { symbols: { 'BTC/USDT': { price: 50_000 }, 'ETH/USDT': { price: 2_500 } } },
  alpaca: {
    symbols: {
      AAPL: { price: 200, qtyStep: '0.000000001' },
      SPY: { price: 600, qtyStep: '0.000000001' },
      'BTC/USD': { price: 50_000, qtyStep: '0.00000001' },
    },
    balances: { USD: '100000' },
    fence: false,
    clientIdUniqueness: 'forever',
    clientIdMaxLength: 128,
  },
  kraken: { symbols: { 'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' }, 'ETH/USD': { price: 2_500, qtyStep: '0.00000001' } } },
};

type Serve = (venue: SimulatedVenue, options: { readonly port: number }) => Promise<ServedOverHttp & Partial<Pick<ServedVenue, 'wsUrl'>>>;
const SERVE: Readonly<Record<VenueCommandOptions['protocol'], Serve>> = { binance: serveBinance, alpaca: serveAlpaca, kraken: serveKraken };

/** Serves until interrupted; says first where, and at the end what was served. */
export async function serveVenue({ protocol, port, seed, faults, json }: VenueCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const venue = new SimulatedVenue({ clock: systemClock, seed, ...VENUES[protocol], log: 'hash', archiveAfterMs: 24 * 3_600_000 });
  for (const fault of FAULT_PRESETS[faults]) venue.fault(fault);
  await using served = await SERVE[protocol](venue, { port });
  const { url, wsUrl, credentials } = served;
  if (json === true) terminal.out(`${JSON.stringify({ url, wsUrl, ...credentials, protocol, seed, faults })}\n`);
  else terminal.out(`${url}\n${wsUrl === undefined ? '' : `${wsUrl}\n`}apiKey ${credentials.apiKey}\nsecret ${credentials.secret}\n`);
  terminal.err(
    `A simulated ${protocol} with faults: ${faults}, seed ${seed}. It holds no money and knows no other credentials. Stop it with Ctrl-C.\n`,
  );
  await interruption(terminal.signal);
  const { orders, fills, refused } = venue.stats();
  terminal.err(`${orders} orders, ${fills} fills, ${refused} requests refused for a limit\n`);
  return 0;
}

// The server keeps the process alive meanwhile.
function interruption(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
