import type { StreamWire } from '../broker/stream-wire.js';
import type { Credentials } from '../served/credentials.js';
import type { MarketFeeds } from '../served/market-feeds.js';
import type { ServerSocket } from '../served/socket.js';
import type { VenueCore } from '../venue/venue-core.js';
import { CHANNELS, type Channel } from './stream-sources.js';

/** What a connection to a market-data stream is made of. */
export interface DataSessionParts {
  readonly core: VenueCore;
  readonly socket: ServerSocket;
  readonly wire: StreamWire<readonly object[]>;
  readonly credentials: Credentials;
  readonly feeds: MarketFeeds<object>;
  /** In JSON, or in MessagePack where the upgrade asked for it. */
  readonly decode: (data: Uint8Array) => unknown;
  /** Whether the symbol belongs on this stream. */
  readonly carries: (symbol: string) => boolean;
}

/** Source: docs.alpaca.markets, real-time stock data, errors. */
const ERRORS = { 400: 'invalid syntax', 401: 'not authenticated', 402: 'auth failed', 403: 'already authenticated', 404: 'auth timeout' } as const;
const AUTHENTICATE_WITHIN_MS = 10_000;

/** One connection to a market-data stream: connected, auth, subscribe. Source: docs.alpaca.markets, streaming market data. */
export class DataSession {
  readonly #parts: DataSessionParts;
  readonly #open = new Map<string, Disposable>();
  readonly #subscribed = new Map<Channel, Set<string>>();
  readonly #patience: Disposable;
  #isAuthenticated = false;

  constructor(parts: DataSessionParts) {
    this.#parts = parts;
    parts.socket.on('message', (data) => this.#take(data as unknown as Uint8Array));
    parts.socket.on('close', () => this.#end());
    this.#patience = parts.core.clock.schedule(AUTHENTICATE_WITHIN_MS, () => {
      this.#refuse(404);
      parts.socket.close();
    });
    parts.wire.send([{ T: 'success', msg: 'connected' }]);
  }

  #take(data: Uint8Array): void {
    let request: Readonly<Record<string, unknown>>;
    try {
      request = this.#parts.decode(data) as typeof request;
    } catch {
      this.#refuse(400);
      return;
    }
    const { action } = request;
    if (action === 'auth') {
      this.#authenticate(request);
      return;
    }
    if (action !== 'subscribe' && action !== 'unsubscribe') {
      this.#refuse(400);
      return;
    }
    if (!this.#isAuthenticated) {
      this.#refuse(401);
      return;
    }
    for (const channel of CHANNELS) {
      const names = request[channel];
      if (!Array.isArray(names)) continue;
      for (const name of names.map(String)) {
        if (action === 'subscribe') this.#subscribe(channel, name);
        else this.#unsubscribe(channel, name);
      }
    }
    const state = CHANNELS.map((channel) => [channel, [...(this.#subscribed.get(channel) ?? [])]] as const);
    this.#parts.wire.send([{ T: 'subscription', ...Object.fromEntries(state) }]);
  }

  #authenticate({ key, secret }: Readonly<Record<string, unknown>>): void {
    const { wire, credentials } = this.#parts;
    if (this.#isAuthenticated) {
      this.#refuse(403);
      return;
    }
    if (key !== credentials.apiKey || secret !== credentials.secret) {
      this.#refuse(402);
      return;
    }
    this.#isAuthenticated = true;
    this.#patience[Symbol.dispose]();
    wire.send([{ T: 'success', msg: 'authenticated' }]);
  }

  #refuse(code: keyof typeof ERRORS): void {
    this.#parts.wire.send([{ T: 'error', code, msg: ERRORS[code] }]);
  }

  #subscribe(channel: Channel, name: string): void {
    const { core, feeds, wire, carries } = this.#parts;
    let names = this.#subscribed.get(channel);
    if (names === undefined) this.#subscribed.set(channel, (names = new Set()));
    if (names.has(name)) return;
    names.add(name);
    for (const symbol of name === '*' ? core.desks.keys() : [name]) {
      const feed = `${channel}.${symbol}`;
      if (!this.#open.has(feed) && carries(symbol))
        this.#open.set(
          feed,
          feeds.subscribe(feed, (event) => wire.push([event], 'stream')),
        );
    }
  }

  #unsubscribe(channel: Channel, name: string): void {
    const names = this.#subscribed.get(channel);
    if (names?.delete(name) !== true || names.has('*')) return;
    for (const symbol of name === '*' ? this.#parts.core.desks.keys() : [name]) {
      if (names.has(symbol)) continue;
      this.#open.get(`${channel}.${symbol}`)?.[Symbol.dispose]();
      this.#open.delete(`${channel}.${symbol}`);
    }
  }

  #end(): void {
    this.#patience[Symbol.dispose]();
    for (const subscription of this.#open.values()) subscription[Symbol.dispose]();
    this.#open.clear();
  }
}
