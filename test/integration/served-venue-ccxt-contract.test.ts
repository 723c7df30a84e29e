import ccxt from 'ccxt';
import { describe, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { toAdapter } from '../../src/sdk/ccxt/index.js';
import { type BrokerUnderTest, brokerAdapterContract, SimulatedVenue, serveBinance, serveKraken } from '../../src/testing/index.js';

const LONGEST_WAIT_MS = 1_000;

/** The adapter of ccxt's binance, on the real client, over real sockets. */
async function givenCcxt(): Promise<BrokerUnderTest> {
  const venue = new SimulatedVenue({ seed: 3, balances: { USDT: '1000000' } });
  const served = await serveBinance(venue);
  const exchange = served.connect(new ccxt.binance({ timeout: 3_000 }));
  return {
    adapter: toAdapter(exchange, { capabilities: { visibilityLagMs: 20 } }),
    symbol: 'BTC/USDT',
    qty: '0.5',
    restingPrice: '40000',
    unaffordableQty: '1000',
    venueNow: () => venue.now(),
    passTime: (ms) => systemClock.sleep(Math.min(ms, LONGEST_WAIT_MS)),
    loseNextPlace: (what) => void venue.fault({ operation: 'place', when: what === 'request' ? 'before' : 'after', kind: 'drop', times: 1 }),
    failNextFind: () => void venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503, times: 1 }),
    [Symbol.asyncDispose]: () => served.close(),
  };
}

describe('brokerAdapterContract on ccxt binance against the served venue', () => {
  for (const { name, run } of brokerAdapterContract({ open: givenCcxt })) it(name, run);
});

async function givenKraken(): Promise<BrokerUnderTest> {
  const venue = new SimulatedVenue({ seed: 3, symbols: { 'BTC/USD': { price: 50_000, priceStep: '0.1' } }, balances: { USD: '1000000' } });
  const served = await serveKraken(venue);
  const exchange = served.connect(new ccxt.kraken({ timeout: 3_000, enableRateLimit: false }));
  return {
    adapter: toAdapter(exchange, { capabilities: { visibilityLagMs: 20 }, krakenTier: 'pro' }),
    symbol: 'BTC/USD',
    qty: '0.5',
    restingPrice: '40000',
    unaffordableQty: '1000',
    venueNow: () => venue.now(),
    passTime: (ms) => systemClock.sleep(Math.min(ms, LONGEST_WAIT_MS)),
    loseNextPlace: (what) => void venue.fault({ operation: 'place', when: what === 'request' ? 'before' : 'after', kind: 'drop', times: 1 }),
    failNextFind: () => void venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503, times: 1 }),
    timeStepMs: 1_000,
    // "Deadline elapsed" may be said of an order that the engine has taken.
    lateVerdict: 'unknown',
    [Symbol.asyncDispose]: () => served.close(),
  };
}

describe('brokerAdapterContract on ccxt kraken against the served venue', () => {
  for (const { name, run } of brokerAdapterContract({ open: givenKraken })) it(name, run);
});
