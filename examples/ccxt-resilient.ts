import ccxt from 'ccxt';
import { factsOf, release, resilient } from 'venuekit/ccxt';
import { SimulatedVenue, serveBinance } from 'venuekit/testing';

/**
 * Two lines of change under a bot that uses ccxt, against a venue that loses an answer:
 *
 *     npx tsx examples/ccxt-resilient.ts
 */
const venue = new SimulatedVenue({ seed: 7, balances: { USDT: '100000' }, visibilityLagMs: 50 });
const served = await serveBinance(venue);
const loseOneAnswer = () => venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });

// As bots do it: ccxt's own retries send the order again.
const raw = served.connect(new ccxt.binance({ options: { maxRetriesOnFailure: 3 } }));
await raw.loadMarkets();
loseOneAnswer();
await raw.createMarketBuyOrder('BTC/USDT', 0.01);
console.log(`raw ccxt: ${venue.orders().length} orders at the venue for one call`);

const before = venue.orders().length;
// The change: the import above, and resilient() here.
const exchange = resilient(served.connect(new ccxt.binance()), { cache: { fetchTicker: 500 } });
loseOneAnswer();
const order = await exchange.createMarketBuyOrder('BTC/USDT', 0.01);
console.log(`resilient: ${venue.orders().length - before} order at the venue for one call, ${order.status}`);

// Errors stay ccxt's own; what is known of them stands beside.
const error: unknown = await exchange.createMarketBuyOrder('BTC/USDT', 1_000).catch((failure: unknown) => failure);
console.log(error instanceof ccxt.InsufficientFunds, factsOf(error));

await release(exchange);
await served.close();
