import ccxt from 'ccxt';
import { factsOf, release, resilient } from 'venuekit/ccxt';
import { SimulatedVenue, serveKraken } from 'venuekit/testing';

/**
 * Two lines of change under a bot that uses ccxt's kraken, against a venue that loses an answer:
 *
 *     npx tsx examples/kraken-resilient.ts
 */
const symbols = { 'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } };
const venue = new SimulatedVenue({ seed: 7, symbols, balances: { USD: '100000' } });
const served = await serveKraken(venue);
const loseOneAnswer = () => venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });

// As bots do it: ccxt's own retries send the order again, under a nonce of its own.
const raw = served.connect(new ccxt.kraken({ enableRateLimit: false, options: { maxRetriesOnFailure: 3 } }));
await raw.loadMarkets();
loseOneAnswer();
await raw.createMarketBuyOrder('BTC/USD', 0.01);
console.log(`raw ccxt: ${venue.orders().length} orders at the venue for one call`);

const before = venue.orders().length;
// The change: the import above, and resilient() here. The tier is what Kraken has verified the account for.
const exchange = resilient(served.connect(new ccxt.kraken({ enableRateLimit: false })), { krakenTier: 'pro' });
loseOneAnswer();
const { id } = await exchange.createMarketBuyOrder('BTC/USD', 0.01);
const order = await exchange.fetchOrder(id!);
console.log(`resilient: ${venue.orders().length - before} order at the venue for one call, ${order.status}`);

// Errors stay ccxt's own; what is known of them stands beside.
const error: unknown = await exchange.createMarketBuyOrder('BTC/USD', 1_000).catch((failure: unknown) => failure);
console.log(error instanceof ccxt.InsufficientFunds, factsOf(error)?.code, factsOf(error)?.sent);

await release(exchange);
await served.close();
