import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { SimulatedVenueOptions } from '../../../src/testing/index.js';
import { type ServedVenue, serveAlpaca } from '../../../src/testing/index.js';
import { alpacaVenue } from '../sdk/alpaca/given.js';
import { closedAfterwards } from './given.js';

async function givenServed(options: SimulatedVenueOptions = {}) {
  const venue = alpacaVenue({ visibilityLagMs: 0, ...options });
  const served = closedAfterwards(await serveAlpaca(venue));
  const { apiKey, secret } = served.credentials;
  const headers = { 'APCA-API-KEY-ID': apiKey, 'APCA-API-SECRET-KEY': secret };
  /** Without an SDK: what is on the wire. */
  const ask = async (method: string, path: string, body?: object, keys: Record<string, string> = headers) => {
    const response = await fetch(`${served.url}${path}`, { method, headers: keys, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown> };
  };
  return { venue, served, ask };
}

const ORDER = { symbol: 'AAPL', qty: '1', side: 'buy', type: 'limit', limit_price: '150', time_in_force: 'day' };

describe('serveAlpaca over REST', () => {
  it('answers every request with what is left of the limit, and refuses beyond it until the reset', async () => {
    const { ask } = await givenServed({ limits: [{ id: 'requests', scope: 'account', kind: 'window', units: 2, perMs: 60_000 }] });
    const left = async () => {
      const { status, headers } = await ask('GET', '/v2/clock');
      return [status, headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining'), headers.get('retry-after')];
    };
    expect([await left(), await left(), await left()]).toEqual([
      [200, '2', '1', null],
      [200, '2', '0', null],
      [429, '2', '0', null],
    ]);
    const { headers, json } = await ask('GET', '/v2/clock');
    expect(json).toEqual({ code: 42_910_000, message: 'rate limit exceeded' });
    const waitMs = Number(headers.get('x-ratelimit-reset')) * 1_000 - Date.now();
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(61_000);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['no keys', 'GET', '/v2/account', undefined, 401, 40_110_000],
    ['a path that is none', 'GET', '/v2/nothing', undefined, 404, 40_410_000],
    ['a body that is no JSON object', 'POST', '/v2/orders', [], 400, 40_010_000],
    ['a symbol that is none', 'POST', '/v2/orders', { ...ORDER, symbol: 'NOSUCH' }, 422, 42_210_000],
    ['no side', 'POST', '/v2/orders', { ...ORDER, side: 'up' }, 422, 42_210_000],
    ['a type that is not simulated', 'POST', '/v2/orders', { ...ORDER, type: 'trailing_stop' }, 422, 42_210_000],
    ['legs', 'POST', '/v2/orders', { ...ORDER, order_class: 'oco' }, 422, 42_210_000],
    ['more than the account has', 'POST', '/v2/orders', { ...ORDER, qty: '1000000' }, 403, 40_310_000],
    ['an id that is too long', 'POST', '/v2/orders', { ...ORDER, client_order_id: 'x'.repeat(129) }, 422, 40_010_001],
    ['an order that is none', 'GET', '/v2/orders/00000001-0001-4000-8000-0000000000ff', undefined, 404, 40_410_000],
    ['an id of another venue', 'DELETE', '/v2/orders/11111111-0001-4000-8000-000000000001', undefined, 404, 40_410_000],
  ])('refuses %s in Alpaca’s words', async (name, method, path, body, status, code) => {
    const { ask } = await givenServed();
    const answer = await ask(method, path, body as object, name === 'no keys' ? {} : undefined);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
  });

  // Source: docs.alpaca.markets, orders: "notional: if entered, qty will be null"; such an order can't be replaced.
  it('regression: showed an order over an amount of money by a quantity that it was never given', async () => {
    const { ask, venue } = await givenServed();
    const market = { symbol: 'AAPL', side: 'buy', type: 'market', time_in_force: 'day' };
    const placed = await ask('POST', '/v2/orders', { ...market, notional: '500.50', client_order_id: 'spend' });
    expect(placed.json).toMatchObject({ status: 'pending_new', notional: '500.5', qty: null, filled_qty: '0' });
    const filled = await ask('GET', '/v2/orders:by_client_order_id?client_order_id=spend');
    expect(filled.json).toMatchObject({ status: 'filled', notional: '500.5', qty: null, filled_qty: venue.orders()[0]?.filledQty });
    expect((await ask('POST', '/v2/orders', ORDER)).json).toMatchObject({ notional: null, qty: '1' });
    const both = await ask('POST', '/v2/orders', { ...market, notional: '500', qty: '1' });
    expect([both.status, both.json.message]).toEqual([422, 'only one of qty or notional is accepted']);
    const resting = await ask('POST', '/v2/orders', { ...market, type: 'limit', limit_price: '150', notional: '300' });
    expect((await ask('PATCH', `/v2/orders/${String(resting.json.id)}`, { limit_price: '151' })).status).toBe(422);
    expect(venue.orders().map(({ quoteQty }) => quoteQty)).toEqual(['500.5', undefined, '300']);
  });

  it('keeps a client order id for good', async () => {
    const { ask } = await givenServed();
    const first = await ask('POST', '/v2/orders', { ...ORDER, client_order_id: 'once' });
    expect(first.json).toMatchObject({ status: 'pending_new', filled_qty: '0', client_order_id: 'once' });
    expect((await ask('DELETE', `/v2/orders/${String(first.json.id)}`)).status).toBe(204);
    const again = await ask('POST', '/v2/orders', { ...ORDER, client_order_id: 'once' });
    expect([again.status, again.json]).toEqual([422, { code: 40_010_001, message: 'client_order_id must be unique' }]);
    expect((await ask('GET', '/v2/orders:by_client_order_id?client_order_id=once')).json.status).toBe('canceled');
  });

  it('puts a replacement in the place of an order at once, or leaves all as it was', async () => {
    const { ask, venue } = await givenServed({ balances: { USD: '400' } });
    const old = await ask('POST', '/v2/orders', { ...ORDER, qty: '2' });
    const path = `/v2/orders/${String(old.json.id)}`;
    expect((await ask('PATCH', path, { qty: '3' })).status).toBe(403);
    expect((await ask('GET', path)).json.status).toBe('new');
    expect(venue.balances().USD).toEqual({ free: '100', held: '300' });
    const made = await ask('PATCH', path, { limit_price: '199' });
    expect(made.json).toMatchObject({ qty: '2', limit_price: '199', replaces: old.json.id });
    expect((await ask('GET', path)).json).toMatchObject({ status: 'replaced', replaced_by: made.json.id });
    expect(venue.balances().USD).toEqual({ free: '2', held: '398' });
    expect((await ask('PATCH', path, { qty: '1' })).status).toBe(422);
  });

  it('lists the fills of a page that ends, and those that come after its token', async () => {
    const { ask, venue } = await givenServed();
    for (let i = 0; i < 5; i++) venue.placeExternal({ symbol: 'AAPL', side: 'buy', type: 'market', qty: '1' });
    const first = await ask('GET', '/v2/account/activities/FILL?direction=asc&page_size=3');
    const rows = first.json as unknown as { id: string; cum_qty: string; type: string }[];
    expect(rows.map(({ type, cum_qty }) => `${type} ${cum_qty}`)).toEqual(['fill 1', 'fill 1', 'fill 1']);
    const rest = await ask('GET', `/v2/account/activities/FILL?direction=asc&page_size=3&page_token=${rows[2]!.id}`);
    expect(rest.json).toHaveLength(2);
  });

  it('gives bars in pages over all symbols, each bar once', async () => {
    const { ask } = await givenServed();
    const start = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 5 * 60_000).toISOString();
    const end = new Date(Date.parse(start) + 4 * 60_000 + 1).toISOString();
    const bars: Record<string, string[]> = {};
    let pages = 0;
    for (let token = ''; ; pages++) {
      const page = await ask('GET', `/v2/stocks/bars?symbols=MSFT,AAPL&timeframe=1Min&start=${start}&end=${end}&limit=3&page_token=${token}`);
      for (const [symbol, rows] of Object.entries(page.json.bars as Record<string, { t: string }[]>))
        (bars[symbol] ??= []).push(...rows.map(({ t }) => t));
      if (page.json.next_page_token === null) break;
      token = page.json.next_page_token as string;
    }
    expect(pages).toBe(3);
    expect(Object.keys(bars)).toEqual(['AAPL', 'MSFT']);
    for (const times of Object.values(bars)) expect(times).toHaveLength(new Set(times).size);
    expect(bars.AAPL).toHaveLength(5);
  });
});

/** A connection to a stream, in either way of writing. */
async function connected(served: ServedVenue, path: string, isPacked = false) {
  const socket = new WebSocket(`${served.wsUrl}${path}`, isPacked ? { headers: { 'content-type': 'application/msgpack' } } : {});
  closedAfterwards({ close: () => socket.terminate() });
  const messages: Record<string, unknown>[] = [];
  const kinds = new Set<boolean>();
  let wake = (): void => {};
  socket.on('message', (data: Buffer, isBinary) => {
    kinds.add(isBinary);
    const value = (isPacked ? decode(data) : JSON.parse(data.toString())) as Record<string, unknown> | Record<string, unknown>[];
    messages.push(...(Array.isArray(value) ? value : [value]));
    wake();
  });
  socket.on('close', () => wake());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    messages,
    kinds,
    send: (message: object) => socket.send(isPacked ? encode(message) : JSON.stringify(message)),
    async next(isMeant: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
      for (;;) {
        const found = messages.find(isMeant);
        if (found !== undefined) return found;
        if (socket.readyState === WebSocket.CLOSED) throw new Error('the socket was closed before that message');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

describe('serveAlpaca over WebSocket', () => {
  it.each([
    ['JSON', false],
    ['MessagePack', true],
  ])('streams trades and quotes in %s to who has proved itself', async (_, isPacked) => {
    const { served } = await givenServed({ volatility: 0.001 });
    const { apiKey: key, secret } = served.credentials;
    const stream = await connected(served, '/v2/iex', isPacked);
    await stream.next(({ msg }) => msg === 'connected');
    stream.send({ action: 'subscribe', trades: ['AAPL'] });
    expect(await stream.next(({ T }) => T === 'error')).toEqual({ T: 'error', code: 401, msg: 'not authenticated' });
    stream.send({ action: 'auth', key, secret: 'wrong' });
    expect(await stream.next(({ code }) => code === 402)).toMatchObject({ msg: 'auth failed' });
    stream.send({ action: 'auth', key, secret });
    await stream.next(({ msg }) => msg === 'authenticated');
    stream.send({ action: 'subscribe', trades: ['AAPL', 'BTC/USD'], quotes: ['AAPL'] });
    expect(await stream.next(({ T }) => T === 'subscription')).toMatchObject({ trades: ['AAPL', 'BTC/USD'], quotes: ['AAPL'], bars: [] });
    const trade = await stream.next(({ T }) => T === 't');
    expect(trade).toMatchObject({ S: 'AAPL' });
    expect(isPacked ? trade.t instanceof Date : typeof trade.t === 'string').toBe(true);
    expect(await stream.next(({ T }) => T === 'q')).toMatchObject({ S: 'AAPL' });
    expect([...stream.kinds]).toEqual([isPacked]);
  });

  it('streams the books of crypto assets on their own address, and cuts what a fault cuts', async () => {
    const { served, venue } = await givenServed();
    const { apiKey: key, secret } = served.credentials;
    const stream = await connected(served, '/v1beta3/crypto/us');
    stream.send({ action: 'auth', key, secret });
    stream.send({ action: 'subscribe', orderbooks: ['*'] });
    const book = await stream.next(({ T }) => T === 'o');
    expect(book).toMatchObject({ S: 'BTC/USD', r: true });
    const closed = new Promise((resolve) => stream.socket.once('close', resolve));
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'stream' });
    await closed;
  });

  it('tells trade updates in binary frames, as Alpaca does', async () => {
    const { served, venue } = await givenServed();
    const { apiKey, secret } = served.credentials;
    const stream = await connected(served, '/stream');
    stream.send({ action: 'listen', data: { streams: ['trade_updates'] } });
    expect((await stream.next(({ stream: name }) => name === 'authorization')).data).toMatchObject({ status: 'unauthorized' });
    stream.send({ action: 'authenticate', data: { key_id: apiKey, secret_key: secret } });
    await stream.next(({ data }) => (data as { status?: string }).status === 'authorized');
    stream.send({ action: 'listen', data: { streams: ['trade_updates'] } });
    await stream.next(({ stream: name }) => name === 'listening');
    venue.placeExternal({ symbol: 'AAPL', side: 'buy', type: 'market', qty: '3' });
    const fill = await stream.next(({ data }) => (data as { event?: string }).event === 'fill');
    expect(fill.data).toMatchObject({ price: '200.01', qty: '3', position_qty: '3', order: { status: 'filled', filled_qty: '3' } });
    expect([...stream.kinds]).toEqual([true]);
  });

  it('refuses an address that is none', async () => {
    const { served } = await givenServed();
    await expect(connected(served, '/v3/nothing')).rejects.toThrow(/404/);
  });
});
