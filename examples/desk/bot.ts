import { createServer } from 'node:http';
import { MainClient } from 'binance';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createVenueKit, systemClock } from 'venuekit';
import { alertmanagerNotifier } from 'venuekit/alerts';
import { toAdapter } from 'venuekit/binance';

/**
 * One bot of a desk: several run beside each other on one account, and one of them sends orders. What it needs it takes from its
 * environment; see README.md.
 */
const need = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} must be set; see examples/desk/README.md`);
  return value;
};
const name = need('BOT_NAME');
const pool = new pg.Pool({ connectionString: need('DATABASE_URL'), max: 6 });
const redis = new Redis(need('REDIS_URL'));
// A host has to listen: else the loss of a connection would end it.
pool.on('error', () => {});
redis.on('error', () => {});

const sdk = new MainClient({ api_key: need('VENUE_API_KEY'), api_secret: need('VENUE_API_SECRET'), baseUrl: need('VENUE_URL') });
const adapter = toAdapter(sdk);
const alertmanager = process.env.ALERTMANAGER_URL;
await using kit = await createVenueKit({
  broker: adapter,
  marketData: adapter,
  redis,
  postgres: pool,
  owner: name,
  standby: true,
  ...(alertmanager === undefined ? {} : { notifiers: [alertmanagerNotifier({ url: alertmanager })] }),
});

let role = 'starting';
kit.bus.on('leader.state', ({ state, epoch }) => {
  role = state;
  console.log(`${name}: ${state}${epoch > 0 ? `, epoch ${epoch}` : ''}`);
});

const server = createServer((request, response) => {
  if (request.url === '/metrics') kit.metrics.nodeHandler(request, response);
  else response.setHeader('content-type', 'application/json').end(JSON.stringify({ name, role, ...kit.trading!.stats() }));
});
server.listen(Number(need('HTTP_PORT')), process.env.HTTP_HOST ?? '127.0.0.1');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const end = (): Promise<void> => kit.close();
stop.signal.addEventListener('abort', () => void end());

try {
  // Waits here while another bot leads.
  await kit.start();
  for (let i = 0; !stop.signal.aborted; i++) {
    const { value } = await kit.marketData!.get('quote', { symbol: 'BTCUSDT' }, { maxAgeMs: 2_000 });
    const side = i % 2 === 0 ? 'buy' : 'sell';
    // The id says what is wanted, not who wants it: the next leader goes on where this one was.
    const intentId = `${name}-${systemClock.now().toFixed(0)}-${i}`;
    const order = await kit.trading!.submit({ intentId, symbol: 'BTCUSDT', side, type: 'market', qty: '0.001' });
    if (i % 10 === 0) console.log(`${name}: ${side} at about ${value.bid}: ${order.state}`);
    await systemClock.sleep(250, stop.signal);
  }
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  await end();
  server.close();
  server.closeAllConnections();
  redis.disconnect();
  await pool.end();
}
