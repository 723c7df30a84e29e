/** What test/docs/assumed.ts declares, as far as pages are run that take it as given: a served venue and what a bot has of its own. */
import ccxt from 'ccxt';
import { systemClock } from 'venuekit';
import { RateLimiter } from 'venuekit/resilience';
import { SimulatedVenue, serveBinance, simulatedBroker } from 'venuekit/testing';

const venue = new SimulatedVenue({ seed: 7, balances: { USDT: '100000' } });
const served = await serveBinance(venue);

export const { apiKey, secret } = served.credentials;
export const adapter = simulatedBroker(venue);
export const clock = systemClock;
export const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 100, perMs: 1_000 }] });
export const symbols = ['BTC/USDT', 'ETH/USDT'];
export const values = Float64Array.from({ length: 240 }, (_, i) => 10 + Math.sin((i * Math.PI) / 12) + (i % 7) / 100);
export const rows = Array.from({ length: 500 }, (_, i) => (i === 250 ? [40, -40] : [i % 10, (i * 7) % 11]));
export const latencies = (async function* () {
  for (let i = 0; i < 400; i++) yield { t: i * 1_000, v: i === 300 ? 900 : 20 + ((i * 7) % 5) };
})();
export const client = { bars: async (symbol: string) => [symbol.length] };

export const alarm = (message: string): void => console.log('alarm:', message);
export const show = (done: number, total: number | undefined): void => console.log(`${done} of ${total}`);
export const isTransient = (): boolean => true;
export const retryAfterOf = (): number => 0;
export const fetchBook = async (symbol: string): Promise<object> => ({ symbol });

/** In the place of ccxt: its exchange, at the served venue. */
export default {
  binance: class extends ccxt.binance {
    constructor(options: object) {
      super(options);
      served.connect(this);
    }
  },
};
