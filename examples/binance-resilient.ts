// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { Spot } from '@binance/spot';
import { MainClient } from 'binance';
import apiNode from 'binance-api-node';
import { factsOf, release, resilient } from 'venuekit/binance';
import { SimulatedVenue, serveBinance } from 'venuekit/testing';

/**
 * Two lines of change under a bot that uses an SDK for Binance, against a venue that loses an answer:
 *
 *     npx tsx examples/binance-resilient.ts
 */
const venue = new SimulatedVenue({ seed: 7, balances: { USDT: '100000' }, visibilityLagMs: 50 });
const served = await serveBinance(venue);
const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: 0.01 } as const;

// A module of CommonJS: loaders find its function in two places.
const Binance = ('default' in apiNode ? apiNode.default : apiNode) as unknown as (options: object) => ApiNodeClient;

interface ApiNodeClient {
  order(order: object): Promise<unknown>;
}

interface ConnectorClient {
  newOrder(symbol: string, side: string, type: string, options: object): Promise<{ readonly data: unknown }>;
}

// How each SDK is made, and how it places an order.
const sdks = {
  '@binance/connector': {
    make: (): ConnectorClient => new connector.Spot('key', 'secret') as ConnectorClient,
    place: (client: ConnectorClient) => client.newOrder(order.symbol, order.side, order.type, { quantity: order.quantity }),
  },
  binance: {
    make: () => new MainClient({ api_key: 'key', api_secret: 'secret' }),
    place: (client: MainClient) => client.submitNewOrder({ ...order }),
  },
  '@binance/spot': {
    make: () => new Spot({ configurationRestAPI: { apiKey: 'key', apiSecret: 'secret', retries: 0 } }),
    place: (client: Spot) => client.restAPI.newOrder(order as never),
  },
  'binance-api-node': {
    // Made for one address and one pair of keys, which it does not show.
    at: served.url,
    make: () => Binance({ httpBase: served.url, apiKey: served.credentials.apiKey, apiSecret: served.credentials.secret }),
    place: (client: ApiNodeClient) => client.order({ ...order }),
  },
};

interface Sdk {
  readonly at?: string;
  make(): object;
  place(client: object): Promise<unknown>;
}

for (const [name, { at, make, place }] of Object.entries(sdks) as [string, Sdk][]) {
  const connected = () => (at === undefined ? served.connect(make()) : make());
  const loseOneAnswer = () => venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
  const before = venue.orders().length;

  // As bots do it: a loop that tries again when placing fails.
  const raw = connected();
  loseOneAnswer();
  for (let tries = 0; tries < 3; tries++) {
    const placed = await place(raw).catch(() => undefined);
    if (placed !== undefined) break;
  }
  const between = venue.orders().length;

  // The change: the import above, and resilient() here.
  const client = resilient(connected(), { cache: { quote: 500 } });
  loseOneAnswer();
  await place(client);
  console.log(`${name}: ${between - before} raw, ${venue.orders().length - between} resilient, for one order that was wanted`);
  await release(client);
}

// Errors stay the SDK's own; what is known of them stands beside.
const client = resilient(served.connect(new MainClient({ api_key: 'key', api_secret: 'secret' })));
const error: unknown = await client.submitNewOrder({ ...order, quantity: 1_000 }).catch((failure: unknown) => failure);
console.log((error as { message: string }).message, factsOf(error)?.code, factsOf(error)?.sent);

await release(client);
await served.close();
