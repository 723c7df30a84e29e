import { createHmac } from 'node:crypto';
import ccxt, { type binance, pro } from 'ccxt';
import { afterEach } from 'vitest';
import WebSocket from 'ws';
import { type ServedVenue, type ServeOptions, SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../../src/testing/index.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  // What was opened last hangs on what was opened before.
  for (const one of open.splice(0).reverse()) await one.close();
});

export function closedAfterwards<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

export const SYMBOLS = {
  'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' },
  'ETH/USDT': { price: 3_000, priceStep: '0.01', qtyStep: '0.0001' },
};

export async function givenServed(options: SimulatedVenueOptions = {}, serve: ServeOptions = {}) {
  const venue = new SimulatedVenue({ seed: 5, symbols: SYMBOLS, balances: { USDT: '1000000', BTC: '10' }, ...options });
  const served = closedAfterwards(await serveBinance(venue, serve));
  return { venue, served };
}

export async function givenPro(options: SimulatedVenueOptions = {}) {
  const given = await givenServed(options);
  const exchange = closedAfterwards(given.served.connect(new pro.binance({ timeout: 10_000 })));
  await exchange.loadMarkets();
  return { ...given, exchange };
}

export async function givenRest(options: SimulatedVenueOptions = {}) {
  const given = await givenServed(options);
  const exchange: binance = given.served.connect(new ccxt.binance({ timeout: 10_000 }));
  await exchange.loadMarkets();
  return { ...given, exchange };
}

export type Message = Readonly<Record<string, unknown>>;

/** A socket whose messages are kept, in order, and can be waited for. */
export class Reader {
  readonly messages: Message[] = [];
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const text = String(data);
      this.messages.push(text.startsWith('{') || text.startsWith('[') ? parsed(text) : { text });
      this.#wake();
    });
  }

  send(request: unknown): void {
    this.socket.send(typeof request === 'string' ? request : JSON.stringify(request));
  }

  close(): void {
    this.socket.terminate();
  }

  /** The first message of the kind, come or yet to come. */
  async next(isMeant: (message: Message) => boolean, from = 0): Promise<Message> {
    for (;;) {
      const found = this.messages.slice(from).find(isMeant);
      if (found !== undefined) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the socket was closed before that message');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async count(n: number, isMeant: (message: Message) => boolean): Promise<Message[]> {
    await this.next(() => this.messages.filter(isMeant).length >= n);
    return this.messages.filter(isMeant);
  }

  /** Sends a request of the WebSocket API and waits for its answer. */
  call(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    const id = `${method}-${this.messages.length}-${Math.trunc(performance.now() * 1_000)}`;
    this.send({ id, method, params });
    return this.next((message) => message.id === id);
  }
}

function parsed(text: string): Message {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return { text };
  }
}

export function connected(url: string): Promise<Reader> {
  const reader = closedAfterwards(new Reader(new WebSocket(url)));
  return new Promise((resolve, reject) => {
    reader.socket.once('open', () => resolve(reader));
    reader.socket.once('error', reject);
  });
}

/** Signs parameters of the WebSocket API as the protocol says, without an SDK. */
export function signedParams(served: ServedVenue, params: Record<string, unknown> = {}, secret = served.credentials.secret): Record<string, unknown> {
  const all: Record<string, unknown> = { apiKey: served.credentials.apiKey, timestamp: Date.now(), ...params };
  const payload = Object.keys(all)
    .sort()
    .map((name) => `${name}=${String(all[name])}`)
    .join('&');
  return { ...all, signature: createHmac('sha256', secret).update(payload).digest('hex') };
}
