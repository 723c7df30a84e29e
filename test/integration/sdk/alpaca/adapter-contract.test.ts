import ccxt from 'ccxt';
import { describe, it } from 'vitest';
import { systemClock } from '../../../../src/core/clock.js';
import { toAdapter } from '../../../../src/sdk/alpaca/index.js';
import { toAdapter as toCcxtAdapter } from '../../../../src/sdk/ccxt/index.js';
import { type BrokerUnderTest, brokerAdapterContract, serveAlpaca } from '../../../../src/testing/index.js';
import { alpacaVenue, newV3, newV4 } from './given.js';

const LONGEST_WAIT_MS = 1_000;

/** The adapter of a real SDK, over real sockets. */
async function givenAlpaca(make: () => object, adapt: typeof toAdapter | typeof toCcxtAdapter): Promise<BrokerUnderTest> {
  const venue = alpacaVenue({ balances: { USD: '1000000' }, visibilityLagMs: 0 });
  const served = await serveAlpaca(venue);
  return {
    adapter: adapt(served.connect(make()), { capabilities: { visibilityLagMs: 20 } }),
    symbol: 'BTC/USD',
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

for (const [name, make, adapt] of [
  ['@alpacahq/alpaca-trade-api 3', newV3, toAdapter],
  ['@alpacahq/alpaca-trade-api 4', () => newV4({ timeoutMs: 3_000 }), toAdapter],
  ['ccxt alpaca', () => new ccxt.alpaca({ timeout: 3_000, enableRateLimit: false }), toCcxtAdapter],
] as const) {
  describe(`brokerAdapterContract on ${name} against the served venue`, () => {
    for (const { name: rule, run } of brokerAdapterContract({ open: () => givenAlpaca(make, adapt) })) it.concurrent(rule, run);
  });
}
