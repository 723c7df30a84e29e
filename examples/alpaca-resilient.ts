import { Alpaca } from '@alpacahq/alpaca-trade-api';
import { factsOf, release, resilient } from 'venuekit/alpaca';
import { SimulatedVenue, serveAlpaca } from 'venuekit/testing';

/**
 * Two lines of change under a bot that uses Alpaca's SDK, against a venue that loses an answer:
 *
 *     npx tsx examples/alpaca-resilient.ts
 *
 * Version 4 here; version 3 is wrapped the same way: `resilient(new Alpaca({ keyId, secretKey, paper: true }))`.
 */
const venue = new SimulatedVenue({
  seed: 7,
  symbols: { AAPL: { price: 200 } },
  balances: { USD: '100000' },
  visibilityLagMs: 50,
  fence: false,
  clientIdUniqueness: 'forever',
  clientIdMaxLength: 128,
});
const served = await serveAlpaca(venue);
const loseOneAnswer = () => venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });

// As bots do it: a loop that tries again when placing fails.
const raw = served.connect(new Alpaca({ keyId: 'key', secret: 'secret' }));
loseOneAnswer();
for (let tries = 0; tries < 3; tries++) {
  const placed = await raw.trading.orders.market({ symbol: 'AAPL', qty: 1, side: 'buy' }).catch(() => undefined);
  if (placed !== undefined) break;
}
console.log(`raw SDK in a retry loop: ${venue.orders().length} orders at the venue for one that was wanted`);

const before = venue.orders().length;
// The change: the import above, and resilient() here.
const alpaca = resilient(served.connect(new Alpaca({ keyId: 'key', secret: 'secret', retry: false })), { cache: { quote: 500 } });
loseOneAnswer();
const order = await alpaca.trading.orders.market({ symbol: 'AAPL', qty: 1, side: 'buy' });
console.log(`resilient: ${venue.orders().length - before} order at the venue for one call, ${order.status}`);

// Errors stay the SDK's own; what is known of them stands beside.
const error: unknown = await alpaca.trading.orders.market({ symbol: 'AAPL', qty: 1_000_000, side: 'buy' }).catch((failure: unknown) => failure);
console.log((error as Error).name, factsOf(error)?.code, factsOf(error)?.sent);

await release(alpaca);
await served.close();
