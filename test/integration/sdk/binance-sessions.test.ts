import { generateKeyPairSync } from 'node:crypto';
import ccxt from 'ccxt';
import { describe, expect, it } from 'vitest';
import type { Attempt, VenueEvent } from '../../../src/contracts/broker.js';
import type { Bus } from '../../../src/contracts/events.js';
import { systemClock } from '../../../src/core/clock.js';
import { createVenueKit, EventBus } from '../../../src/index.js';
import { toAdapter } from '../../../src/sdk/ccxt/index.js';
import type { Fault } from '../../../src/testing/faults.js';
import { type BrokerUnderTest, brokerAdapterContract, SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../../src/testing/index.js';
import { MemoryOrderJournal, ResilientTradingClient } from '../../../src/trading/index.js';

const LONGEST_WAIT_MS = 1_000;
const LAG_MS = 20;
// Short, so that absence is soon proved.
const FENCE_MS = 400;

/** ccxt's binance with its order sessions open, since somebody follows the account. */
async function givenSessions(
  options: SimulatedVenueOptions = {},
  fenceMs = FENCE_MS,
  publicKey?: string,
  keys: { secret?: string } = {},
  bus: Bus = new EventBus(),
) {
  const venue = new SimulatedVenue({ seed: 3, balances: { USDT: '1000000' }, ...options });
  const served = await serveBinance(venue, publicKey === undefined ? {} : { publicKey });
  const exchange = Object.assign(served.connect(new ccxt.binance({ timeout: 3_000 })), keys);
  const adapter = toAdapter(exchange, {
    capabilities: { visibilityLagMs: LAG_MS, fence: { maxMs: 60_000, defaultMs: fenceMs } },
    bus,
  });
  // Orders don't wait for a session that is being opened: they go another way.
  const ready = sessionOpened(bus);
  await exchange.loadMarkets();
  const controller = new AbortController();
  const seen: VenueEvent[] = [];
  const following = (async () => {
    for await (const event of adapter.events!(controller.signal)) seen.push(event);
  })().catch((error: unknown) => error);
  await Promise.all([ready, expect.poll(() => seen.length).toBeGreaterThan(0)]);
  const close = async (): Promise<void> => {
    controller.abort(new Error('seen enough'));
    await following;
    await served.close();
  };
  const attempt = (over: Partial<Attempt> = {}): Attempt => ({
    signal: new AbortController().signal,
    number: 1,
    venueNow: venue.now(),
    fenceMs,
    ...over,
  });
  const requests = (name: string): number => served.stats().requestsByEndpoint[name] ?? 0;
  return { venue, served, exchange, adapter, seen, attempt, requests, controller, following, close };
}

function sessionOpened(bus: Bus): Promise<void> {
  return new Promise((resolve) => {
    bus.on('pool.created', ({ pool }) => pool === 'binance-orders' && resolve());
  });
}

const BUY = { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.5', price: '40000' } as const;

async function contractSubject(): Promise<BrokerUnderTest> {
  const { venue, adapter, close } = await givenSessions({}, 5_000);
  return {
    adapter,
    symbol: 'BTC/USDT',
    qty: '0.5',
    restingPrice: '40000',
    unaffordableQty: '1000',
    venueNow: () => venue.now(),
    passTime: (ms) => systemClock.sleep(Math.min(ms, LONGEST_WAIT_MS)),
    loseNextPlace: (what) => void venue.fault({ operation: 'place', when: what === 'request' ? 'before' : 'after', kind: 'drop', times: 1 }),
    failNextFind: () => void venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503, times: 1 }),
    [Symbol.asyncDispose]: close,
  };
}

describe('brokerAdapterContract on ccxt binance over WebSocket sessions', () => {
  for (const { name, run } of brokerAdapterContract({ open: contractSubject })) it(name, run);
});

describe('order calls over WebSocket sessions', () => {
  it('place, look up and cancel without a REST request, signed with exactly the timestamp of the attempt', async () => {
    const { adapter, attempt, requests, venue, close } = await givenSessions();
    const at = venue.now() - 37;
    expect(await adapter.place(BUY, 'ws-1', attempt({ venueNow: at }))).toMatchObject({
      kind: 'accepted',
      order: { state: 'working', clientOrderId: 'ws-1' },
    });
    expect(await adapter.find({ symbol: BUY.symbol, clientOrderId: 'ws-1' }, attempt())).toMatchObject({ state: 'working' });
    expect(await adapter.cancel({ symbol: BUY.symbol, clientOrderId: 'ws-1' }, attempt())).toMatchObject({
      kind: 'accepted',
      order: { state: 'canceled' },
    });
    expect([requests('WS order.place'), requests('WS order.status'), requests('WS order.cancel')]).toEqual([1, 1, 1]);
    expect([requests('POST /api/v3/order'), requests('DELETE /api/v3/order')]).toEqual([0, 0]);
    expect(await adapter.place(BUY, 'ws-2', attempt({ venueNow: venue.now() - 60_000 }))).toMatchObject({ kind: 'refused', resyncClock: true });
    await close();
  });

  it.each([
    ['before', 'reset', 0],
    ['after', 'reset', 1],
    ['after', 'html', 1],
    ['after', 'half_body', 1],
    ['after', 'status', 1],
  ] as const)('leave the outcome unknown at %s %s, and send nothing again', async (when, kind, orders) => {
    const { venue, adapter, attempt, requests, close } = await givenSessions();
    venue.fault({ operation: 'place', when, kind, times: 1 });
    expect(await adapter.place(BUY, 'lost-1', attempt())).toMatchObject({ kind: 'unknown' });
    await systemClock.sleep(50);
    expect(venue.orders()).toHaveLength(orders);
    expect(requests('WS order.place') + requests('POST /api/v3/order')).toBe(1);
    // The pool has another session for the next one, or REST serves it.
    expect(await adapter.place(BUY, 'next-1', attempt())).toMatchObject({ kind: 'accepted' });
    await close();
  });

  it('fall back to REST where no session can be had, under the same verdicts', async () => {
    const { venue, adapter, attempt, requests, close, controller, following } = await givenSessions();
    controller.abort(new Error('nobody follows any more'));
    await following;
    expect(await adapter.place(BUY, 'rest-1', attempt())).toMatchObject({ kind: 'accepted' });
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    expect(await adapter.place(BUY, 'rest-2', attempt())).toMatchObject({ kind: 'unknown' });
    expect([requests('POST /api/v3/order'), requests('WS order.place')]).toEqual([2, 0]);
    await close();
  });

  it('tell what the venue says of its limits, refusals included', async () => {
    const { venue, adapter, attempt, close } = await givenSessions();
    const seen: object[] = [];
    adapter.observe!((one) => seen.push(one));
    await adapter.place(BUY, 'limits-1', attempt());
    expect(seen).toContainEqual({ limit: 'orders-10s', used: 1 });
    venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 429, ms: 3_000, times: 1 });
    expect(await adapter.place(BUY, 'limits-2', attempt())).toMatchObject({ kind: 'refused', retryAfterMs: 3_000 });
    expect(seen.at(-1)).toMatchObject({ limit: 'weight-1m', blockedUntil: expect.any(Number) });
    await close();
  });

  it('never show a secret in an error', async () => {
    const { venue, served, adapter, attempt, close } = await givenSessions();
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const verdict = await adapter.place(BUY, 'secret-1', attempt());
    const { cause } = verdict as { cause: Error };
    const shown = `${cause.message} ${cause.stack} ${JSON.stringify(cause)} ${String(cause.cause)}`;
    expect(shown).not.toContain(served.credentials.secret);
    expect(shown).not.toContain(served.credentials.apiKey);
    await close();
  });

  it('are signed with an Ed25519 key where the host holds one', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { venue, exchange, adapter, attempt, requests, close } = await givenSessions(
      {},
      FENCE_MS,
      publicKey.export({ type: 'spki', format: 'pem' }) as string,
      {
        secret: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      },
    );
    expect(exchange.secret).toContain('PRIVATE KEY');
    expect(await adapter.place(BUY, 'ed-1', attempt())).toMatchObject({ kind: 'accepted' });
    expect(requests('WS order.place')).toBe(1);
    expect(venue.orders()).toHaveLength(1);
    await close();
  });

  it('report their pool where a bus is given', async () => {
    const bus = new EventBus();
    const seen: string[] = [];
    bus.on('pool.created', ({ pool }) => seen.push(pool));
    const { close } = await givenSessions({}, FENCE_MS, undefined, {}, bus);
    expect(seen).toContain('binance-orders');
    await close();
  });

  it('report their pool to the kit that the adapter is given to, and stand in its metrics', async () => {
    const served = await serveBinance(new SimulatedVenue({ seed: 3, balances: { USDT: '1000000' } }));
    const exchange = served.connect(new ccxt.binance({ timeout: 3_000 }));
    await exchange.loadMarkets();
    const kit = await createVenueKit({ broker: toAdapter(exchange) });
    const opened = new Promise<string>((resolve) => {
      kit.bus.on('pool.created', ({ pool }) => resolve(pool));
    });
    await kit.start();
    await expect(opened).resolves.toBe('binance-orders');
    await kit.trading!.submit({ symbol: BUY.symbol, side: 'buy', type: 'market', qty: '0.1' });
    expect(kit.metrics.exposition()).toMatch(/^venuekit_pool_acquired_total\{pool="binance-orders",reused="(true|false)"\} [1-9]/m);
    await kit.close();
    await served.close();
  });

  it('close with the last follower, and their sockets with them', async () => {
    const { served, controller, following, close } = await givenSessions();
    controller.abort(new Error('done'));
    expect(await following).toMatchObject({ message: 'done' });
    await systemClock.sleep(100);
    await close();
    expect(served.stats().requests).toBeGreaterThan(0);
  });
});

const FAULTS: readonly Omit<Fault, 'operation'>[] = [
  { when: 'before', kind: 'drop', ms: 300 },
  { when: 'after', kind: 'drop', ms: 300 },
  { when: 'before', kind: 'reset' },
  { when: 'after', kind: 'reset' },
  { when: 'after', kind: 'html' },
  { when: 'after', kind: 'half_body' },
  { when: 'before', kind: 'status', status: 503 },
  { when: 'after', kind: 'status', status: 503 },
  { when: 'after', kind: 'status', status: 504, code: -1007 },
  { when: 'before', kind: 'status', status: 429, ms: 200 },
  { when: 'before', kind: 'delay', ms: 900 },
  { when: 'after', kind: 'delay', ms: 900 },
  { when: 'before', kind: 'duplicate' },
  { when: 'after', kind: 'duplicate' },
];

async function placeUnder(fault: Omit<Fault, 'operation'>): Promise<void> {
  const venue = new SimulatedVenue({ seed: 3, balances: { USDT: '1000000' } });
  const served = await serveBinance(venue);
  const bus = new EventBus();
  const ready = sessionOpened(bus);
  const adapter = toAdapter(served.connect(new ccxt.binance({ timeout: 3_000 })), {
    capabilities: { visibilityLagMs: LAG_MS, fence: { maxMs: 60_000, defaultMs: FENCE_MS } },
    bus,
  });
  const client = new ResilientTradingClient({ adapter, journal: new MemoryOrderJournal(), policy: { timeoutMs: 600, deadlineMs: 30_000 } });
  await client.start();
  await ready;
  venue.fault({ operation: 'place', times: 2, ...fault });
  const intents = Array.from({ length: 3 }, (_, i) => ({ ...BUY, intentId: `intent-${i}` }));
  const views = await Promise.all(intents.map((intent) => client.submit(intent)));
  const label = `${fault.when} ${fault.kind} ${fault.status ?? ''}`;
  expect([label, ...views.map(({ state }) => state)]).toEqual([label, 'working', 'working', 'working']);
  expect([label, venue.orders().length]).toEqual([label, 3]);
  expect(served.stats().requestsByEndpoint['WS order.place'] ?? 0, label).toBeGreaterThan(0);
  await client.close();
  await served.close();
}

describe('a trading client over WebSocket sessions, under every fault', () => {
  it('has exactly one order per intent at the venue, and none unknown', async () => {
    await Promise.all(FAULTS.map(placeUnder));
  });

  it('learns of an order whose answer was lost from the stream, before any look-up', async () => {
    const { venue, adapter, close } = await givenSessions();
    const client = new ResilientTradingClient({ adapter, journal: new MemoryOrderJournal(), policy: { timeoutMs: 5_000, deadlineMs: 60_000 } });
    await client.start();
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', ms: 4_000, times: 1 });
    venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503 });
    const view = await client.submit({ ...BUY, intentId: 'by-stream' });
    expect(view.state).toBe('working');
    expect(venue.orders()).toHaveLength(1);
    await client.close();
    await close();
  });

  it('follows the account again after the stream was cut', async () => {
    const { venue, adapter, close } = await givenSessions();
    const client = new ResilientTradingClient({ adapter, journal: new MemoryOrderJournal() });
    await client.start();
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_drop', times: 2 });
    const handle = await client.place({ ...BUY, intentId: 'cut' });
    await handle.acked();
    venue.fill(handle.view.venueOrderIds[0]!);
    expect(await handle.done({ deadlineMs: 60_000 })).toMatchObject({ state: 'filled', filledQty: '0.5' });
    await client.close();
    await close();
  });
});
